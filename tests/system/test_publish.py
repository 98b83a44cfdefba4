"""Versions and beginnings on a running system, by the real command line: publish, history, start, replay, pin."""

import contextlib
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.playbook.check import check
from tests.system.conftest import COMPANY, SECRET, VARIABLE, Said, Up

Run = Callable[..., Said]
ASK = """\
playbook: order
title: An order is agreed
state: operate
system: revenue
stage: apply
owner: owner
purpose: Every order is agreed by a person.
scenario: {s1: A customer orders}
start: {event: order.paid, connection: orders}
fields:
  email: {type: email, label: email}
  what:  {type: text,  label: what}
  cups:  {type: integer, label: cups, required: no}
case: email
steps:
  - {id: log, do: Write the order down, by: machine, use: ledger.record,
     with: {kind: purchase, note: "{{ what }}"}, by_hand: 1m, serves: [s1], expect: it is written}
  - {id: ask, do: Agree on the price, by: owner, due: 1 business day, form: {price: {type: money, label: price}},
     ends: [{when: ask.price > 100, outcome: lost}], by_hand: 1m, serves: [s1], expect: a price is agreed}
  - {id: tell, do: Tell the owner, by: machine, use: team.notify,
     with: {subject: An order, text: "{{ what }}"}, by_hand: 1m, serves: [s1], expect: the owner knows}
revisions:
  - {revision: 1, on: 2026-11-02, by: han, why: to begin, change: written down}
"""
DAILY = """\
playbook: daily
title: The day begins
state: operate
system: revenue
stage: circle
owner: owner
purpose: The day is noted.
scenario: {s1: The day begins}
start: {schedule: monthly last 23:59}
case: period
steps:
  - {id: tell, do: Tell the owner, by: machine, use: team.notify,
     with: {subject: A day, text: begins}, by_hand: 1m, serves: [s1], expect: the owner knows}
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Up]:
    """A company whose orders a person agrees to, at work."""
    folder = tmp_path / "company"
    folder.mkdir()
    canvas = "stages:\n  apply: {label: Apply}\n"
    for name, text in {"company": COMPANY, "canvas": canvas, "order": ASK, "daily": DAILY}.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    made = Up(tmp_path / "home", folder, {VARIABLE: SECRET})
    yield made.start()
    made.close()


@pytest.fixture
def run(digilog: Run, house: Up) -> Callable[..., str]:
    """A command on this home that must do what it is asked."""

    def ran(*words: object, code: int = 0) -> str:
        said = digilog(*words, "--home", house.home)
        assert said.code == code, said
        assert "Traceback" not in said.errors
        return said.out + said.errors

    return ran


def _asked(house: Up, count: int) -> None:
    house.wait(lambda: house.count("assignment WHERE state = 'open' AND kind = 'step'") == count, f"{count} asked")


def _rewrite(house: Up, old: str, new: str) -> None:
    file = house.playbooks / "order.yaml"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def test_publishing_shows_which_cases_stand_where_and_leaves_them_their_version(house: Up, run: Callable) -> None:
    for id in ("o1", "o2"):
        assert house.order(id) == 202
    _asked(house, 2)
    ((first,),) = house.rows("SELECT hash FROM version WHERE playbook = 'order'")
    house.order("o3")
    _asked(house, 3)
    ((held,),) = house.rows('SELECT id FROM "case" ORDER BY opened_at DESC LIMIT 1')
    run("hold", held, "--reason", "later")

    assert f"order: version {first[:8]}, state operate" in run("publish", "order")
    _rewrite(house, "Agree on the price", "Agree on a fair price")
    _rewrite(house, "revisions:\n", "revisions:\n  - {revision: 2, on: 2026-11-09, by: han, change: a fair price}\n")
    shown = run("publish", "--show")
    assert re.search(rf"order: new version \w{{8}} \(before: {first[:8]}\), state operate", shown)
    assert re.search(rf"{first[:8]} +Agree on the price +2 +go on to their end as they began", shown)
    assert re.search(rf"{first[:8]} +Agree on the price +1 +held until they are resumed", shown)
    assert house.count("audit WHERE what = 'publish' AND subject LIKE 'order@%'") == 1  # it was only shown

    assert "published order" in run("publish")
    assert "nothing new" in run("publish")
    ((second,),) = house.rows("SELECT hash FROM version WHERE playbook = 'order' AND hash <> ?", first)
    assert house.order("o4") == 202
    _asked(house, 4)
    assert sorted(house.rows('SELECT version, count(*) FROM "case" GROUP BY version')) == sorted(
        [(first, 3), (second, 1)]
    )


def test_the_history_keeps_every_versions_text(house: Up, run: Callable) -> None:
    house.order("o1")
    _asked(house, 1)
    run("publish", "order")
    ((first,),) = house.rows("SELECT hash FROM version WHERE playbook = 'order'")
    for number, price in enumerate(("a fair price", "a good price"), 2):
        _rewrite(house, "do: Agree", f"do: Agree {number}")
        _rewrite(
            house, "revisions:\n", f"revisions:\n  - {{revision: {number}, on: 2026-11-09, by: han, change: {price}}}\n"
        )
        run("publish", "order")
    told = run("history", "order")
    assert re.search(rf"{first[:8]} +\d\d-\d\d \d\d:\d\d +\w+ +1: written down +1 +1", told)
    assert re.search(r"\w{8} \(now\) .* 3: a good price +0 +0", told)
    assert told.count("price") == 2
    assert run("history", "order", "--text", first[:8]) == ASK
    changed = run("history", "order", "--diff", first[:8])
    assert "+  - {revision: 3, on: 2026-11-09, by: han, change: a good price}" in changed
    assert "is not one version of this playbook" in run("history", "order", "--text", "zz", code=1)
    assert "did you mean order?" in run("history", "ordr", code=1)


def test_a_text_that_stood_without_a_case_is_kept_and_not_called_published(house: Up, run: Callable) -> None:
    house.wait(lambda: house.count("version WHERE playbook = 'daily'") == 1, "the texts that stand to be kept")
    assert run("history", "daily", "--text", _now(run("history", "daily"))) == DAILY
    assert "which no case has yet: digilog publish daily" in run("history", "daily")
    assert "daily: new version" in run("publish", "--show", "daily")
    assert "published daily" in run("publish", "daily")
    assert "which no case has yet" not in run("history", "daily")
    assert "daily: version" in run("publish", "--show", "daily")


def _now(history: str) -> str:
    found = re.search(r"(\w{8}) \(now\)", history)
    assert found
    return found[1]


def test_a_playbook_that_is_put_back_to_trial_says_what_its_open_cases_do(house: Up, run: Callable) -> None:
    house.order("o1")
    _asked(house, 1)
    _rewrite(house, "state: operate", "state: trial")
    assert "go on; in state trial what would leave goes to a person" in run("publish", "--show")


def test_a_start_by_hand_opens_one_case_and_in_state_complete_at_once(house: Up, run: Callable) -> None:
    refused = run("start", "order", "email=nobody", "tea=green", code=1)
    assert "tea: order asks no such answer" in refused
    assert "it asks: email=... what=..." in refused
    assert house.count('event WHERE name = "hand.started"') == 0
    assert "opened case" in run("start", "order", "email=a@example.com", "what=green tea")
    assert "noted on case" in run("start", "order", "email=a@example.com", "what=black tea")
    _asked(house, 1)

    _rewrite(house, "state: operate", "state: complete")
    house.wait(lambda: "loaded again" in house.log("engine"), "the files to be taken")
    assert house.order("o1") == 202
    house.wait(lambda: house.count('"case" WHERE held IS NOT NULL') == 1, "the case to wait")
    assert "opened case" in run("start", "order", "email=b@example.com", "what=tea")
    _asked(house, 2)
    assert "let go" in run("start", "order", "--waiting")
    _asked(house, 3)
    assert "no case of order waits" in run("start", "order", "--waiting")


def test_a_period_is_started_by_hand_once(house: Up, run: Callable) -> None:
    assert "opened case" in run("start", "daily")
    assert "was started before" in run("start", "daily", code=1)
    assert house.count("\"case\" WHERE playbook = 'daily'") == 1


def test_an_event_in_quarantine_is_replayed_when_it_can_be_acted_on(house: Up, run: Callable) -> None:
    assert house.send("e1", {"mail": "a@example.com", "what": "tea"}) == 202
    house.wait(lambda: house.count("event WHERE state = 'quarantined'") == 1, "the quarantine")
    ((event,),) = house.rows("SELECT id FROM event WHERE state = 'quarantined'")
    assert "email: is missing" in run("replay", event)
    assert house.count("event WHERE state = 'quarantined'") == 1
    _rewrite(house, "{type: email, label: email}", "{type: email, label: email, from: mail}")
    house.wait(lambda: "loaded again" in house.log("engine"), "the files to be taken")
    assert "opened case" in run("replay", event)
    _asked(house, 1)
    assert house.count("event WHERE state = 'quarantined'") == 0


def test_replaying_what_was_done_makes_no_second_case_and_no_second_effect(house: Up, run: Callable) -> None:
    assert house.order("o1") == 202
    _asked(house, 1)
    ((event,),) = house.rows("SELECT id FROM event WHERE name = 'order.paid'")
    ((asked,),) = house.rows("SELECT id FROM assignment WHERE state = 'open'")
    run("work", "done", asked, "price=30", "--as", "han")
    house.wait(lambda: house.ended() == 1, "the case to end")
    before = (house.count("effect"), house.count("exchange"), house.count('"case"'))
    assert "its case stands already" in run("replay", event)
    ((recorded,),) = house.rows("SELECT id FROM event WHERE name = 'exchange.recorded'")
    assert "could end cases begun since" in run("replay", recorded, code=1)
    assert (house.count("effect"), house.count("exchange"), house.count('"case"')) == before
    assert "there is no event 999" in run("replay", 999, code=1)


def test_what_was_erased_after_its_time_is_not_replayed(house: Up, run: Callable) -> None:
    assert house.order("o1") == 202
    _asked(house, 1)
    ((event,),) = house.rows("SELECT id FROM event WHERE name = 'order.paid'")
    house.stop()
    with contextlib.closing(sqlite3.connect(house.home / "digilog.db")) as store:
        store.execute("DELETE FROM private_event")
        store.commit()
    assert "was erased after its time" in run("replay", event, code=1)


@pytest.mark.parametrize(("price", "outcome"), [("30", "done"), ("300", "lost")])
def test_a_real_case_becomes_a_test_without_personal_data(house: Up, run: Callable, price: str, outcome: str) -> None:
    said = {"email": "kim.hana@example.com", "what": "a secret gift for Jimin", "cups": 7777}
    assert house.send("o1", said) == 202
    _asked(house, 1)
    ((case, asked),) = house.rows("SELECT case_id, id FROM assignment WHERE state = 'open'")
    assert "has not ended" in run("pin", case, code=1)
    run("work", "done", asked, f"price={price}", "--as", "han")
    house.wait(lambda: house.count("\"case\" WHERE status = 'ended'") == 1, "the case to end")

    shown = run("pin", case, "--name", "An order is agreed")
    assert "played: it comes out as the case did" in shown
    assert not [word for word in ("kim", "hana", "secret", "Jimin", "7777") if word in shown.partition("expect")[0]]
    written = house.playbooks / "tests" / "order.yaml"
    _rewrite(house, "price > 100", "price < 100")
    refused = run("pin", case, "--write", code=1)
    assert "not written, since today's playbook does otherwise: " in refused
    assert "correct the playbook, or add --anyway" in refused
    assert not written.exists()
    assert "written at the end of" in run("pin", case, "--write", "--anyway")
    written.unlink()
    _rewrite(house, "price < 100", "price > 100")

    run("pin", case, "--write")
    again = run("pin", case, "--name", "the same", "--write")
    assert "written at the end of" in again
    checked = check(house.playbooks)
    assert not checked.problems
    assert [(one.expect.outcome, one.people["ask"].answers) for one in checked.book.tests["order"].cases] == [
        (outcome, {"price": price})
    ] * 2
    told = run("test", "order", "--coverage")
    assert "2 played, 0 came out otherwise" in told
    assert "order: 1 of 2 branches were taken" in told
    never = "true" if outcome == "done" else "false"
    assert re.search(rf"order\.yaml:\d+:\d+ never taken: ask, ends: ask.price > 100 > {never}", told)
