"""A playbook stays as it is when its form moves to a service, and its messages to another."""

from datetime import date

import pytest

from flows.store import tables as t
from flows.store.data import load
from flows.store.write import emit
from tests.connectors.samples import solapi as solapi_sample
from tests.connectors.samples import tally as tally_sample
from tests.connectors.samples import typeform as typeform_sample

FIELDS = {
    "name": {"type": "text", "label": "이름"},
    "phone": {"type": "phone", "label": "전화번호"},
    "branch": {"type": "choice", "label": "지점", "choices": {"hapjeong": "합정점", "mangwon": "망원점"}},
    "day": {"type": "date", "label": "희망일"},
    "where": {"type": "text", "label": "불편한 곳"},
    "wish": {"type": "text", "label": "하고 싶은 말", "required": False},
}
SAMPLES = {"tally": tally_sample, "typeform": typeform_sample}


def filled(shop, service, raw=None):
    """What comes of the sample's submission, by a playbook that knows nothing of the service."""
    sample = SAMPLES[service]
    shop.connect("trial", connector=service)
    shop.open([shop.person("call")], start={"event": "form.submitted", "connection": "trial"}, fields=FIELDS)
    secrets = {f"DIGILOG_CONNECTIONS__TRIAL__{name.upper()}": value for name, value in sample.SECRETS.items()}
    shop.world.secrets = secrets
    raw = sample.EVENTS[0][1] if raw is None else raw
    event = shop.world.connection("trial").receive(sample.headers_of(raw, sample.SECRETS), raw)
    with shop.store.write() as session:
        emit(session, "trial", event.key, event.name, shop.clock.now(), raw)
    shop.turns()
    return shop.all(t.event)[0]


@pytest.mark.parametrize("service", SAMPLES)
def test_a_form_of_a_service_opens_the_case_that_the_own_form_would(shop, service):
    event = filled(shop, service)
    assert (event["state"], event["reason"]) == ("decided", None)
    told = load(shop.all(t.private_case)[0]["data"])["fields"]
    assert told == {
        "name": "김하나",
        "phone": "+821033334444",
        "branch": "hapjeong",
        "day": date(2026, 11, 28),
        "where": "허리, 어깨",
        "wish": None,
    }


def test_an_option_that_the_playbook_does_not_know_goes_to_a_person(shop):
    raw = tally_sample.EVENTS[0][1].replace("합정점".encode(), "강남점".encode())
    event = filled(shop, "tally", raw)
    assert event["state"] == "quarantined"
    assert "branch" in event["reason"]
    assert shop.all(t.case) == []


def sends(shop, message, connection=None):
    """The effect that sends a message of messages.yaml."""
    if connection:
        shop.connect("texts", connector="solapi", **solapi_sample.SETTINGS)
    mediums = dict.fromkeys(("alimtalk", "sms"), "texts") if connection else {}
    shop.files["company"]["mediums"] = {**shop.files["company"]["mediums"], **mediums}
    shop.files["messages"] = {"hello": message}
    shop.open([shop.machine("tell", "message.send", {"message": "hello", "values": {"name": "{{ name }}"}})])
    shop.calls.answers_to["texts.send"] = {}
    shop.asks()
    shop.turns()
    (row,) = (one for one in shop.effects() if one["action"] == "send")
    return row, shop.calls.sent[-1].arguments


ALIMTALK = {"medium": "alimtalk", "purpose": "info", "text": "#{name}님 안녕하세요", "provider_template": "KA01TP"}


def test_an_approved_template_goes_with_its_blanks_to_the_service_that_fills_it(shop):
    row, arguments = sends(shop, ALIMTALK, "solapi")
    assert (row["connection"], row["effect_class"]) == ("texts", "checkable")
    assert (arguments["template"], arguments["values"]) == ("KA01TP", {"name": "김하나"})
    assert arguments["text"] == "김하나님 안녕하세요"


def test_who_sends_by_hand_gets_the_filled_text_and_no_template(shop):
    row, arguments = sends(shop, ALIMTALK)
    assert row["connection"] == "outbox"
    assert {"template", "values"}.isdisjoint(arguments)
