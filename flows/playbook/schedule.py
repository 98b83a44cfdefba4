"""Schedules of playbooks: which periods there are, and when each is due."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, Self
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from flows.playbook.hours import DAYS, at_clock, minutes_of
from flows.playbook.problem import nearest

Due = tuple[str, datetime]  # the period's id, and when it is due (UTC)
_FORMS = "daily 06:30, weekly mon 09:00, monthly last 18:00, monthly 5 09:00, or a cron line of five fields"
_CLOCK = re.compile(r"\d{1,2}:\d{2}")


@dataclass(frozen=True, slots=True)
class Schedule:
    """A period's id: `2026-11-21` of a day, `2026-W47`, `2026-11`; of a cron line the local moment with its offset."""

    source: str
    every: Literal["day", "week", "month", "cron"]
    day: int = 0  # weekday from Monday 0; day of the month, 0 for its last
    minutes: int = 0  # since midnight, company time

    @classmethod
    def parse(cls, source: str) -> Self:
        """Raise ValueError with a plain sentence."""
        match source.split():
            case ["daily", clock]:
                return cls(source, "day", minutes=_minutes(clock))
            case ["weekly", day, clock]:
                if day not in DAYS:
                    raise ValueError(f"{day!r} is no day{nearest(day, DAYS)}")
                return cls(source, "week", DAYS.index(day), _minutes(clock))
            case ["monthly", "last", clock]:
                return cls(source, "month", 0, _minutes(clock))
            case ["monthly", day, clock] if day.isdecimal():
                if not 1 <= int(day) <= 28:
                    raise ValueError(f"not every month has a day {day}; write 1 to 28, or last")
                return cls(source, "month", int(day), _minutes(clock))
            case [_, _, _, _, _]:
                return cls._cron(source)
        raise ValueError(f"{source!r} is no schedule; write {_FORMS}")

    @classmethod
    def _cron(cls, source: str) -> Self:
        try:
            next(CronSim(source, datetime(2024, 1, 1, tzinfo=UTC)))
        except (CronSimError, StopIteration):
            raise ValueError(f"{source!r} is no cron line that ever comes; write {_FORMS}") from None
        return cls(" ".join(source.split()), "cron")

    @property
    def cron(self) -> str:
        """The cron line, in company time, for whoever fires it."""
        hour, minute = divmod(self.minutes, 60)
        match self.every:
            case "day":
                return f"{minute} {hour} * * *"
            case "week":
                return f"{minute} {hour} * * {DAYS[self.day].upper()}"
            case "month":
                return f"{minute} {hour} {self.day or 'L'} * *"
        return self.source

    def period(self, at: datetime, zone: ZoneInfo) -> str:
        """The period that `at` falls in; of a cron line the newest one that was due."""
        if self.every == "cron":
            return self.latest(at, zone)[0]
        return self._id(at.astimezone(zone).date())

    def latest(self, now: datetime, zone: ZoneInfo) -> Due:
        """The newest period that is due by `now`."""
        if self.every == "cron":
            return self._latest_of_line(now, zone)
        day = self._due_day(now.astimezone(zone).date())
        if at_clock(day, self.minutes, zone) > now:
            day = self._step(day, back=True)
        return self._id(day), at_clock(day, self.minutes, zone)

    def _latest_of_line(self, now: datetime, zone: ZoneInfo) -> Due:
        # forward from ever further back: cronsim's way backward differs at a change of clocks by half an hour
        for hours in (2, 25, 8 * 24, 32 * 24, 367 * 24, 9 * 366 * 24):
            found = None
            for due in CronSim(self.source, _local(now - timedelta(hours=hours), zone)):
                if due > now:
                    break
                found = due
            if found is not None:
                return _moment(found, zone)
        raise ValueError(f"{self.source!r} was not due in the last nine years")

    def after(self, at: datetime, zone: ZoneInfo) -> Due:
        """The first period that is due later than `at`."""
        if self.every == "cron":
            return _moment(next(CronSim(self.source, _local(at, zone))), zone)
        day = self._due_day(at.astimezone(zone).date())
        if at_clock(day, self.minutes, zone) <= at:
            day = self._step(day, back=False)
        return self._id(day), at_clock(day, self.minutes, zone)

    def date_of(self, period: str) -> date:
        """The company's day on which a period is due; raise ValueError for an id that is not ours."""
        match self.every:
            case "week":
                return datetime.strptime(f"{period}-{self.day + 1}", "%G-W%V-%u").date()  # noqa: DTZ007
            case "month":
                return self._due_day(date.fromisoformat(f"{period}-01"))
        return date.fromisoformat(period[:10])

    def previous(self, period: str) -> date:
        """The last day of the day, week or month before a period; of a cron line the day before."""
        day = self.date_of(period)
        match self.every:
            case "week":
                return day - timedelta(days=day.weekday() + 1)
            case "month":
                return day.replace(day=1) - timedelta(days=1)
        return day - timedelta(days=1)

    def _id(self, day: date) -> str:
        match self.every:
            case "week":
                return f"{day:%G-W%V}"
            case "month":
                return f"{day:%Y-%m}"
        return day.isoformat()

    def _due_day(self, day: date) -> date:
        """The due day of the period that `day` falls in."""
        match self.every:
            case "week":
                return day + timedelta(days=self.day - day.weekday())
            case "month":
                return day.replace(day=self.day or calendar.monthrange(day.year, day.month)[1])
        return day

    def _step(self, day: date, *, back: bool) -> date:
        if self.every == "month":
            return self._due_day(day.replace(day=1) + timedelta(days=-1 if back else 32))
        days = 7 if self.every == "week" else 1
        return day + timedelta(days=-days if back else days)


def _minutes(clock: str) -> int:
    if not _CLOCK.fullmatch(clock) or minutes_of(clock) == 24 * 60:
        raise ValueError(f"{clock!r} is no time of the day; write it as 09:30")
    return minutes_of(clock)


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone)


def _moment(at: datetime, zone: ZoneInfo) -> Due:
    local = at.astimezone(zone)
    return local.isoformat(timespec="minutes"), at.astimezone(UTC)
