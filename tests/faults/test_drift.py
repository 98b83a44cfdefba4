"""A sender that changes its payload never makes us send a message with a hole, a `None` or a program's words in it."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Connector, Greeting
from connectors.errors import Forged, NotConnected, Odd
from connectors.registry import find
from flows.engine.books import open_book
from flows.engine.decide import Event, Open, decide, unwrapped
from flows.playbook.text import Format, MissingValue, render_all
from tests.faults.calls import connect, sample, services
from tests.faults.mutants import DRIFTED, NUMBER, mutants

DEFAULT = "(없음)"
STRANGE = re.compile(r"None|nan|inf|True|False|Decimal|datetime|[{}\[\]]|['\"]\w+['\"]:|<")
PLAIN = re.compile(
    r"\d+|.*drifted.*|.*7041.*|\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d)?)?"
)  # another time that it tells
ALSO = {
    DEFAULT,
    DRIFTED,
    str(NUMBER),
    f"{NUMBER:,}",
    "70.41",
    "-1",
    "1e+308",
    "예",
    "아니요",
}  # what stands in a changed field
SOURCES = [name for name in services() if find(name).events]


class Nobody:
    """Nothing is known yet of any customer."""

    def party(self, contact):
        return None

    def open_case(self, playbook, party):
        return None

    def sender(self, connection, body):
        return []

    def dealt(self, connection, dealing):
        return None

    def named(self, connection, body):
        return None

    def open_cases(self, party):
        return []


def payloads(service: str) -> Iterator[tuple[str, Any, bool]]:
    """Events as they are kept: name, JSON, and whether it came inside a form."""
    one, connector = sample(service), connect(service, "https://example.com", None, loopback=False)
    for sign, raw in one.EVENTS:
        found = connector.receive(sign(raw, one.SECRETS), raw)
        if not find(service).confirms:
            form = raw.startswith(b"payload=")
            yield found.name, json.loads(parse_qs(raw.decode())["payload"][0] if form else raw), form
    for name, raw in getattr(one, "CONFIRMED", []):
        yield name, json.loads(raw), False
    for raw in getattr(one, "POLLED", []):
        yield find(service).events[0], json.loads(raw), False


CASES = [(service, number) for service in SOURCES for number in range(len(list(payloads(service))))]


def written(payload: Any, *, form: bool = False) -> bytes:
    text = json.dumps(payload, ensure_ascii=False)
    return urlencode({"payload": text}).encode() if form else text.encode()


def known(found: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """What a playbook can name: every value that a reading brings, by its dotted path."""
    for name, value in found.items():
        if isinstance(value, Mapping):
            yield from known(value, f"{path}{name}.")
        elif isinstance(value, str | int | float) and "\n" not in str(value):
            yield f"{path}{name}", value


class Desk:
    """A playbook that takes every value of an event into one message."""

    def __init__(self, shop: Any, service: str, name: str, body: Mapping[str, Any], *, default: bool) -> None:
        shop.connect("source", connector=service, **sample(service).SETTINGS)
        self.fields = {f"v{number}": path for number, (path, _) in enumerate(known(body))}
        values = dict(known(body))
        more = {"required": False, "default": DEFAULT} if default else {}
        fields = {
            field: {"type": "yesno", "label": field, "from": path} if isinstance(values[path], bool)
            else {"type": "text", "label": field, "from": path, **more}
            for field, path in self.fields.items()
        }  # fmt: skip
        text = "\n".join(f"{field}={{{{ {field} }}}}" for field in fields)
        fields["whose"] = {"type": "email", "label": "whose"}  # a case is about somebody
        shop.write_files()
        start = {"event": name, "connection": "source"}
        shop.write([shop.machine("tell", "team.notify", {"text": text})], start=start, fields=fields, case="whose")
        self.book = open_book(shop.folder)
        self.name, company = name, self.book.company
        self.format = Format(company.zone, company.language, company.currency, company.country)

    def message(self, body: Mapping[str, Any]) -> str | None:
        """The message that would be sent, or None where a person looks at the event first."""
        event = Event(1, self.name, "source", "k", None, body={**unwrapped(body), "whose": "hana@example.com"})
        changes = decide(event, self.book, Nobody(), {"visit": "operate"})
        opens = [one for one in changes if isinstance(one, Open)]
        if not opens:
            return None
        step = next(iter(opens[0].playbook.steps))
        try:
            return str(render_all(step.arguments, opens[0].fields.get, self.format)["text"])
        except MissingValue:
            return None


def told_in(payload: Any) -> set[str]:
    """All texts of a payload but the numbers of choices, which nobody should see."""
    if isinstance(payload, dict):
        choice = {"id", "text"} >= payload.keys()
        return {one for name, inner in payload.items() if not (choice and name == "id") for one in told_in(inner)}
    if isinstance(payload, list):
        return {one for inner in payload for one in told_in(inner)} if any(map(_holds, payload)) else set()
    return {str(payload)} if isinstance(payload, str) else set()


def _holds(found: Any) -> bool:
    return isinstance(found, dict | list)


def holes(message: str, right: str, mutant: str, told: set[str]) -> list[str]:
    """Lines of a message that no customer should see."""
    wanted = dict(line.split("=", 1) for line in right.split("\n"))
    pieces = {piece for value in wanted.values() for piece in re.split(r", |\n", value)} | ALSO | told
    wrong = []
    for line in message.split("\n"):
        field, _, value = line.partition("=")
        odd = not value.strip() or (STRANGE.search(value) and value not in wanted.values())
        if odd or not all(piece in pieces or PLAIN.fullmatch(piece) for piece in re.split(r", |\n", value)):
            wrong.append(f"{mutant}: {line!r}, was {wanted.get(field)!r}")
    return wrong


def read(connector: Connector, name: str, raw: bytes) -> Mapping[str, Any] | None:
    try:
        return connector.read(name, raw)
    except Odd:
        return None


@pytest.mark.parametrize("default", [False, True], ids=["needed", "default"])
@pytest.mark.parametrize(("service", "number"), CASES)
def test_a_changed_payload_gives_a_whole_message_or_goes_to_a_person(service, number, default, shop):
    name, payload, form = list(payloads(service))[number]
    connector = connect(service, "https://example.com", None, loopback=False)
    body = connector.read(name, written(payload, form=form))
    desk = Desk(shop, service, name, body, default=default)
    right = desk.message(body)
    assert right
    assert holes(right, right, "", set()) == []
    wrong, kept, tried = [], 0, 0
    for mutant, changed in mutants(payload):
        tried += 1
        found = read(connector, name, written(changed, form=form))
        message = desk.message(found) if found is not None else None
        kept += message is None
        if message is not None:
            wrong += holes(message, right, mutant, told_in(payload))
    assert wrong == []
    assert default or kept > tried // 50, "nothing was ever noticed"


@pytest.mark.parametrize("service", SOURCES)
def test_a_changed_webhook_is_taken_in_or_told_to_be_odd(service):
    one, connector = sample(service), connect(service, "https://example.com", None, loopback=False)
    for sign, raw in one.EVENTS:
        form = raw.startswith(b"payload=")
        for mutant, changed in mutants(json.loads(parse_qs(raw.decode())["payload"][0] if form else raw)):
            body = written(changed, form=form)
            try:
                found = connector.receive(sign(body, one.SECRETS), body)
            except Odd:
                continue
            assert isinstance(found, Greeting) or not STRANGE.search(found.key), mutant


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("service", SOURCES)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(content=ANY_JSON | st.binary(), number=st.integers(0, 50), data=st.data())
def test_whatever_stands_in_a_body_is_read_or_odd(service, content, number, data):
    connector = connect(service, "https://example.com", None, loopback=False)
    kept = list(payloads(service))
    name, payload, _ = kept[number % len(kept)] if kept else (find(service).events[0], {}, False)
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    for body in (raw, written({**payload, **content}) if isinstance(content, dict) else raw):
        try:
            assert isinstance(connector.read(name, body), dict)
        except Odd:
            continue
        try:
            connector.receive({}, body)
        except (Forged, NotConnected, Odd):
            continue
