"""Which cases share a run, without Prefect: what the journal says, and where the cursor stands."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from flows.engine.operate import hold, resume
from flows.runs.gather import AT_ONCE, UNDER_LOAD, WINDOW, due, gather
from flows.store import tables as t
from flows.store.write import journal


@pytest.fixture
def seen(shop: Any, shown: Any) -> Any:
    found = shown([shop.machine("log", "ledger.record", {"kind": "apply"}), shop.person("confirm")])
    shop.asks()
    shop.work()
    return found


def _legs(shop: Any) -> list[tuple[str, int]]:
    return sorted((row["run_id"], row["leg"]) for row in shop.all(t.run_case))


def _end_all(seen: Any) -> None:
    with seen.shop.store.write() as session:
        session.execute(update(t.run).values(state="ended", ended_at=seen.house.now()))


def test_what_was_read_once_is_not_read_again(shop: Any, seen: Any) -> None:
    assert gather(seen.house) > 0
    before = _legs(shop)
    assert gather(seen.house) == 0
    assert _legs(shop) == before
    assert len(before) == 1


def test_a_cursor_that_was_lost_shows_nothing_twice(shop: Any, seen: Any) -> None:
    gather(seen.house)
    _end_all(seen)
    before = _legs(shop)
    with shop.store.write() as session:
        session.execute(delete(t.setting).where(t.setting.c.name == "runs_cursor"))
    gather(seen.house)
    assert _legs(shop) == before


@pytest.mark.parametrize("state", ["noted", "retried", "held"])
def test_a_remark_about_a_case_that_stands_still_is_no_run(shop: Any, seen: Any, state: str) -> None:
    gather(seen.house)
    _end_all(seen)
    with shop.store.write() as session:
        journal(session, shop.case(), None, state, seen.house.now())
    gather(seen.house)
    assert len(_legs(shop)) == 1


def test_a_case_that_was_held_and_goes_on_has_a_new_run(shop: Any, seen: Any) -> None:
    gather(seen.house)
    _end_all(seen)
    with shop.store.write() as session:
        hold(session, shop.case()["id"], "han", "later", seen.house.now())
        resume(session, shop.case()["id"], "han", seen.house.now())
    gather(seen.house)
    assert sorted(leg for _, leg in _legs(shop)) == [1, 2]


def test_two_legs_of_a_case_never_share_a_run(shop: Any, seen: Any) -> None:
    shop.does(shop.asked()[0])
    shop.work()
    gather(seen.house)
    assert len({run for run, _ in _legs(shop)}) == 2


def test_a_period_that_a_scheduled_run_shows_itself_is_left_to_it(shop: Any, seen: Any) -> None:
    with shop.store.write() as session:
        session.execute(update(t.case).values(period="2026-11-21"))
    seen.house.claimed.add(("visit", "2026-11-21"))
    gather(seen.house)
    assert not _legs(shop)


@pytest.mark.parametrize(
    ("shown_now", "age", "opens"),
    [
        (0, timedelta(), False),
        (0, WINDOW, True),
        (1, WINDOW, False),
        (1, UNDER_LOAD, True),
        (AT_ONCE, timedelta(hours=1), False),
        (0, timedelta(seconds=-5), True),  # the clock was set back
    ],
)
def test_a_run_opens_when_its_window_is_over_and_there_is_room(
    shop: Any, seen: Any, shown_now: int, age: timedelta, *, opens: bool
) -> None:
    gather(seen.house)
    (gathered,) = shop.all(t.run)
    with shop.store.write() as session:
        session.execute(update(t.run).values(opened_at=seen.house.now() - age))
        for number in range(shown_now):
            row = {**gathered, "id": f"r{number}", "flow_run": f"f{number}"}
            session.execute(t.run.insert().values(row))
    assert due(seen.house) == ([gathered["id"]] if opens else [])
