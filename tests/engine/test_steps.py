"""Steps: which are taken, how long they wait, what ends a case and what is too late."""

import pytest

from connectors.errors import Rejected, Unavailable
from flows.engine import operate
from flows.ledger.exchanges import Exchange
from flows.store import tables as t

HELLO = {"message": "hello", "values": {"name": "{{ name }}"}}
CAME = {"came": {"type": "yesno", "label": "오셨나요"}}


def begin(shop, steps, **head):
    shop.open(steps, **head)
    shop.asks()
    shop.turns()
    return shop


@pytest.mark.parametrize(("came", "states"), [("yes", ["ask done", "yes done"]), ("no", ["ask done", "yes skipped"])])
def test_a_step_is_taken_only_where_its_condition_holds(shop, came, states):
    begin(shop, [shop.person("ask", form=CAME),
                 shop.machine("yes", "ledger.record", {"kind": "visit_trial"}, when="ask.came"),
                 shop.person("end")])  # fmt: skip
    shop.does(shop.asked()[0], {"came": came})
    assert [line for line in shop.story() if line in {"ask done", "yes done", "yes skipped"}] == states
    assert len(shop.all(t.exchange)) == (came == "yes")


@pytest.mark.parametrize(("came", "outcome"), [("yes", "done"), ("no", "lost")])
def test_an_answer_can_end_the_case(shop, came, outcome):
    begin(shop, [shop.person("ask", form=CAME, ends=[{"when": "not ask.came", "outcome": "lost"}]),
                 shop.machine("note", "ledger.record", {"kind": "visit_trial"})])  # fmt: skip
    shop.does(shop.asked()[0], {"came": came})
    assert (shop.case()["status"], shop.case()["outcome"]) == ("ended", outcome)
    assert len(shop.all(t.exchange)) == (came == "yes")


def test_a_skipped_step_ends_nothing(shop):
    ends = [{"when": "not ask.came", "outcome": "lost"}]
    begin(shop, [shop.person("ask", form=CAME, when="name == '다른 사람'", ends=ends), shop.person("next")])
    assert [one["step"] for one in shop.asked()] == ["next"]


@pytest.mark.parametrize(("status", "kinds"), [(200, []), (202, ["fallback"])])
def test_a_result_that_does_not_pass_its_check_goes_to_a_person(shop, status, kinds):
    shop.open([shop.machine("call", "sink.get", {"path": "/"}, check="call.status == 200")])
    shop.calls.answers_to["sink.get"] = {"status": status}
    shop.asks()
    shop.turns()
    assert [one["kind"] for one in shop.asked()] == kinds
    if kinds:
        assert shop.asked()[0]["reason"] == "check failed: call.status == 200"
        shop.does(shop.asked()[0])
    assert shop.case()["outcome"] == "done"


def test_a_check_on_a_persons_answer_asks_again(shop):
    form = {"count": {"type": "integer", "label": "몇 명"}}
    begin(shop, [shop.person("ask", form=form, use="sink.get", **{"with": {"path": "/"}}, check="ask.count > 0")])
    shop.does(shop.asked()[0], {"count": "0"})
    (again,) = shop.asked()
    assert (again["kind"], again["reason"]) == ("step", "check failed: ask.count > 0")
    shop.later(minutes=5)
    shop.does(again, {"count": "2"})
    assert shop.case()["outcome"] == "done"


def test_a_wait_takes_nothing_and_ends_in_time(shop):
    begin(shop, [{"id": "pause", "do": "기다린다", "wait": "tomorrow 09:00"}, shop.person("call")])
    shop.at("2026-11-24 08:59")
    assert shop.case()["status"] == "waiting"
    assert shop.engine.next_wake() == shop.moment("2026-11-24 09:00")
    shop.restart()
    shop.at("2026-11-24 09:00")
    assert [one["step"] for one in shop.asked()] == ["call"]


@pytest.mark.parametrize(
    ("at", "sent"),
    [("08:59:59", 0), ("09:00", 1), ("20:59:59", 1), ("21:00", 0), ("23:30", 0)],
)
def test_hours_of_a_message_are_half_open(shop, at, sent):
    begin(shop, [shop.machine("greet", "message.send", HELLO, between="09:00-21:00")], at=f"2026-11-23 {at}")
    assert len(shop.outbox()) == sent
    if not sent:
        assert shop.story()[-1] == "greet deferred"
        shop.at("2026-11-23 09:00" if at < "09" else "2026-11-24 09:00")
    assert len(shop.outbox()) == 1
    assert shop.case()["outcome"] == "done"


def test_what_came_too_late_is_dropped_and_said_and_the_case_goes_on(shop):
    begin(shop, [{"id": "pause", "do": "기다린다", "wait": "today 20:30"},
                 shop.machine("greet", "message.send", HELLO, between="09:00-20:00", valid_for="30m"),
                 shop.person("call")])  # fmt: skip
    shop.at("2026-11-23 20:30")
    shop.at("2026-11-24 09:00")
    assert "greet dropped" in shop.story()
    assert (shop.outbox(), [one["step"] for one in shop.asked()]) == ([], ["call"])


def test_a_message_that_is_parked_beyond_its_time_is_dropped_not_sent(shop):
    shop.open([shop.machine("greet", "message.send", HELLO, valid_for="30m"), shop.person("call")])
    shop.calls.answers_to["outbox.send"] = Unavailable("down", retry_after=1801)
    shop.asks()
    shop.turns()
    shop.later(seconds=1801)
    assert (len(shop.calls.uses()), shop.effects()[0]["state"]) == (1, "dropped")
    assert [one["step"] for one in shop.asked()] == ["call"]


def record(shop, kind, party="010-1234-5678"):
    return shop.act(operate.record_by_hand, shop.world, party, Exchange(kind=kind), "yoon")


def test_an_exchange_from_outside_stops_the_case_and_takes_its_work_back(shop):
    begin(shop, [shop.person("call", due="1h")], stop=[{"exchange": ["cancel"], "outcome": "lost"}])
    record(shop, "inquiry")
    assert shop.case()["status"] == "assigned"
    record(shop, "cancel", "010-9999-8888")
    assert shop.case()["status"] == "assigned"
    record(shop, "cancel")
    assert (shop.case()["status"], shop.case()["outcome"], shop.case()["reason"]) == ("ended", "lost", "stop: cancel")
    assert [one["state"] for one in shop.all(t.assignment)] == ["withdrawn"]


def test_a_stop_by_a_family_takes_its_kinds_too_and_own_records_never_stop(shop):
    begin(shop, [shop.machine("buy", "ledger.record", {"kind": "purchase_card"}), shop.person("call")],
          stop=[{"exchange": ["purchase"], "outcome": "won"}])  # fmt: skip
    assert [one["step"] for one in shop.asked()] == ["call"]
    record(shop, "purchase_card")
    assert shop.case()["outcome"] == "won"


def test_a_stop_withdraws_what_has_not_left(shop):
    shop.open([shop.machine("put", "sink.put", {"path": "/"})], stop=[{"exchange": ["cancel"]}])
    shop.calls.answers_to["sink.put"] = [Unavailable("down", retry_after=60), {}]
    shop.asks()
    shop.turns()
    record(shop, "cancel")
    shop.later(hours=1)
    assert (shop.effects()[0]["state"], len(shop.calls.uses())) == ("cancelled", 1)


def test_a_stop_condition_is_asked_before_every_step(shop):
    begin(shop, [shop.person("call"), shop.machine("note", "ledger.record", {"kind": "apply"})],
          stop=[{"when": "party.has.purchase > 0", "outcome": "won"}])  # fmt: skip
    record(shop, "purchase_card")
    shop.does(shop.asked()[0])
    assert (shop.case()["outcome"], [one["kind"] for one in shop.all(t.exchange)]) == ("won", ["purchase_card"])


def test_an_answer_to_a_call_of_a_stopped_case_changes_nothing(shop):
    shop.open([shop.machine("put", "sink.put", {"path": "/"}), shop.person("call")], stop=[{"exchange": ["cancel"]}])
    held = []
    shop.calls.submit, submit = held.append, shop.calls.submit
    shop.calls.answers_to["sink.put"] = {}
    shop.asks()
    shop.turns()
    record(shop, "cancel")
    submit(held[0])
    shop.turns()
    assert (shop.case()["outcome"], shop.effects()[0]["state"], shop.asked()) == ("lost", "done", [])


def test_two_cases_with_one_key_do_it_once(shop):
    shop.open([shop.machine("put", "sink.put", {"path": "/"}, key="day/{{ name }}")])
    shop.calls.answers_to["sink.put"] = {}
    shop.asks("k1")
    shop.asks("k2", phone="010-2222-3333")
    shop.turns()
    assert [one.key for one in shop.calls.sent] == ["day/김하나"]
    assert [case["outcome"] for case in shop.all(t.case)] == ["done", "done"]


def test_a_key_that_came_to_nothing_can_be_used_again(shop):
    shop.open([shop.machine("put", "sink.put", {"path": "/"}, key="day/{{ name }}")])
    shop.calls.answers_to["sink.put"] = [Rejected("no"), {}]
    shop.asks("k1")
    shop.turns()
    shop.asks("k2", phone="010-2222-3333")
    shop.turns()
    assert [one.key for one in shop.calls.sent if one.case] == ["day/김하나"] * 2
    assert [case["status"] for case in shop.all(t.case)] == ["assigned", "ended"]


def test_a_refused_message_with_a_key_of_its_own_takes_the_other_medium_once(shop):
    shop.open([shop.machine("greet", "message.send", HELLO, key="hello/{{ name }}")])
    shop.calls.answers_to["outbox.send"] = Rejected("no")
    shop.asks()
    shop.turns()
    assert [one.arguments["medium"] for one in shop.calls.sent if one.case] == ["alimtalk", "sms"]
    assert [one["kind"] for one in shop.asked()] == ["fallback"]
