"""A period is due once, whatever the clocks do."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from flows.playbook.time import Schedule

SEOUL = ZoneInfo("Asia/Seoul")
ZONES = [SEOUL, ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")]
LINES = ["daily 06:30", "daily 02:30", "weekly mon 09:00", "weekly sun 02:30", "monthly last 18:00", "monthly 5 09:00",
         "30 2 * * *", "0 9 * * 1-5", "15 */6 * * *"]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "cron", "period", "latest", "after"),
    [
        ("daily 06:30", "30 6 * * *", "2026-11-21", "2026-11-21 06:30", "2026-11-22 06:30"),
        ("daily 22:00", "0 22 * * *", "2026-11-21", "2026-11-20 22:00", "2026-11-21 22:00"),
        ("weekly mon 09:00", "0 9 * * MON", "2026-W47", "2026-11-16 09:00", "2026-11-23 09:00"),
        ("weekly sat 22:00", "0 22 * * SAT", "2026-W47", "2026-11-14 22:00", "2026-11-21 22:00"),
        ("monthly last 18:00", "0 18 L * *", "2026-11", "2026-10-31 18:00", "2026-11-30 18:00"),
        ("monthly 5 09:00", "0 9 5 * *", "2026-11", "2026-11-05 09:00", "2026-12-05 09:00"),
        ("0 9 * * 1-5", "0 9 * * 1-5", "2026-11-20T09:00+09:00", "2026-11-20 09:00", "2026-11-23 09:00"),
        ("40 21 * * *", "40 21 * * *", "2026-11-21T21:40+09:00", "2026-11-21 21:40", "2026-11-22 21:40"),
    ],
)
def test_schedules_say_their_periods(written: str, cron: str, period: str, latest: str, after: str) -> None:
    at = datetime(2026, 11, 21, 21, 40, tzinfo=SEOUL)
    schedule = Schedule.parse(written)
    assert (schedule.cron, schedule.period(at, SEOUL)) == (cron, period)
    assert schedule.latest(at, SEOUL)[1] == datetime.fromisoformat(latest).replace(tzinfo=SEOUL)
    assert schedule.after(at, SEOUL)[1] == datetime.fromisoformat(after).replace(tzinfo=SEOUL)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_periods_follow_each_other_once_over_a_year_of_clock_changes(line: str, zone: ZoneInfo) -> None:
    schedule = Schedule.parse(line)
    at, seen = datetime(2026, 1, 1, tzinfo=UTC), set[str]()
    while at < datetime(2026, 12, 1, tzinfo=UTC):
        period, due = schedule.after(at, zone)
        assert due > at
        assert due.tzinfo is UTC
        assert period not in seen
        # what was announced is what is found when the time has come, and until the next one
        assert schedule.latest(due, zone) == (period, due)
        following = schedule.after(due, zone)[1]
        assert schedule.latest(following - timedelta(seconds=1), zone) == (period, due)
        seen.add(period)
        at = due
    if line.startswith("daily"):
        assert len(seen) in {334, 335}


@pytest.mark.parametrize(
    ("line", "period", "day", "previous"),
    [
        ("daily 06:30", "2026-11-21", date(2026, 11, 21), date(2026, 11, 20)),
        ("weekly sat 09:00", "2026-W47", date(2026, 11, 21), date(2026, 11, 15)),
        ("weekly mon 09:00", "2026-W01", date(2025, 12, 29), date(2025, 12, 28)),
        ("monthly last 18:00", "2026-02", date(2026, 2, 28), date(2026, 1, 31)),
        ("monthly 5 18:00", "2026-01", date(2026, 1, 5), date(2025, 12, 31)),
        ("0 9 * * *", "2026-11-20T09:00+09:00", date(2026, 11, 20), date(2026, 11, 19)),
    ],
)
def test_a_period_has_a_day_and_the_end_of_the_period_before(line: str, period: str, day: date, previous: date) -> None:
    assert (Schedule.parse(line).date_of(period), Schedule.parse(line).previous(period)) == (day, previous)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("daily 6.30", "no time of the day"),
        ("daily 24:00", "no time of the day"),
        ("daily", "is no schedule"),
        ("hourly 10", "is no schedule"),
        ("", "is no schedule"),
        ("weekly mun 09:00", "did you mean"),
        ("monthly 31 09:00", "not every month has a day 31"),
        ("0 9 30 2 *", "no cron line"),
        ("61 9 * * *", "no cron line"),
        ("a b c d e", "no cron line"),
        ("0 0 9 * * *", "is no schedule"),
    ],
)
def test_what_is_no_schedule_is_refused(line: str, sentence: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the sentence is asked below
        Schedule.parse(line)
    assert sentence in str(refused.value)
