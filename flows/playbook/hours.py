"""When the company is open, and business time counted in it."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, Self
from zoneinfo import ZoneInfo

import holidays
from holidays.registry import EntityLoader

from flows.playbook.problem import Misplaced, nearest

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)|24:00")
_FAR = 400  # days looked ahead for an open one; a company closed longer has no business time
Window = tuple[int, int]  # minutes of the day, half-open


def minutes_of(clock: str) -> int:
    """Minutes since midnight of `07:00`; `24:00` is the day's end. Raise ValueError."""
    clock = clock.strip()
    found = _CLOCK.fullmatch(clock)
    if not found:
        raise ValueError(f"{clock!r} is no time of the day; write it as 09:30")
    return 24 * 60 if clock == "24:00" else int(found[1]) * 60 + int(found[2])


def at_clock(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """UTC of a wall clock time; one that a change of clocks leaves out lies after the gap."""
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)  # noqa: DTZ001 - the zone comes next
    return wall.replace(tzinfo=zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Hours:
    """The open windows of each weekday, Monday first."""

    week: tuple[tuple[Window, ...], ...]

    @classmethod
    def parse(cls, written: "Mapping[str, Any] | Self") -> Self:
        """From `{mon-fri: 07:00-22:00, sat: [09:00-12:00, 13:00-15:00], sun: closed}`; raise ValueError."""
        if isinstance(written, cls):
            return written
        if not isinstance(written, Mapping):
            raise ValueError("hours are written by days, as {mon-fri: 09:00-18:00, sun: closed}")  # noqa: TRY004
        week: dict[int, tuple[Window, ...]] = {}
        for days, hours in written.items():
            try:
                for weekday in _weekdays(str(days)):
                    if weekday in week:
                        raise Misplaced((days,), f"{DAYS[weekday]} is named twice")
                    week[weekday] = _windows(hours)
            except ValueError as error:
                raise Misplaced((days,), str(error)) from None
        if not any(week.values()):
            raise ValueError("the company is never open; name at least one day with hours")
        return cls(tuple(week.get(weekday, ()) for weekday in range(7)))


def _weekdays(written: str) -> list[int]:
    found: list[int] = []
    for part in written.split(","):
        names = [name.strip() for name in part.split("-")]
        for name in names:
            if name not in DAYS:
                raise ValueError(f"{name!r} is no day{nearest(name, DAYS)}")
        first, last = DAYS.index(names[0]), DAYS.index(names[-1])
        if len(names) > 2 or last < first:
            raise ValueError(f"{part.strip()!r} is no row of days; write it as mon-fri")
        found += range(first, last + 1)
    return found


def _windows(written: object) -> tuple[Window, ...]:
    if written == "closed":
        return ()
    parts = [str(part) for part in written] if isinstance(written, list) else str(written).split(",")
    windows: list[Window] = []
    for part in parts:
        opens, dash, closes = part.partition("-")
        if not dash:
            raise ValueError(f"{part.strip()!r} are no hours; write them as 09:00-18:00, or closed")
        window = (minutes_of(opens), minutes_of(closes))
        if window[0] >= window[1]:
            raise ValueError(f"{part.strip()!r} closes before it opens; hours past midnight belong to the next day")
        windows.append(window)
    windows.sort()
    if any(after[0] < before[1] for before, after in pairwise(windows)):
        raise ValueError("these hours overlap")
    return tuple(windows)


def knows_holidays(country: str) -> bool:
    """By a list of names: to look at one country loads all of them, 8 MB in 70 ms, which no start should wait for."""
    return country in EntityLoader.get_country_codes()


@lru_cache(maxsize=64)
def public_holidays(country: str, year: int) -> frozenset[date]:
    """Public holidays of a known country, with their substitutes."""
    return frozenset(holidays.country_holidays(country, years=year))


@dataclass(frozen=True, slots=True)
class Calendar:
    """The company's open hours on real days. Moments come in aware and go out in UTC."""

    zone: ZoneInfo
    hours: Hours
    country: str = "KR"  # empty: no public holidays
    extra: frozenset[date] = frozenset()

    def windows(self, day: date) -> tuple[Window, ...]:
        if day in self.extra or (self.country and day in public_holidays(self.country, day.year)):
            return ()
        return self.hours.week[day.weekday()]

    def is_business_day(self, day: date) -> bool:
        return bool(self.windows(day))

    def is_open(self, at: datetime) -> bool:
        return any(opens <= at < closes for opens, closes in self._spans(self._day(at)))

    def add_business(self, at: datetime, minutes: float) -> datetime:
        """The moment by which the company was open for so many minutes after `at`."""
        at = at.astimezone(UTC)  # sums of local times would ignore a change of clocks
        left = timedelta(minutes=minutes)
        for opens, closes in self._ahead(at):
            begin = max(opens, at)
            if closes - begin >= left:
                return begin + left
            left -= max(closes - begin, timedelta())
        raise AssertionError("windows ahead never end")

    def business_minutes(self, begin: datetime, end: datetime) -> float:
        """Open minutes between two moments; 0 when `end` is not after `begin`."""
        total = timedelta()
        if end <= begin:
            return 0.0
        day, last = self._day(begin), self._day(end)
        while day <= last:
            for opens, closes in self._spans(day):
                total += max(min(closes, end) - max(opens, begin), timedelta())
            day += timedelta(days=1)
        return total / timedelta(minutes=1)

    def add_business_days(self, at: datetime, days: int) -> datetime:
        """The same clock time so many business days later, drawn into that day's hours."""
        day = self._day(at)
        for _ in range(days):
            day = self._next(day)
        local = at.astimezone(self.zone)
        clock = local.hour * 60 + local.minute
        windows = self.windows(day)
        if not windows:  # no days to add, and closed today
            return at.astimezone(UTC)
        return at_clock(day, min(max(clock, windows[0][0]), windows[-1][1]), self.zone)

    def next_business_day(self, at: datetime) -> date:
        """The first business day after the day of `at`."""
        return self._next(self._day(at))

    def _next(self, day: date) -> date:
        for _ in range(_FAR):
            day += timedelta(days=1)
            if self.is_business_day(day):
                return day
        raise ValueError("the company has no business day within a year; look at hours and holidays")

    def _day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def _spans(self, day: date) -> list[tuple[datetime, datetime]]:
        return [(at_clock(day, a, self.zone), at_clock(day, b, self.zone)) for a, b in self.windows(day)]

    def _ahead(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        day = self._day(at)
        spans = self._spans(day)
        # a window that is over is passed without a look
        yield from spans[bisect_right([closes for _, closes in spans], at) :]
        while True:
            day = self._next(day)
            yield from self._spans(day)
