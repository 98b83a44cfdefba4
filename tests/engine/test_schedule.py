"""Periods: each starts once, whoever is first; what was missed starts as the playbook says."""

import pytest

from flows.engine import scheduler
from flows.store import tables as t

WEEK = [f"2026-11-{day}" for day in range(24, 31)] + ["2026-12-01", "2026-12-02", "2026-12-03"]


def begin(shop, schedule="daily 06:30", missed="newest", steps=None, **more):
    start = {"schedule": schedule, "missed": missed}
    shop.open(steps or [shop.person("count")], start=start, case="period", fields=None, stage="circle", **more)
    shop.turns()
    return shop


def periods(shop):
    return [case["period"] for case in shop.all(t.case)]


def test_a_playbook_seen_for_the_first_time_does_not_start_the_past(shop):
    begin(shop)
    assert periods(shop) == []
    shop.at("2026-11-24 06:30")
    assert periods(shop) == []  # so long somebody else may start it
    shop.at("2026-11-24 06:31")
    assert periods(shop) == ["2026-11-24"]


@pytest.mark.parametrize("first", ["scheduler", "other"])
def test_a_period_starts_once_whoever_is_first(shop, first):
    begin(shop)
    shop.clock.set(shop.moment("2026-11-24 06:31"))
    for who in [first, "scheduler", "other", first]:
        if who == "scheduler":
            shop.turns()
        else:
            shop.act(scheduler.start, "visit", "2026-11-24", shop.clock.now())
    shop.restart()
    shop.turns()
    assert periods(shop) == ["2026-11-24"]


@pytest.mark.parametrize(
    ("missed", "at", "started"),
    [
        ("newest", "2026-12-03 10:00", WEEK[-1:]),
        ("all", "2026-12-03 10:00", WEEK),
        ("none", "2026-12-03 10:00", []),
        ("none", "2026-12-03 07:00", WEEK[-1:]),
    ],
)
def test_after_ten_days_off(shop, missed, at, started):
    begin(shop, missed=missed)
    shop.at(at)
    assert periods(shop) == started
    shop.later(hours=1)
    assert periods(shop) == started


def test_all_missed_days_start_though_the_newest_was_started_by_another(shop):
    begin(shop, missed="all")
    shop.clock.set(shop.moment("2026-12-03 06:30:01"))
    shop.act(scheduler.start, "visit", "2026-12-03", shop.clock.now())
    shop.later(hours=1)
    assert sorted(periods(shop)) == WEEK
    shop.later(days=1)
    assert sorted(periods(shop)) == [*WEEK, "2026-12-04"]


@pytest.mark.parametrize(
    ("clock", "at", "days"),
    [
        ("02:30", "2027-03-13 12:00", ["2027-03-13", "2027-03-14", "2027-03-15"]),  # the 14th has no 02:30
        ("01:30", "2027-11-06 12:00", ["2027-11-06", "2027-11-07", "2027-11-08"]),  # the 7th has two of them
    ],
)
def test_a_day_starts_once_where_clocks_are_changed(shop, clock, at, days):
    shop.files["company"] |= {"zone": "America/New_York", "country": "US"}
    begin(shop, schedule=f"daily {clock}", at=at)
    for _ in range(72):
        shop.later(hours=1)
    assert periods(shop) == days


@pytest.mark.parametrize(
    ("schedule", "at", "period", "day"),
    [
        ("weekly wed 09:00", "2026-11-25 09:01", "2026-W48", "2026-11-25"),
        ("monthly last 18:00", "2026-11-30 18:01", "2026-11", "2026-11-30"),
        ("0 8 * * *", "2026-11-24 08:01", "2026-11-24T08:00+09:00", "2026-11-24"),
    ],
)
def test_a_period_has_its_own_day_and_today(shop, schedule, at, period, day):
    """`days_until` counts from the day of the period, whatever its id looks like."""
    note = shop.machine(
        "tell", "team.notify", {"text": "{{ period.date | date }}"}, when="days_until(period.date) == 0"
    )
    begin(shop, schedule=schedule, steps=[note, shop.person("count")])
    shop.at(at)
    assert periods(shop) == [period]
    assert [one["held"] for one in shop.all(t.case)] == [None]
    assert "tell done" in shop.story()
    texts = [one.arguments["text"] for one in shop.calls.sent if one.case]
    assert str(int(day[-2:])) in texts[0]


@pytest.mark.parametrize(("state", "started"), [("design", []), ("trial", WEEK[:1]), ("operate", WEEK[:1])])
def test_a_design_starts_no_period_however_it_is_asked(shop, state, started):
    begin(shop, state=state)
    shop.clock.set(shop.moment("2026-11-24 06:31"))
    shop.act(scheduler.start, "visit", "2026-11-24", shop.clock.now())
    assert periods(shop) == started


def test_the_engine_rests_when_nothing_is_due(shop):
    begin(shop)
    shop.at("2026-11-24 06:31")
    shop.work()
    before = shop.all(t.setting)
    shop.later(minutes=5)
    assert shop.engine.turn() is False
    assert shop.all(t.setting) == before
