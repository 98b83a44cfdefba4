"""Waits: until a time of the case or the customer, or until something of this customer comes, whichever is first."""

import json
from datetime import date

import pytest

from flows.engine import operate
from flows.ledger.exchanges import Exchange
from flows.store import tables as t
from flows.store.write import add, emit
from tests.engine.test_beginnings import record

OR = {"event": "webhook.received", "connection": "replies"}
AHEAD = [{"id": "pause", "do": "답을 기다린다", "wait": "2d", "or": OR}]


def begin(shop, wait=None, **head):
    shop.connect("replies", connector="webhook", party="data.from")
    pause = {**AHEAD[0], **({"or": {**OR, **wait}} if wait else {})}
    after = [shop.person("thank", when="pause.happened"), shop.person("call", when="not pause.happened")]
    shop.open([pause, *after], **head)
    shop.asks()
    shop.turns()
    return shop


def replies(shop, key="r1", sender="010-1234-5678", **more):
    body = json.dumps({"data": {"from": sender, **more}}).encode()
    with shop.store.write() as session:
        emit(session, "replies", key, "webhook.received", shop.clock.now(), body)
    shop.turns()
    return shop.all(t.event, t.event.c.key == key)[0]["state"]


def test_what_comes_first_ends_a_wait(shop):
    begin(shop)
    shop.later(hours=5)
    assert replies(shop) == "decided"
    assert [one["step"] for one in shop.asked()] == ["thank"]
    shop.later(days=3)
    assert [one["step"] for one in shop.asked()] == ["thank"]


def test_when_nothing_comes_the_wait_ends_in_time(shop):
    begin(shop)
    shop.later(days=2)
    assert [one["step"] for one in shop.asked()] == ["call"]
    assert replies(shop) == "decided"  # too late: it ends nothing
    assert [one["step"] for one in shop.asked()] == ["call"]


@pytest.mark.parametrize(
    ("sender", "text", "where", "ended"),
    [
        ("+82 10-1234-5678", "네", None, True),  # the same number, written otherwise
        ("010-9999-8888", "네", None, False),
        ("누군가", "네", None, False),
        ("010-1234-5678", "네", "reply.data.text == '네'", True),
        ("010-1234-5678", "아니오", "reply.data.text == '네'", False),
        ("010-1234-5678", "네", "reply.data.text == name", False),
        ("010-1234-5678", "네", "reply.data.text > 3", False),  # text is no number: something else came
        ("010-1234-5678", "네", "reply.nothing == 1", False),
    ],
)
def test_only_what_the_cases_own_customer_sends_ends_a_wait(shop, sender, text, where, ended):
    begin(shop, {"where": where} if where else None)
    assert replies(shop, sender=sender, text=text) == "decided"
    assert ([one["step"] for one in shop.asked()] == ["thank"]) is ended


def test_a_form_that_starts_another_playbook_ends_a_wait_too(shop):
    shop.connect("second", connector="own_form")
    shop.write([shop.person("read")], name="other", start={"event": "form.submitted", "connection": "second"})
    begin(shop, {"event": "form.submitted", "connection": "second"})
    body = json.dumps({"이름": "김하나", "연락처": "010-1234-5678"}).encode()
    with shop.store.write() as session:
        emit(session, "second", "s1", "form.submitted", shop.clock.now(), body)
    shop.turns()
    assert sorted(one["step"] for one in shop.asked()) == ["read", "thank"]


def test_what_came_can_be_used_later_and_stays_text(shop):
    shop.connect("replies", connector="webhook", party="data.from")
    values = {"name": "{{ pause.event.data.text | default('') }}"}
    shop.open([*AHEAD, shop.machine("greet", "message.send", {"message": "hello", "values": values})])
    shop.asks()
    shop.turns()
    replies(shop, text="{{ party.name }}")
    assert "{{ party.name }}님 안녕하세요" in shop.outbox()[0]


def test_the_same_event_twice_or_a_held_case_harms_nothing(shop):
    begin(shop)
    shop.act(operate.hold, shop.case()["id"], "yoon", "봄", shop.clock.now())
    replies(shop)
    replies(shop)
    assert shop.asked() == []
    shop.act(operate.resume, shop.case()["id"], "yoon", shop.clock.now())
    assert [one["step"] for one in shop.asked()] == ["thank"]
    assert shop.story().count("pause done") == 1


def test_a_wait_counts_from_what_the_customer_has(shop):
    wait = {"id": "pause", "do": "기다린다", "wait": "party.ends.purchase - 14d"}
    shop.open([wait, shop.person("call")])
    record(shop, "purchase_card", until=date(2026, 12, 20))
    shop.asks()
    shop.turns()
    assert shop.engine.next_wake() == shop.moment("2026-12-06 00:00")
    record(shop, "purchase_card", until=date(2027, 1, 20))  # renewed meanwhile
    shop.at("2026-12-06 00:00")
    assert (shop.asked(), shop.engine.next_wake()) == ([], shop.moment("2027-01-06 00:00"))


@pytest.mark.parametrize(("given", "stopped"), [([True, False], True), ([False], False), ([True, False, True], False)])
def test_a_consent_that_was_taken_back_stops_a_case_before_its_next_step(shop, given, stopped):
    stop = [{"consent": "withdrawn", "purpose": "ad", "outcome": "lost"}]
    shop.open([shop.person("call"), shop.person("write")], stop=stop)
    shop.asks()
    shop.turns()
    with shop.store.write() as session:
        for said in given:
            add(session, t.consent, party_id=shop.case()["party_id"], purpose="ad", medium="sms", given=said,
                at=shop.clock.now(), wording="소식을 받겠습니다")  # fmt: skip
    shop.does(shop.asked()[0])
    assert (shop.case()["reason"] == "stop: consent withdrawn (ad)") is stopped
    assert (shop.asked() == []) is stopped


def test_a_stop_by_a_purchase_ends_a_wait_as_won(shop):
    begin(shop, stop=[{"exchange": ["purchase"], "outcome": "won"}])
    shop.act(operate.record_by_hand, shop.world, "010-1234-5678", Exchange(kind="purchase_card"), "yoon")
    assert (shop.case()["outcome"], shop.case()["reason"]) == ("won", "stop: purchase_card")
