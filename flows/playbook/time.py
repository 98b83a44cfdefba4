"""Times as people write them: durations, moments of a case, windows of the day."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from flows.playbook.hours import Calendar, Hours, at_clock, minutes_of
from flows.playbook.schedule import Schedule

__all__ = ["Between", "Calendar", "Duration", "Hours", "Schedule", "Time"]

LookUp = Callable[[str], object]
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LENGTH = r"(\d{1,5})([mhd])"
_CLOCK = r"(\d{1,2}:\d{2})"
_PATH = r"([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)"
_DURATION = re.compile(_LENGTH)
_BUSINESS = re.compile(r"(\d{1,4}) business (minute|hour|day)s?")
_NAMED_DAY = re.compile(rf"(today|tomorrow|\d{{1,4}}d) {_CLOCK}")
_NEXT_BUSINESS_DAY = re.compile(rf"next business day {_CLOCK}")
_OF_PATH = re.compile(rf"{_PATH}(?: ([+-]) {_LENGTH})?")
_DAY_OF_PATH = re.compile(rf"{_PATH} day {_CLOCK}")
_FORMS = "30m, 2 business hours, tomorrow 09:00, next business day 12:00, or a time of the case: step.answer - 1h"


@dataclass(frozen=True, slots=True)
class Duration:
    """`30m`, `2h`, `3d`: elapsed time, a day being 24 hours."""

    source: str
    delta: timedelta = field(compare=False)

    @classmethod
    def parse(cls, source: "str | Self") -> Self:
        """Raise ValueError with a plain sentence."""
        if isinstance(source, cls):
            return source
        found = _DURATION.fullmatch(str(source).strip())
        if not found:
            raise ValueError(f"{source!r} is no length of time; write 30m, 2h or 3d")
        return cls(str(source).strip(), _delta(found[1], found[2]))


@dataclass(frozen=True, slots=True)
class Time:
    """A moment of a case, counted from the step's beginning or from a time in the case."""

    source: str
    names: frozenset[str] = field(compare=False, repr=False)
    path: str | None = field(default=None, compare=False, repr=False)  # counted from this time of the case
    delta: timedelta = field(default=timedelta(), compare=False, repr=False)
    business_minutes: int | None = field(default=None, compare=False, repr=False)
    business_days: int | None = field(default=None, compare=False, repr=False)
    days: int = field(default=0, compare=False, repr=False)
    clock: int | None = field(default=None, compare=False, repr=False)  # minutes of the day

    @classmethod
    def parse(cls, source: "str | Self") -> Self:
        """Raise ValueError with a plain sentence on a form that is not known."""
        if isinstance(source, cls):
            return source
        words = " ".join(str(source).split())
        none: frozenset[str] = frozenset()
        if found := _DURATION.fullmatch(words):
            return cls(words, none, delta=_delta(found[1], found[2]))
        if found := _BUSINESS.fullmatch(words):
            count = int(found[1])
            if found[2] == "day":
                return cls(words, none, business_days=count)
            return cls(words, none, business_minutes=count * (60 if found[2] == "hour" else 1))
        if found := _NAMED_DAY.fullmatch(words):
            days = {"today": 0, "tomorrow": 1}.get(found[1])
            return cls(words, none, days=int(found[1][:-1]) if days is None else days, clock=minutes_of(found[2]))
        if found := _NEXT_BUSINESS_DAY.fullmatch(words):
            return cls(words, none, business_days=1, clock=minutes_of(found[1]))
        return cls._of_case(words)

    @classmethod
    def _of_case(cls, words: str) -> Self:
        if found := _DAY_OF_PATH.fullmatch(words):
            return cls(words, frozenset({found[1]}), found[1], clock=minutes_of(found[2]))
        found = _OF_PATH.fullmatch(words)
        if not found or found[1] in {"today", "tomorrow", "now"}:
            raise ValueError(f"{words!r} is no time; write {_FORMS}")
        delta = _delta(found[3], found[4]) if found[2] else timedelta()
        return cls(words, frozenset({found[1]}), found[1], -delta if found[2] == "-" else delta)

    def resolve(self, begin: datetime, look_up: LookUp, calendar: Calendar) -> datetime | None:
        """The moment in UTC, which may be past; None when the time of the case is missing.

        `begin` is when the step began, aware. Raise ValueError when the named value is no time.
        """
        if self.path is not None:
            return self._from_case(look_up(self.path), calendar.zone)
        if self.business_minutes is not None:
            return calendar.add_business(begin, self.business_minutes)
        if self.business_days is not None and self.clock is not None:
            return at_clock(calendar.next_business_day(begin), self.clock, calendar.zone)
        if self.business_days is not None:
            return calendar.add_business_days(begin, self.business_days)
        if self.clock is not None:
            day = begin.astimezone(calendar.zone).date() + timedelta(days=self.days)
            return at_clock(day, self.clock, calendar.zone)
        return begin.astimezone(UTC) + self.delta

    def _from_case(self, value: object, zone: ZoneInfo) -> datetime | None:
        moment = _moment(value, self.path or "", zone)
        if moment is None:
            return None
        if self.clock is not None:
            return at_clock(moment.astimezone(zone).date(), self.clock, zone)
        return moment + self.delta


@dataclass(frozen=True, slots=True)
class Between:
    """A window of the day, half-open; one like 21:00-06:00 goes over midnight."""

    source: str
    opens: int = field(compare=False)  # minutes of the day
    closes: int = field(compare=False)

    @classmethod
    def parse(cls, source: "str | Self") -> Self:
        """Raise ValueError with a plain sentence."""
        if isinstance(source, cls):
            return source
        words = str(source).strip()
        opens, dash, closes = words.partition("-")
        if not dash:
            raise ValueError(f"{words!r} is no window of the day; write it as 09:00-21:00")
        window = minutes_of(opens), minutes_of(closes)
        if window[0] == window[1]:
            raise ValueError(f"{words!r} is never open; write it as 09:00-21:00")
        return cls(words, *window)

    def holds(self, clock: time) -> bool:
        at = clock.hour * 60 + clock.minute
        if self.opens < self.closes:
            return self.opens <= at < self.closes
        return at >= self.opens or at < self.closes

    def next(self, at: datetime, zone: ZoneInfo) -> datetime:
        """`at` itself when inside, else the next opening; UTC."""
        local = at.astimezone(zone)
        if self.holds(local.time()):
            return at.astimezone(UTC)
        today = at_clock(local.date(), self.opens, zone)
        return today if today > at else at_clock(local.date() + timedelta(days=1), self.opens, zone)


def _delta(count: str, unit: str) -> timedelta:
    return timedelta(**{_UNITS[unit]: int(count)})


def _moment(value: object, path: str, zone: ZoneInfo) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{path} is no time") from None
    match value:
        case None:
            return None
        case datetime():
            return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
        case date():
            return at_clock(value, 0, zone)
    raise ValueError(f"{path} is no time")
