"""Times of a case, windows of the day, business time: on real days, in zones that change their clocks."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from flows.playbook.time import Between, Calendar, Duration, Hours, Time

SEOUL, BERLIN, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
HOURS = Hours.parse({"mon-fri": "07:00-22:00", "sat": "09:00-15:00", "sun": "closed"})
STUDIO = Calendar(SEOUL, HOURS, "KR", frozenset({date(2026, 12, 24)}))
CLASS = datetime(2026, 11, 25, 10, tzinfo=SEOUL)
VALUES: dict[str, object] = {
    "assign.class_at": CLASS,
    "day": date(2026, 11, 25),
    "typed": "2026-11-25T10:00:00+09:00",
    "word": "soon",
}


def local(words: str, zone: ZoneInfo = SEOUL) -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("written", "begin", "expected"),
    [
        ("30m", "2026-11-21 21:40", "2026-11-21 22:10"),
        ("2h", "2026-11-21 21:40", "2026-11-21 23:40"),
        ("3d", "2026-11-21 21:40", "2026-11-24 21:40"),
        ("1 business hour", "2026-11-21 21:40", "2026-11-23 08:00"),
        ("2 business hours", "2026-11-20 21:00", "2026-11-21 10:00"),
        ("30 business minutes", "2026-11-23 06:00", "2026-11-23 07:30"),
        ("1 business hour", "2026-11-23 10:00", "2026-11-23 11:00"),
        ("1 business day", "2026-11-20 10:00", "2026-11-21 10:00"),
        ("1 business day", "2026-11-20 20:00", "2026-11-21 15:00"),  # drawn into Saturday's hours
        ("1 business day", "2026-11-21 21:40", "2026-11-23 21:40"),
        ("2 business days", "2026-11-21 08:00", "2026-11-24 08:00"),
        ("today 21:00", "2026-11-21 21:40", "2026-11-21 21:00"),  # past: it is now
        ("tomorrow 09:00", "2026-11-21 21:40", "2026-11-22 09:00"),
        ("2d 10:30", "2026-11-21 21:40", "2026-11-23 10:30"),
        ("next business day 12:00", "2026-11-21 21:40", "2026-11-23 12:00"),
        ("next business day 12:00", "2026-12-23 21:40", "2026-12-26 12:00"),  # own holiday, then Christmas
        ("assign.class_at", "2026-11-21 21:40", "2026-11-25 10:00"),
        ("assign.class_at - 20h", "2026-11-21 21:40", "2026-11-24 14:00"),
        ("assign.class_at + 2h", "2026-11-21 21:40", "2026-11-25 12:00"),
        ("assign.class_at day 09:00", "2026-11-21 21:40", "2026-11-25 09:00"),
        ("typed - 1h", "2026-11-21 21:40", "2026-11-25 09:00"),
        ("day", "2026-11-21 21:40", "2026-11-25 00:00"),
        ("1 business hour", "2026-02-13 21:30", "2026-02-14 09:30"),
        ("1 business hour", "2026-02-14 14:30", "2026-02-19 07:30"),  # Lunar New Year
        ("1 business hour", "2026-02-28 14:30", "2026-03-03 07:30"),  # 1 March is a Sunday: Monday is its substitute
        ("1 business hour", "2026-10-02 21:30", "2026-10-06 07:30"),  # 3 October is a Saturday: Monday too
    ],
)
def test_times_are_counted_as_people_count(written: str, begin: str, expected: str) -> None:
    found = Time.parse(written).resolve(local(begin), VALUES.get, STUDIO)
    assert found == local(expected)
    assert getattr(found, "tzinfo", None) is UTC


def test_a_time_of_what_is_missing_is_none_and_of_a_word_an_error() -> None:
    assert Time.parse("attend.at - 1h").resolve(CLASS, VALUES.get, STUDIO) is None
    assert Time.parse("assign.class_at - 1h").names == {"assign.class_at"}
    with pytest.raises(ValueError, match="word is no time"):
        Time.parse("word").resolve(CLASS, VALUES.get, STUDIO)


@pytest.mark.parametrize(
    ("zone", "begin", "written", "expected"),
    [
        (BERLIN, "2026-03-28 12:00", "tomorrow 02:30", "2026-03-29 01:30+00:00"),  # 02:30 does not exist
        (BERLIN, "2026-10-24 12:00", "tomorrow 02:30", "2026-10-25 00:30+00:00"),  # comes twice: the first
        (BERLIN, "2026-03-28 12:00", "24h", "2026-03-29 11:00+00:00"),
        (BERLIN, "2026-03-28 12:00", "tomorrow 12:00", "2026-03-29 10:00+00:00"),
        (NEW_YORK, "2026-10-31 12:00", "tomorrow 12:00", "2026-11-01 17:00+00:00"),
        (NEW_YORK, "2026-03-07 23:00", "2 business hours", "2026-03-08 06:00+00:00"),
    ],
)
def test_a_change_of_clocks_moves_no_wall_clock(zone: ZoneInfo, begin: str, written: str, expected: str) -> None:
    calendar = Calendar(zone, Hours.parse({"mon-sun": "00:00-24:00"}), "")
    found = Time.parse(written).resolve(local(begin, zone), VALUES.get, calendar)
    assert found == (local(begin, zone).astimezone(UTC) + timedelta(days=1) if written == "24h" else
                     datetime.fromisoformat(expected))  # fmt: skip


@pytest.mark.parametrize("written", ["", "today", "30", "1 hour", "2 busness hours", "9:5", "tomorrow", "x -", "25:00",
                                     "today 25:00", "assign.class_at - 1 hour", "assign.class_at * 2h", "- 1h",
                                     "assign.class_at day 24:30", "A.b", "1w"])  # fmt: skip
def test_what_is_no_time_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        Time.parse(written)


def test_a_time_counts_from_what_a_customer_has() -> None:
    found = Time.parse("party.ends.purchase_membership - 14d")
    assert found.names == {"party.ends.purchase_membership"}


def test_durations() -> None:
    found = {word: Duration.parse(word).delta for word in ("30m", "2h", "3d")}
    assert found == {"30m": timedelta(minutes=30), "2h": timedelta(hours=2), "3d": timedelta(days=3)}
    for wrong in ("30", "h", "2 h", "1.5h", "-2h", "2w", ""):
        with pytest.raises(ValueError, match="no length of time"):
            Duration.parse(wrong)


@pytest.mark.parametrize(
    ("window", "at", "expected"),
    [
        ("09:00-21:00", "2026-11-21 20:59:59", "2026-11-21 20:59:59"),
        ("09:00-21:00", "2026-11-21 21:00:00", "2026-11-22 09:00"),
        ("09:00-21:00", "2026-11-21 08:59:59", "2026-11-21 09:00"),
        ("09:00-21:00", "2026-11-21 09:00", "2026-11-21 09:00"),
        ("09:00-24:00", "2026-11-21 23:59:59", "2026-11-21 23:59:59"),
        ("21:00-06:00", "2026-11-21 23:00", "2026-11-21 23:00"),
        ("21:00-06:00", "2026-11-21 05:59", "2026-11-21 05:59"),
        ("21:00-06:00", "2026-11-21 06:00", "2026-11-21 21:00"),
    ],
)
def test_a_window_is_half_open(window: str, at: str, expected: str) -> None:
    assert Between.parse(window).next(local(at), SEOUL) == local(expected)


def test_a_window_opens_by_the_wall_clock() -> None:
    opens = Between.parse("09:00-21:00").next(local("2026-03-28 22:00", BERLIN), BERLIN)
    assert opens == local("2026-03-29 09:00", BERLIN)


@pytest.mark.parametrize("wrong", ["9 to 21", "09:00", "09:00-09:00", "09:00-25:00", "x-y"])
def test_what_is_no_window_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"is no|never open"):
        Between.parse(wrong)


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ({"mon-fry": "07:00-22:00"}, "'fry' is no day; did you mean fri?"),
        ({"fri-mon": "07:00-22:00"}, "is no row of days"),
        ({"mon-fri": "22:00-07:00"}, "closes before it opens"),
        ({"mon-fri": "07:00-22:00", "fri": "closed"}, "fri is named twice"),
        ({"mon": ["07:00-12:00", "11:00-22:00"]}, "overlap"),
        ({"mon": "closed"}, "never open"),
        ({"mon": "9-5"}, "no time of the day"),
        ({"mon": "open"}, "are no hours"),
        ("always", "written by days"),
    ],
)
def test_hours_are_refused_with_the_reason(written: object, sentence: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the sentence is asked below
        Hours.parse(written)  # type: ignore[arg-type]
    assert sentence in str(refused.value)


def test_a_lunch_break_is_no_business_time() -> None:
    calendar = Calendar(SEOUL, Hours.parse({"mon-fri": ["13:00-18:00", "09:00-12:00"]}), "KR")
    assert calendar.add_business(local("2026-11-23 11:30"), 60) == local("2026-11-23 13:30")
    assert not calendar.is_open(local("2026-11-23 12:00"))
    assert calendar.is_open(local("2026-11-23 13:00"))


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2026-11-23", True), ("2026-11-22", False), ("2026-12-24", False), ("2026-12-25", False),
     ("2026-02-17", False), ("2026-03-02", False), ("2026-09-25", False), ("2027-02-09", False)],
)  # fmt: skip
def test_public_holidays_and_their_substitutes_close_the_company(day: str, expected: bool) -> None:
    assert STUDIO.is_business_day(date.fromisoformat(day)) is expected


MOMENTS = some.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=some.just(UTC))  # noqa: DTZ001
CALENDARS = some.sampled_from([STUDIO, Calendar(BERLIN, HOURS, "DE"), Calendar(NEW_YORK, HOURS, "US")])


@settings(max_examples=150, deadline=None)
@given(CALENDARS, MOMENTS, some.integers(0, 6_000))
def test_added_business_time_measures_the_same(calendar: Calendar, at: datetime, minutes: int) -> None:
    end = calendar.add_business(at, minutes)
    assert end >= at
    assert calendar.business_minutes(at, end) == minutes


@settings(max_examples=100, deadline=None)
@given(CALENDARS, MOMENTS, some.integers(0, 600), some.integers(0, 600))
def test_business_time_adds_up(calendar: Calendar, at: datetime, first: int, second: int) -> None:
    assert calendar.add_business(calendar.add_business(at, first), second) == calendar.add_business(at, first + second)


@settings(max_examples=100, deadline=None)
@given(CALENDARS, MOMENTS, some.integers(1, 5))
def test_business_days_end_on_a_business_day(calendar: Calendar, at: datetime, days: int) -> None:
    end = calendar.add_business_days(at, days).astimezone(calendar.zone)
    assert calendar.is_business_day(end.date())
    assert end.date() > at.astimezone(calendar.zone).date()


@settings(max_examples=100, deadline=None)
@given(CALENDARS, MOMENTS)
def test_the_zone_a_moment_is_written_in_changes_nothing(calendar: Calendar, at: datetime) -> None:
    there = at.astimezone(calendar.zone)
    assert calendar.add_business(at, 90) == calendar.add_business(there, 90)
    assert calendar.is_open(at) is calendar.is_open(there)
    assert Between.parse("09:00-21:00").next(at, calendar.zone) == Between.parse("09:00-21:00").next(
        there, calendar.zone
    )
