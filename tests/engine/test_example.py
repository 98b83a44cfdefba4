"""The example company: all branches of its playbooks are tried, and its playbooks work as one company."""

import shutil
from pathlib import Path

import pytest

from flows.engine import operate, starting
from flows.engine.books import open_book
from flows.engine.coverage import Branch, branches
from flows.engine.simulate import Simulation
from flows.ledger.exchanges import Exchange
from flows.playbook.model import Book
from flows.store import tables as t
from flows.store.write import emit

EXAMPLE = Path(__file__).parents[2] / "playbooks"
BOOKING = '{"이름": "김하나", "연락처": "010-1234-5678", "지점": "합정점", "알게 된 곳": "소개"}'


@pytest.fixture(scope="module")
def book() -> Book:
    return open_book(EXAMPLE)


@pytest.mark.parametrize("name", [path.stem for path in sorted((EXAMPLE / "tests").glob("*.yaml"))])
def test_the_days_of_the_example_company_come_out_right_and_take_every_branch(book, name):
    took: set[Branch] = set()
    for case in book.tests[name].cases:
        simulation = Simulation(book, book.playbooks[name], case)
        assert simulation.play() == [], case.name
        took |= simulation.taken
    assert not [one for one in branches(book.playbooks[name]) if one not in took]


def test_a_day_that_is_tried_leaves_nothing_where_one_stands(book, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for case in book.tests["daily-metrics"].cases:
        assert Simulation(book, book.playbooks["daily-metrics"], case).play() == []
    assert list(tmp_path.iterdir()) == []


def test_every_playbook_of_the_example_company_has_its_days(book):
    assert book.tests.keys() == book.playbooks.keys()
    assert sum(len(tests.cases) for tests in book.tests.values()) >= 25


def test_a_branch_that_no_test_took_is_told(book):
    first, *_ = book.tests["letter-subscribe"].cases
    simulation = Simulation(book, book.playbooks["letter-subscribe"], first)
    simulation.play()
    left = {(one.asks, one.way) for one in branches(simulation.playbook) if one not in simulation.taken}
    assert left == {
        ("stop: leave", "stops a case"), ("welcome, fallback", "a person does it"),
        ("heard, or", "the time came first"),
        ("call, when: not heard.happened", "true"), ("call, ends: not call.well", "true"),
        ("call, ends: not call.well", "false"),
    }  # fmt: skip


@pytest.fixture
def studio(shop):
    """The example company on a virtual clock, Monday morning."""
    shutil.copytree(EXAMPLE, shop.folder, dirs_exist_ok=True)
    shop.files = {}
    shop.open()
    shop.calls.answers_to |= {"outbox.send": {}, "roster.upsert_row": {}}
    return shop


def _books(studio, came):
    with studio.store.write() as session:
        emit(session, "trial-form", "k1", "form.submitted", studio.clock.now(), BOOKING.encode())
    studio.turns()
    ticked = {"class_at": "2026-11-25 10:00", "instructor": "so", "checklist": ["0", "1", "2"]}
    assert not studio.does(studio.asked(step="assign")[0], ticked)
    studio.at("2026-11-25 10:10")
    studio.does(studio.asked(step="attend")[0], {"attended": came}, "so")


def test_who_did_not_come_is_called_by_the_next_playbook(studio):
    _books(studio, "no")
    case = studio.case()
    assert (case["playbook"], case["status"]) == ("trial-no-show", "assigned")
    assert [one["due_at"] for one in studio.asked(step="call")] == [studio.moment("2026-11-26 12:00")]
    assert not studio.all(t.case, t.case.c.playbook == "after-trial")


def test_who_came_is_consulted_when_somebody_lets_the_case_go_with_the_same_instructor(studio):
    _books(studio, "yes")
    case = studio.case()
    assert (case["playbook"], case["held"]) == ("after-trial", "waits to be let go (state complete)")
    assert studio.asked(step="memo") == []
    assert studio.act(starting.let_go, "after-trial", "han", studio.clock.now()) == [case["id"]]
    assert [one["person"] for one in studio.asked(step="memo")] == ["so"]


@pytest.mark.parametrize(
    ("buys", "reasons"),
    [
        (False, {("offer", "blocked", "adverts are not sent: there is no gate for them yet")}),
        (True, {(None, "stopped", "stop: purchase_membership")}),
    ],
)
def test_the_offer_is_held_back_without_a_gate_and_never_due_after_a_purchase(studio, buys, reasons):
    _rename_state(studio, "operate")
    bought = Exchange(kind="purchase_membership", until=studio.moment("2026-12-08").date(), quantity=30)
    studio.act(operate.record_by_hand, studio.world, "010-1234-5678", bought, "yoon")
    for day in ("2026-11-24 10:02", "2026-11-26 10:02"):
        studio.at(day)
    if buys:
        again = Exchange(kind="purchase_membership", until=studio.moment("2027-03-08").date())
        studio.act(operate.record_by_hand, studio.world, "010-1234-5678", again, "yoon")
    for day in ("2026-11-27 10:02", "2026-12-12 10:02"):
        studio.at(day)
    (case,) = studio.all(t.case, t.case.c.playbook == "expiry-renewal")
    said = {
        (line["step"], line["state"], line["reason"])
        for line in studio.all(t.journal, t.journal.c.case_id == case["id"])
        if line["state"] in {"blocked", "stopped"}
    }
    assert (said, case["outcome"]) == (reasons, "won" if buys else "done")
    sent = [one["message"] for one in studio.effects() if one["state"] == "done" and one["message"]]
    assert sent == ["expiry_notice"]


def _rename_state(studio, state):
    file = studio.folder / "expiry-renewal.yaml"
    file.write_text(file.read_text("utf-8").replace("state: design", f"state: {state}"), "utf-8")
    studio.load()
