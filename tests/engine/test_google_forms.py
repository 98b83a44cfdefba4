"""A Google form through the running engine: asked each minute, each response opens one case, whatever happens."""

import pytest

from connectors.base import variable_of
from connectors.testing import scripted
from flows.store import tables as t
from flows.store.data import load
from tests.connectors.samples import google_forms as sample
from tests.connectors.samples.google_forms import LIST, response
from tests.engine.conftest import ask_too


@pytest.fixture
def asked(shop):
    """A shop whose playbook begins by a Google form; `google` is what the form's service answers."""
    with scripted({**sample.GOOD, LIST: (200, {})}) as google:
        shop.connect("trial", connector="google_forms", form=sample.ID, base_url=google.base_url, allow_loopback="true")
        shop.open([shop.person("call")], start={"event": "form.submitted", "connection": "trial"})
        shop.world.secrets = {variable_of("trial", name): value for name, value in sample.SECRETS.items()}
        ask_too(shop)
        shop.google = google
        shop.turns()
        yield shop
        shop.world.connection("trial").close()


def sends(shop, *responses):
    shop.google.answers[LIST] = (200, {"responses": list(responses)})
    shop.later(minutes=1)


def names(shop):
    return [load(row["data"])["fields"]["name"] for row in shop.all(t.private_case)]


def test_each_response_opens_one_case_and_an_edit_is_kept_as_one(asked):
    assert names(asked) == []
    first = response("a", "2026-11-23T01:00:10Z")
    sends(asked, first)
    sends(asked, first)
    assert names(asked) == ["김하나"]
    ask_too(asked)  # as after a kill
    sends(asked, response("a", "2026-11-23T01:00:10Z", "2026-11-23T01:02:00Z", name="김둘"))
    assert [(row["name"], row["key"]) for row in asked.all(t.event)] == [
        ("form.submitted", "a"),
        ("form.edited", "a@2026-11-23T01:02:00.000000Z"),
    ]
    assert names(asked) == ["김하나"]


def test_what_google_cannot_say_now_is_asked_for_again(asked):
    asked.google.answers[LIST] = (503, "")
    asked.later(minutes=1)
    asked.later(minutes=10)
    sends(asked, response("a", "2026-11-23T01:00:10Z"))
    asked.later(minutes=10)
    assert names(asked) == ["김하나"]


def test_a_response_of_an_unknown_shape_waits_for_a_person_and_stops_no_other(asked):
    odd = {**response("a", "2026-11-23T01:00:10Z"), "answers": {"1a2b3c4d": {"textAnswers": "김하나"}}}
    sends(asked, odd, response("b", "2026-11-23T01:00:20Z", name="박둘"))
    assert [(row["key"], row["state"]) for row in asked.all(t.event)] == [("a", "quarantined"), ("b", "decided")]
    assert names(asked) == ["박둘"]
