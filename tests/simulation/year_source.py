"""A source of numbers and its truth: what it says of a day at a moment, and what it says in the end."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import ClassVar
from zoneinfo import ZoneInfo

from connectors.analytics import Asked, Page, Reading, Source
from connectors.errors import NotConnected, Rejected, Unavailable
from flows.ledger.series import days

PER_PAGE = 5  # days
AHEAD = timedelta(hours=6)  # as far as a clock may be: for so long before it is settled no number changes
GARBAGE = ("<html>sign in</html>", '{"rows": [["2027-01-01"]]}', '{"rows": [["2027-01-01", "a", "many"]]}', "", "[]")


@dataclass(frozen=True, slots=True)
class Told:
    """From a moment on the source says this of a day; no value: it leaves the day out."""

    since: datetime
    value: Decimal | None


@dataclass
class Truth:
    """What a service counts, in the zone of its account. A day's number is settled `settles` days after it began."""

    seed: str
    zone: ZoneInfo
    settles: int

    def said(self, metric: str, day: date, at: datetime) -> Decimal | None:
        """What it says at a moment; of a day that is not over it knows a part."""
        if at < self._midnight(day):
            return None
        known = [one.value for one in self.story(metric, day) if one.since <= at]
        return known[-1] if known else self._part(metric, day)

    def last(self, metric: str, day: date) -> Decimal | None:
        """What it says in the end."""
        return self.story(metric, day)[-1].value

    def ever(self, metric: str, day: date) -> set[Decimal | None]:
        """All that it may have said at some moment."""
        return {one.value for one in self.story(metric, day)} | {self._part(metric, day)}

    def story(self, metric: str, day: date) -> list[Told]:
        """A day's numbers in order: the first when it is over, the others before it is settled."""
        return list(_story(self.seed, self.zone, self.settles, metric, day))

    def _part(self, metric: str, day: date) -> Decimal | None:
        first = self.story(metric, day)[0].value
        return None if first is None else (first / 2).quantize(Decimal("0.01"))

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, datetime.min.time(), self.zone)


@cache
def _story(seed: str, zone: ZoneInfo, settles: int, metric: str, day: date) -> tuple[Told, ...]:
    chance = random.Random(f"{seed}/{metric}/{day}")
    over = datetime.combine(day + timedelta(days=1), datetime.min.time(), zone)
    settled = datetime.combine(day + timedelta(days=settles), datetime.min.time(), zone) - AHEAD
    if chance.random() < 0.08:  # a day without data, which is left out for ever
        return (Told(over, None),)
    value = Decimal(chance.choice((0, chance.randrange(1, 500), chance.randrange(1, 10**7)))) / chance.choice((1, 100))
    first = Told(over, None if chance.random() < 0.1 else value)  # late data: left out at first
    found = [first]
    for share in sorted(chance.random() for _ in range(chance.choice((0, 0, 0, 1, 2, 3)))):
        then = value + chance.choice((1, -1)) * Decimal(chance.randrange(1, 50)) / 4
        found.append(Told(over + (settled - over) * share, max(then, Decimal(0))))
    if found[-1].value is None:
        found.append(Told(over + (settled - over) / 2, value))
    return tuple(found)


@dataclass
class Trouble:
    """What is wrong with a service just now."""

    chance: random.Random
    odd: float = 0.0  # how often a call fails by itself
    down: bool = False
    refused: bool = False
    calls: int = 0
    faults: int = 0

    def meet(self) -> str | None:
        """Raises what keeps a call from being answered, or gives an answer that is none."""
        self.calls += 1
        if self.down:
            raise Unavailable("the service is down", retry_after=3600)
        if self.refused:
            raise NotConnected("the key is refused", next_step="set a new one")
        if self.chance.random() >= self.odd:
            return None
        self.faults += 1
        match self.chance.randrange(3):
            case 0:
                raise Unavailable("too many calls", retry_after=7200)
            case 1:
                raise Rejected("the service said no")
        return self.chance.choice(GARBAGE)


@dataclass
class Service:
    """One account at the source."""

    truth: Truth
    trouble: Trouble


@dataclass
class State:
    """All accounts of one year, by connection; `now` is the true time."""

    now: Callable[[], datetime]
    services: dict[str, Service] = field(default_factory=dict)


class Counter(Source):
    """A source in a simulation: pages of a few days each; a day may be left out."""

    service: ClassVar[str] = "counter"
    most_days: ClassVar[int] = 12
    state: ClassVar[State]

    def fetch(self, asked: Asked, page: str | None) -> bytes:
        service = self.state.services[self.name]
        if (garbage := service.trouble.meet()) is not None:
            return garbage.encode()
        wanted = days(asked.since, asked.until)
        at = int(page or 0)
        rows = [
            [day.isoformat(), metric, str(value)]
            for day in wanted[at : at + PER_PAGE]
            for metric in asked.of
            if (value := service.truth.said(metric, day, self.state.now())) is not None
        ]
        more = {"next": str(at + PER_PAGE)} if at + PER_PAGE < len(wanted) else {}
        return json.dumps({"rows": rows, **more}).encode()

    def parse(self, asked: Asked, raw: bytes) -> Page:
        del asked
        try:
            found = json.loads(raw)
            readings = tuple(
                Reading(day=date.fromisoformat(day), metric=metric, value=Decimal(value))
                for day, metric, value in found["rows"]
            )
        except (ValueError, TypeError, KeyError, ArithmeticError):
            raise Rejected("the answer is not as it should be") from None
        return Page(readings=readings, more=(found["next"],) if "next" in found else ())
