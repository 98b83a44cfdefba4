"""A vendor's changed shape never becomes another amount, another order, or a word of Python's: a person sees it."""

import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Connector
from connectors.errors import ConnectorError, Odd
from connectors.payments.portone import PortOne
from connectors.payments.stripe import Stripe
from connectors.payments.toss import Toss
from tests.connectors.samples import portone, stripe, toss

MADE: dict[str, Connector] = {
    name: kind.connect(
        "pay", {}, environ={f"DIGILOG_CONNECTIONS__PAY__{word.upper()}": text for word, text in sample.SECRETS.items()}
    )
    for name, kind, sample in [("toss", Toss, toss), ("portone", PortOne, portone), ("stripe", Stripe, stripe)]
}
STRIPES = [
    ("payment.paid", stripe.EVENTS[0][1]),
    ("payment.paid", stripe.EVENTS[1][1]),
    ("payment.refunded", stripe.EVENTS[2][1]),
]
BODIES = [
    pytest.param(service, name, raw, id=f"{service}-{name}-{place}")
    for service, bodies in [("toss", toss.CONFIRMED), ("portone", portone.CONFIRMED), ("stripe", STRIPES)]
    for place, (name, raw) in enumerate(bodies)
]
WRONG: list[Any] = [None, "", " ", True, -1, 0.5, "None", [], {}, {"id": "x"}, [1], "9" * 400, 10**30, "\ud800"]
FIXED = ("id", "amount", "currency", "refunded", "returned")


def places(found: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inner = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for name, one in inner:
        yield (*path, name)
        yield from places(one, (*path, name))


def changes(body: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """The body with one place dropped, renamed, retyped or nested."""
    for path in places(body):
        for wrong in ("drop", "rename", "nest", *WRONG):
            changed = copy.deepcopy(body)
            inside = changed
            for step in path[:-1]:
                inside = inside[step]
            value = inside.pop(path[-1])
            if wrong == "nest":
                inside = _put(inside, path[-1], {"value": value})
            elif wrong == "rename":
                inside = _put(inside, f"{path[-1]}_v2" if isinstance(path[-1], str) else path[-1], value)
            elif wrong != "drop":
                inside = _put(inside, path[-1], wrong)
            yield f"{path} {wrong!r}", json.dumps(changed).encode()


def _put(inside: Any, name: Any, value: Any) -> Any:
    if isinstance(inside, list):
        inside.insert(name, value)
    else:
        inside[name] = value
    return inside


@pytest.mark.parametrize(("service", "name", "raw"), BODIES)
def test_a_changed_shape_is_told_as_before_or_goes_to_a_person(service, name, raw):
    connector = MADE[service]
    usual = connector.read(name, raw)
    wrong, odd, count = [], 0, 0
    for what, changed in changes(json.loads(raw)):
        count += 1
        try:
            told = connector.read(name, changed)
        except Odd:
            odd += 1
            continue
        shown = json.dumps(told)
        if any(word in shown for word in ('"None"', '""', "null", '" "', "ud800")):
            wrong.append(f"{what}: {shown}")
        moved = [one for one in FIXED if told.get(one) != usual.get(one)]
        if moved and not _may_move(what, moved):
            wrong.append(f"{what}: {moved} {shown}")
    assert wrong == []
    assert count > 300
    assert odd > 50


def _may_move(what: str, moved: list[str]) -> bool:
    """A well-formed other value is another value: nobody can tell."""
    return any(
        one in what
        for one in (
            "'9999",
            "'id'",
            "'payment_intent'",
            "amount_received",
            "'paidAt'",
            "'approvedAt'",
            "'status'",
        )
    ) or (moved == ["refunded"] and "latest_charge" in what)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None)
@given(found=json_values, data=st.data())
@pytest.mark.parametrize("service", sorted(MADE))
def test_any_json_is_read_or_goes_to_a_person(service, found, data):
    connector = MADE[service]
    bodies = [raw for one, _, raw in (param.values for param in BODIES) if one == service]
    body = json.loads(data.draw(st.sampled_from(bodies)))
    spot = data.draw(st.sampled_from(sorted(places(body), key=str)))
    inside = body
    for step in spot[:-1]:
        inside = inside[step]
    inside[spot[-1]] = found
    for raw in (json.dumps(found).encode(), json.dumps(body).encode()):
        for name in ("payment.paid", "payment.refunded"):
            with suppress(Odd):
                json.dumps(connector.read(name, raw))
        with suppress(ConnectorError):
            connector.receive({}, raw)
