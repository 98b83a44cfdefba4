"""Starts beside forms and clocks: an exchange, a stage, a step of another playbook, each customer of a day, a hand."""

import pytest

from flows.engine import operate
from flows.engine.own import start_by_hand
from flows.ledger.exchanges import Exchange
from flows.ledger.exchanges import record as write_down
from flows.store import tables as t
from flows.store.write import emit

CAME = {
    "came": {"type": "yesno", "label": "오셨나요"},
    "host": {"type": "person", "role": "instructor", "label": "강사"},
}
PARTY = {"fields": None, "case": "party"}
FROM_ASK = {"host": {"type": "person", "role": "instructor", "label": "강사", "from": "ask.host"}}


def record(shop, kind, party="010-1234-5678", **more):
    return shop.act(operate.record_by_hand, shop.world, party, Exchange(kind=kind, **more), "yoon")


def opened(shop, playbook="after"):
    return [case for case in shop.all(t.case) if case["playbook"] == playbook]


@pytest.mark.parametrize(
    ("start", "kind", "count"),
    [
        ({"exchange": "visit_trial"}, "visit_trial", 1),
        ({"exchange": "visit"}, "visit_trial", 1),  # a family covers its kinds
        ({"exchange": "visit_trial"}, "purchase_card", 0),
        ({"exchange": "visit_trial", "where": "party.has.visit > 1"}, "visit_trial", 0),
        ({"stage": "experience"}, "visit_trial", 1),
        ({"stage": "experience"}, "apply", 0),
        ({"stage": "experience"}, "purchase_card", 0),  # beyond it: never reached
    ],
)
def test_an_exchange_or_a_stage_that_is_reached_opens_a_case_of_its_customer(shop, start, kind, count):
    shop.write([shop.person("call")], name="after", start=start, **PARTY)
    shop.open()
    record(shop, kind)
    assert len(opened(shop)) == count
    if count:
        assert opened(shop)[0]["party_id"] == shop.all(t.exchange)[0]["party_id"]


def test_a_stage_is_reached_once(shop):
    shop.write([shop.person("call")], name="after", start={"stage": "experience"}, overlap="parallel", **PARTY)
    shop.open()
    for kind in ("apply", "visit_trial", "visit_trial", "apply"):
        record(shop, kind)
        shop.later(minutes=1)
    assert len(opened(shop)) == 1


def test_a_playbook_never_starts_itself_by_what_it_records(shop):
    again = [shop.machine("note", "ledger.record", {"kind": "visit_trial"})]
    shop.write(again, name="after", start={"exchange": "visit_trial"}, overlap="parallel", **PARTY)
    shop.open()
    record(shop, "visit_trial")
    assert [len(opened(shop)), len(shop.all(t.exchange))] == [1, 2]


def test_a_correction_starts_nothing(shop):
    shop.write([shop.person("call")], name="after", start={"exchange": "visit"}, overlap="parallel", **PARTY)
    shop.open()
    record(shop, "visit_trial")
    with shop.store.write() as session:
        first = shop.all(t.exchange)[0]
        write_down(session, shop.world.book, first["party_id"], Exchange(kind="visit_trial"), shop.clock.now(),
                   by="yoon", system="hand", reference="void", voids=first["id"])  # fmt: skip
    shop.work()
    assert len(opened(shop)) == 1


@pytest.mark.parametrize(("came", "count"), [("no", 1), ("yes", 0)])
def test_a_step_of_another_playbook_opens_a_case_with_what_was_answered_there(shop, came, count):
    shop.write([shop.person("ask", form=CAME)])
    start = {"step": "visit.ask", "where": "not ask.came and name == '김하나'"}
    told = shop.person("call", {"role": "instructor", "who": "host"})
    shop.write([told], name="after", start=start, **{**PARTY, "fields": FROM_ASK})
    shop.open()
    shop.asks()
    shop.turns()
    shop.does(shop.asked()[0], {"came": came, "host": "so"})
    assert len(opened(shop)) == count
    if count:
        (asked,) = shop.asked()
        assert (asked["playbook"], asked["person"]) == ("after", "so")
        assert opened(shop)[0]["party_id"] == shop.all(t.case)[0]["party_id"]


def test_what_another_case_knew_comes_with_an_exchange_that_it_records(shop):
    shop.write([shop.person("ask", form=CAME), shop.machine("note", "ledger.record", {"kind": "visit_trial"})])
    fields = {**FROM_ASK, "kind": {"type": "text", "label": "무엇", "from": "exchange.kind"}}
    told = shop.person("call", {"role": "instructor", "who": "host"}, when="kind == 'visit_trial'")
    shop.write([told], name="after", start={"exchange": "visit"}, **{**PARTY, "fields": fields})
    shop.open()
    shop.asks()
    shop.turns()
    shop.does(shop.asked()[0], {"came": "yes", "host": "so"})
    assert [one["person"] for one in shop.asked()] == ["so"]


def test_what_must_come_with_an_exchange_and_did_not_is_shown_to_a_person(shop):
    shop.write([shop.person("ask", form=CAME)])
    shop.write([shop.person("call")], name="after", start={"exchange": "visit"}, **{**PARTY, "fields": FROM_ASK})
    shop.open()
    record(shop, "visit_trial")
    (event,) = [one for one in shop.all(t.event) if one["name"] == "exchange.recorded"]
    assert (event["state"], event["reason"], opened(shop)) == ("quarantined", "host: is missing", [])


EACH = {"schedule": "daily 10:00", "each": "party", "where": "days_until(party.ends.purchase) == 14"}


def test_a_day_opens_a_case_for_each_customer_that_it_is_about_once(shop):
    shop.write([shop.person("call")], name="after", start=EACH, overlap="parallel", **PARTY)
    shop.open()
    for number, until in enumerate(("2026-12-08", "2026-12-08", "2026-12-09", None)):
        record(shop, "purchase_card", f"010-1111-000{number}", until=until)
    for at in ("2026-11-24 10:02", "2026-11-24 18:00", "2026-11-25 10:02"):
        shop.at(at)
    parties = [one["party_id"] for one in shop.all(t.exchange)]
    first, second, third = ((case["party_id"], case["period"]) for case in opened(shop))
    assert {first, second} == {(parties[0], "2026-11-24"), (parties[1], "2026-11-24")}
    assert third == (parties[2], "2026-11-25")


def test_days_are_counted_from_the_period_not_from_when_it_is_made_good(shop):
    shop.write([shop.person("call")], name="after", start={**EACH, "missed": "all"}, **PARTY)
    shop.open()
    record(shop, "purchase_card", until="2026-12-08")
    shop.at("2026-11-26 12:00")
    assert [case["period"] for case in opened(shop)] == ["2026-11-24"]


@pytest.mark.parametrize(("state", "held"), [("operate", None), ("complete", "waits to be let go (state complete)")])
def test_a_person_starts_a_playbook_with_its_form(shop, state, held):
    shop.open([shop.person("call")], state=state, start={"hand": "manager"})
    book = shop.world.book
    refused = shop.act(start_by_hand, book, book.playbooks["visit"], {"name": "김하나", "phone": "x"}, "yoon",
                       shop.clock.now())  # fmt: skip
    assert ([one.field for one in refused], shop.all(t.case)) == (["phone"], [])
    good = {"name": "김하나", "phone": "010-1234-5678"}
    shop.act(start_by_hand, book, book.playbooks["visit"], good, "yoon", shop.clock.now())
    assert (shop.case()["held"], len(shop.asked())) == (held, held is None)
    assert shop.all(t.audit)[-1]["who"] == "yoon"


@pytest.mark.parametrize("start", [{"exchange": "visit"}, {"stage": "experience"}, {"hand": "manager"}])
def test_nothing_starts_a_design(shop, start):
    fields = {} if "hand" in start else PARTY
    shop.write([shop.person("call")], name="after", state="design", start=start, **fields)
    shop.open()
    record(shop, "visit_trial")
    assert opened(shop) == []


def test_an_event_from_outside_cannot_pass_for_one_of_ours(shop):
    shop.write([shop.person("call")], name="after", start={"step": "visit.ask"}, **PARTY)
    shop.open([shop.person("ask")])
    with shop.store.write() as session:
        for name in ("step.done", "hand.started", "schedule.due"):
            emit(session, "form", name, name, shop.clock.now(), b'{"playbook": "after"}')
    shop.work()
    assert shop.all(t.case) == []
    assert {event["state"] for event in shop.all(t.event)} == {"quarantined"}
