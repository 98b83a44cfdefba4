"""A day that its source answered only while it could still change is asked for once more, when it can no more."""

from datetime import date, timedelta

import pytest

from flows.ledger.pull.planning import Wish, plan
from flows.ledger.pull.settled import unsettled
from flows.store import tables as t
from flows.store.write import add

TODAY = date(2026, 11, 23)
DAILY = (20, 21, 22)  # what a daily pull of a source asks for that settles in three days


@pytest.fixture
def shop(shop):
    source = {"use": "numbers.readings"}
    shop.files["metrics"] = {
        "metrics": {
            "clicks": {"label": "클릭", "on": "apply", "source": source, "settle_days": 3},
            "cost": {"label": "비용", "on": "apply", "source": source, "settle_days": 3},
        }
    }
    return shop.open()


def answered(shop, *, on, since, until, kind="daily", state="done", metrics='["clicks"]', source="numbers.readings"):
    """A part of a pull at noon of `on`, about days of November 2026."""
    at = shop.moment(f"2026-11-{on:02} 12:00")
    with shop.store.write() as session:
        id = f"{len(shop.all(t.pull))}"
        add(session, t.pull, id=id, kind=kind, state="done", since="x", until="x", begun_at=at)
        add(session, t.pull_part, pull_id=id, source=source, asked=f'{{"metrics": {metrics}}}', state=state,
            since=f"2026-11-{since:02}", until=f"2026-11-{until:02}", ended_at=at)  # fmt: skip


def late(shop, name="clicks"):
    with shop.store.read() as session:
        return sorted(day.day for day in unsettled(session, shop.world.book, TODAY, 400).get(name, ()))


@pytest.mark.parametrize(
    ("pulls", "wanted"),
    [
        ([{"on": 23, "since": 20, "until": 22}], []),  # what can still change is asked for anyway
        ([{"on": 18, "since": 15, "until": 17}], [16, 17]),  # off since the 18th: on the 18th the 15th was settled
        ([{"on": 18, "since": 15, "until": 17}, {"on": 22, "since": 16, "until": 21}], []),
        ([{"on": 18, "since": 15, "until": 17}, {"on": 22, "since": 16, "until": 21, "state": "failed"}], [16, 17]),
        ([{"on": 18, "since": 15, "until": 17}, {"on": 22, "since": 16, "until": 21, "kind": "holes"}], [16, 17]),
        ([{"on": 18, "since": 15, "until": 17}, {"on": 22, "since": 15, "until": 21, "kind": "again"}], [16, 17]),
        ([{"on": 18, "since": 15, "until": 17}, {"on": 22, "since": 1, "until": 22, "kind": "all"}], []),
        ([{"on": 18, "since": 15, "until": 17, "kind": "holes"}], [16, 17]),
        ([{"on": 18, "since": 15, "until": 17, "source": "other.readings"}], []),  # whom it is asked of no more
        ([{"on": 18, "since": 15, "until": 17, "metrics": '["gone", "clicks"]'}], [16, 17]),
        ([{"on": 23, "since": 1, "until": 19}], []),
        ([], []),
    ],
)
def test_a_day_is_asked_for_until_its_source_answered_it_when_it_was_settled(shop, pulls, wanted):
    for pull in pulls:
        answered(shop, **pull)
    assert late(shop) == wanted
    assert late(shop, "cost") == []


def test_a_daily_pull_asks_for_them_and_for_nothing_else_of_before(shop):
    answered(shop, on=18, since=15, until=17)
    now = shop.clock.now()
    with shop.store.read() as session:
        for wish, wanted in ((Wish(), [(20, 22), (16, 17)]), (Wish(since=date(2026, 11, 17)), [(20, 22), (17, 17)])):
            parts = [one for one in plan(session, shop.world.book, shop.world.connection, wish, now)
                     if "clicks" in one.metrics]  # fmt: skip
            found = {day for one in parts for day in range(one.since.day, one.until.day + 1)}
            assert found == {day for first, last in wanted for day in range(first, last + 1)}
        holes = plan(session, shop.world.book, shop.world.connection, Wish("holes"), now)
    assert {one.since for one in holes} == {TODAY - timedelta(days=1)}
