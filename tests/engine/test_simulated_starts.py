"""Tests of playbooks that no form begins: who is known before, what another playbook knew, and what comes meanwhile."""

from datetime import timedelta

import pytest
from pydantic import TypeAdapter

from connectors.errors import Uncertain
from flows.engine import operate, pinning
from flows.engine.simulate import Simulation
from flows.ledger.exchanges import Exchange, record
from flows.people.assignments import skip
from flows.playbook.model import TestCase
from flows.store import tables as t
from flows.store.write import add
from tests.engine.test_beginnings import CAME, FROM_ASK, PARTY

HELLO = {"message": "hello", "values": {"name": "{{ party.name }}"}}
OFFER = {"message": "offer"}
MEMBER = {"kind": "purchase_card", "at": "2026-11-01 10:00"}
EACH = {"schedule": "daily 10:00", "each": "party", "where": "days_until(party.ends.purchase) == 14"}
PARTIES = {
    "near": {"name": "김하나", "phone": "010-1111-2222", "exchanges": [{**MEMBER, "until": "2026-12-07"}]},
    "far": {"name": "이두리", "phone": "010-3333-4444", "exchanges": [{**MEMBER, "until": "2026-12-08"}]},
    "never": {"name": "박세미", "phone": "010-5555-6666"},
}


def play(shop, name, **test):
    shop.write_files()
    shop.open()
    case = TypeAdapter(TestCase).validate_python({"name": "그날", "clock": "2026-11-23 10:00", **test})
    return Simulation(shop.world.book, shop.world.book.playbooks[name], case).play()


@pytest.mark.parametrize(
    ("events", "expect"),
    [
        ([], {"outcome": "done", "blocked": ["offer", "offer"], "parties": ["near", "far"]}),
        ([{"at": "2026-11-24 09:00", "exchange": "purchase_card", "party": "near"}],
         {"outcome": "won", "parties": ["near"], "exchanges": ["purchase_card"], "sent": ["hello"], "blocked": []}),
        ([{"at": "2026-11-25 09:00", "withdraws": "ad", "party": "far"}],
         {"outcome": "lost", "blocked": ["offer"], "steps": {"notice": "done", "pause": "done"}}),
        ([{"at": "2026-11-25 09:00", "withdraws": "info", "party": "near"}], {"blocked": ["offer", "offer"]}),
        ([{"at": "2026-11-24 11:00", "exchange": "purchase_card", "party": "far"}],
         {"outcome": "won", "parties": ["near", "far"], "blocked": ["offer"]}),
    ],
)  # fmt: skip
def test_a_day_of_each_customer_plays_on_the_right_ones(shop, events, expect):
    steps = [shop.machine("notice", "message.send", HELLO), {"id": "pause", "do": "기다린다", "wait": "3d"},
             shop.machine("offer", "message.send", OFFER)]  # fmt: skip
    stop = [{"exchange": ["purchase"], "outcome": "won"}, {"consent": "withdrawn", "purpose": "ad", "outcome": "lost"}]
    shop.write(steps, name="renewal", state="design", start=EACH, stop=stop, **PARTY)
    assert play(shop, "renewal", parties=PARTIES, events=events, expect=expect) == []


def test_what_came_out_otherwise_is_said(shop):
    shop.write([shop.person("call")], name="renewal", state="design", start=EACH, **PARTY)
    said = play(shop, "renewal", parties=PARTIES, expect={"parties": ["far"]})
    assert said == ["parties: expected far, came out near, far"]


@pytest.mark.parametrize(("came", "cases"), [("no", 1), ("yes", 0)])
def test_a_start_by_a_step_is_told_what_the_other_case_knew(shop, came, cases):
    shop.write([shop.person("ask", form=CAME)])
    told = shop.person("call", {"role": "instructor", "who": "host"})
    start = {"step": "visit.ask", "where": "not ask.came"}
    shop.write([told], name="after", start=start, **{**PARTY, "fields": FROM_ASK})
    expect = {"cases": cases, "assignments": [{"step": "call", "person": "so"}]} if cases else {"cases": 0}
    assert play(shop, "after", start={"ask.came": came, "ask.host": "so"}, expect=expect) == []


@pytest.mark.parametrize("start", [{"exchange": "visit"}, {"stage": "experience"}])
def test_a_start_about_a_customer_begins_with_somebody(shop, start):
    shop.write([shop.machine("hi", "message.send", HELLO)], name="after", start=start, **PARTY)
    assert play(shop, "after", expect={"cases": 1, "sent": ["hello"], "outcome": "done"}) == []


def test_a_test_plays_its_playbook_alone(shop):
    shop.write([shop.machine("note", "ledger.record", {"kind": "visit_trial"})])
    shop.write([shop.machine("hi", "message.send", HELLO)], name="after", start={"exchange": "visit"}, **PARTY)
    start = {"name": "김하나", "phone": "010-1234-5678"}
    assert play(shop, "visit", start=start, expect={"sent": [], "outcome": "done", "cases": 1}) == []


@pytest.mark.parametrize(("sender", "step"), [("010-1234-5678", "thank"), ("010-9999-9999", "call")])
def test_what_comes_meanwhile_ends_a_wait(shop, sender, step):
    shop.connect("replies", connector="webhook", party="from")
    pause = {
        "id": "pause",
        "do": "기다린다",
        "wait": "2d",
        "or": {"event": "webhook.received", "connection": "replies"},
    }
    shop.write([pause, shop.person("thank", when="pause.happened"), shop.person("call", when="not pause.happened")])
    event = {"at": "2026-11-24 09:00", "event": "webhook.received", "connection": "replies", "body": {"from": sender}}
    test = {"start": {"name": "김하나", "phone": "010-1234-5678"}, "events": [event]}
    assert play(shop, "visit", **test, expect={"assignments": [{"step": step}], "cases": 1}) == []


def test_a_case_with_a_skipped_step_and_a_consent_taken_back_becomes_a_test_that_comes_out_the_same(shop):
    pause = {"id": "pause", "do": "기다린다", "wait": "3d"}
    stop = [{"consent": "withdrawn", "purpose": "ad", "outcome": "lost"}]
    shop.open([shop.person("call"), pause, shop.person("visit")], stop=stop)
    shop.asks()
    shop.turns()
    shop.later(hours=1)
    case = shop.case()
    shop.act(
        skip,
        shop.world.book.playbooks["visit"],
        shop.asked()[0]["id"],
        "yoon",
        "김하나 is on holiday",
        shop.clock.now(),
    )
    shop.later(hours=1)
    with shop.store.write() as session:
        for given in (True, False):
            facts = {"purpose": "ad", "given": given, "at": shop.clock.now(), "wording": "광고"}
            add(session, t.consent, party_id=case["party_id"], **facts)
    shop.later(days=4)
    with shop.store.read() as session:
        _, written, left = pinning.pin(session, shop.world, case["id"], None)
    assert (left, shop.case()["outcome"]) == ([], "lost")
    assert (written["people"]["call"]["skipped"], "김하나" in pinning.as_yaml(written)) == ("as it was", False)
    assert [one["withdraws"] for one in written["events"]] == ["ad"]
    assert Simulation(shop.world.book, shop.world.book.playbooks["visit"], pinning.test_of(written)).play() == []
    written["people"]["call"].pop("skipped")
    assert Simulation(shop.world.book, shop.world.book.playbooks["visit"], pinning.test_of(written)).play() != []


def pinned(shop):
    """The newest case as a test, and what a test cannot hold."""
    with shop.store.read() as session:
        _, written, left = pinning.pin(session, shop.world, shop.case()["id"], None)
    return written, left


def plays(shop, written):
    return Simulation(shop.world.book, shop.world.book.playbooks["visit"], pinning.test_of(written)).play()


@pytest.mark.parametrize("happened", [True, False])
def test_a_doubt_that_a_person_settled_is_in_the_test_of_its_case(shop, till, happened):
    shop.connect("till", connector="till")
    price = {"price": {"type": "integer", "label": "가격"}}
    ends = [{"when": "shout.price > 100", "outcome": "lost"}] if not happened else []
    shout = shop.machine(
        "shout", "till.shout", {"what": "{{ name }}"}, fallback={"by": "manager", "do": "부른다", "form": price}
    )
    shop.open([shout, shop.person("call", ends=ends) if ends else shop.person("call")])
    till.faults = [Uncertain("the answer was lost")]
    shop.asks()
    shop.turns()
    (asked,) = shop.asked(kind="doubt")
    shop.later(hours=1)
    shop.does(asked, {"happened": "yes" if happened else "no"})
    if not happened:
        shop.later(hours=1)
        shop.does(shop.asked(kind="fallback")[0], {"price": "300"})
    shop.later(hours=1)
    shop.does(shop.asked(step="call")[0])
    written, left = pinned(shop)
    assert (left, written["connections"]) == ([], {"till.shout": "uncertain"})
    assert written["people"]["shout"]["answers"] == ({"happened": "yes"} if happened else
                                                     {"happened": "no", "price": "300"})  # fmt: skip
    assert plays(shop, written) == []
    pinning.append(shop.folder / "tests" / "visit.yaml", pinning.as_yaml(written))
    shop.load()  # the file checks
    written["people"]["shout"]["answers"]["happened"] = "no" if happened else "yes"
    assert plays(shop, written) != []


def test_what_a_test_cannot_hold_is_said(shop):
    shop.open([shop.person("call")])
    shop.asks()
    shop.turns()
    first = shop.asked()[0]
    shop.act(operate.hold, shop.case()["id"], "yoon", "later", shop.clock.now())
    shop.act(operate.resume, shop.case()["id"], "yoon", shop.clock.now())
    with shop.store.write() as session:
        party, at = shop.case()["party_id"], shop.clock.now() - timedelta(days=3)
        record(session, shop.world.book, party, Exchange(kind="apply"), at, by="yoon", system="hand", reference="r1")
    shop.turns()
    shop.does(first)
    _, left = pinned(shop)
    assert left == [
        "somebody held the case or let a step be tried again",
        "what the customer did before the case; where it matters, write it under parties:",
    ]


def test_a_test_cannot_skip_what_nobody_may_skip(shop):
    shop.write([shop.person("ask", form={"price": {"type": "integer", "label": "가격"}})])
    skips = {"ask": {"at": "2026-11-23 11:00", "skipped": "no time"}}
    assert play(shop, "visit", start={"name": "김하나", "phone": "010-1111-2222"}, people=skips,
                expect={"refused": "ask"}) == []  # fmt: skip


VIEWS = {"label": "조회", "on": "apply", "source": {"use": "numbers.readings"}, "absent_day": "zero"}


@pytest.mark.parametrize(
    ("says", "value"),
    [
        ([{"day": "2026-11-22", "metric": "views", "value": "7.5"}], "7.5"),
        ([], "0"),  # it answers, and leaves the day out
        ("unavailable", "missing"),
        ("rejected", "missing"),
        ([{"day": "2026-11-22", "metric": "views"}], "missing"),
    ],
)
def test_a_source_of_numbers_says_what_the_test_says(shop, says, value):
    shop.files["metrics"] = {"metrics": {"views": VIEWS}}
    start = {"schedule": "daily 06:30"}
    shop.write([shop.machine("pull", "metrics.pull")], name="daily", start=start, case="period", fields=None,
               stage="circle")  # fmt: skip
    test = {"connections": {"numbers.readings": says}, "expect": {"outcome": "done", "readings": {"views": value}}}
    assert play(shop, "daily", clock="2026-11-23 06:30", **test) == []
