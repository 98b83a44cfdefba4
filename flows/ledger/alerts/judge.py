"""What of the numbers somebody should be told: `judge(facts)` is pure; `flows.engine.alerts` tells it, once.

Six kinds, the worst first: a source that fails, a number missing by its time, one that is unusual, one stuck at zero,
a target that is behind its pace, and one that was restated.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import ceil
from statistics import median
from typing import Literal

from flows.ledger.ratios import Pace
from flows.ledger.series import Cell
from flows.playbook.hours import at_clock
from flows.playbook.metrics import Alert, Metric, Target
from flows.playbook.model import Book

Kind = Literal["failing", "missing", "unusual", "zero", "behind", "restated"]
KINDS: tuple[Kind, ...] = ("failing", "missing", "unusual", "zero", "behind", "restated")
LOOK_BACK = 7  # days in which a missing, unusual or restated number is news
WEEKS, FEWEST = 8, 5  # weeks before that a day is compared with, and how many of them must be known
SPAN = WEEKS * 7 + LOOK_BACK  # days that a look needs
_FLOOR = Decimal("0.05")  # a number that never changes is unusual from a twentieth of itself on
_EARLY = Decimal("0.2")  # of a period's business days: before, its pace says nothing
_SLACK = Decimal("0.1")  # of what should be there by now
_MISSING = Cell()


@dataclass(frozen=True, slots=True)
class Change:
    """A day whose number was another one before: what it was when a week began, or first, and what it is."""

    metric: str
    day: date
    before: Decimal
    after: Decimal
    at: datetime  # when it became what it is


@dataclass(frozen=True, slots=True)
class Failure:
    """A source that did not answer when it was asked last: since when (UTC), on which days, and why."""

    source: str
    days: tuple[date, ...]  # of pulls that failed since the last that did not, oldest first
    reason: str
    told: bool = False  # somebody is asked already to set its connection right


@dataclass(frozen=True, slots=True)
class Facts:
    """What is judged: the cells of the last `SPAN` days by metric, and what else the store knows."""

    book: Book
    now: datetime
    cells: Mapping[str, Mapping[date, Cell]]
    changes: tuple[Change, ...] = ()
    paces: tuple[tuple[Target, Pace], ...] = ()
    failures: tuple[Failure, ...] = ()
    begins: Mapping[str, date] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return self.now.astimezone(self.book.company.zone).date()

    def cell(self, metric: str, day: date) -> Cell:
        return self.cells.get(metric, {}).get(day, _MISSING)

    def begin(self, metric: str) -> date:
        """The day from which on a metric's number may be missing: of its first reading, or yesterday."""
        first = min(self.cells.get(metric, ()), default=self.today - timedelta(days=1))
        return self.begins.get(metric, first)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to be told, with its evidence. `subject`: a metric, a ratio or a source."""

    subject: str
    kind: Kind
    days: tuple[date, ...] = ()  # oldest first
    numbers: Mapping[str, Decimal] = field(default_factory=dict)
    reason: str = ""

    @property
    def key(self) -> str:
        return f"{self.subject}/{self.kind}"


def judge(facts: Facts) -> list[Finding]:
    """Everything that is to be told as of now, the worst first."""
    found = [*_failing(facts)]
    for name, alert in facts.book.metrics.alerts.items():
        if metric := facts.book.metrics.metrics.get(name):
            found += [*_missing(facts, name, metric, alert), *_unusual(facts, name, metric, alert)]
            found += [*_zero(facts, name, alert), *_restated(facts, name, alert)]
        found += _behind(facts, name, alert)
    return sorted(found, key=lambda one: KINDS.index(one.kind))


def due_at(book: Book, name: str, day: date) -> datetime | None:
    """By when a day's number is to be there (UTC); none: nobody said.

    What a person types is due on a business day; the numbers of a weekend are due with the last of its days.
    """
    metric, alert = book.metrics.metrics[name], book.metrics.alerts.get(name)
    clock = (alert.missing_by if alert else None) or metric.source.due
    if clock is None:
        return None
    calendar, minutes = book.company.calendar, clock.hour * 60 + clock.minute
    on = calendar.next_business_day(at_clock(day, 0, calendar.zone)) if metric.source.by else day + timedelta(days=1)
    return at_clock(on, minutes, calendar.zone)


def _failing(facts: Facts) -> Iterator[Finding]:
    """A source that failed on two days with no good pull between."""
    for one in facts.failures:
        if len(one.days) > 1 and not one.told:
            yield Finding(one.source, "failing", one.days, {}, one.reason)


def _missing(facts: Facts, name: str, metric: Metric, alert: Alert) -> Iterator[Finding]:
    """Days of the last week past their due time, from the first on; of what had no number yet, the newest alone."""
    if alert.missing_by is None and metric.source.due is None:
        return
    newest = _newest(facts, LOOK_BACK)
    due = [day for day in newest if (by := due_at(facts.book, name, day)) and by <= facts.now]
    due = [day for day in due if day >= facts.begin(name)]
    if not any(cell.known for cell in facts.cells.get(name, {}).values()):
        due = due[:1]
    if days := [day for day in due if facts.cell(name, day).status == "missing"]:
        yield Finding(name, "missing", tuple(sorted(days)))


def _zero(facts: Facts, name: str, alert: Alert) -> Iterator[Finding]:
    """Business days in a row, up to the newest that is known; days closed and empty are passed over."""
    if alert.zero_for is None:
        return
    calendar, run, known = facts.book.company.calendar, list[date](), False
    for day in _newest(facts, SPAN):
        cell = facts.cell(name, day)
        if cell.value or (known and not cell.known and calendar.is_business_day(day)):
            break
        known = known or cell.known
        if cell.status == "zero" and calendar.is_business_day(day):
            run.append(day)
    if len(run) >= max(1, ceil(alert.zero_for.delta / timedelta(days=1))):
        yield Finding(name, "zero", tuple(reversed(run)))


def _unusual(facts: Facts, name: str, metric: Metric, alert: Alert) -> Iterator[Finding]:
    """The newest unusual day of the last week."""
    if alert.unusual is None:
        return
    for day in _newest(facts, LOOK_BACK):
        if numbers := _off(facts, name, metric, day, alert.unusual):
            yield Finding(name, "unusual", (day,), numbers)
            return


def _off(facts: Facts, name: str, metric: Metric, day: date, times: Decimal) -> dict[str, Decimal] | None:
    """What is unusual with a day: its value, the usual one, and the bounds. None: nothing, or too little is known.

    A day is compared with the same weekday of the weeks before, open as it is or closed as it is. A number that may
    still change is not called too low: its source may not have counted all of it.
    """
    cell, calendar = facts.cell(name, day), facts.book.company.calendar
    before = [day - timedelta(weeks=back) for back in range(1, WEEKS + 1)]
    alike = [one for one in before if calendar.is_business_day(one) == calendar.is_business_day(day)]
    values = [value for one in alike if (value := facts.cell(name, one).value) is not None]
    if cell.value is None or len(values) < FEWEST:
        return None
    usual = median(values)
    least = abs(usual) * _FLOOR if metric.unit == "ratio" else max(abs(usual) * _FLOOR, Decimal(1))
    distance = times * max(median(abs(value - usual) for value in values), least)
    low, high = usual - distance, usual + distance
    if low <= cell.value <= high or (cell.provisional and cell.value < low):
        return None
    return {"value": cell.value, "usual": usual, "low": low, "high": high, "weeks": Decimal(len(values))}


def _behind(facts: Facts, name: str, alert: Alert) -> Iterator[Finding]:
    """Behind by more than a tenth, once a fifth of the period's business days is over."""
    if not alert.behind:
        return
    for target, pace in facts.paces:
        if target.metric == name and (numbers := lags(target, pace)):
            yield Finding(name, "behind", (), numbers)
            return


def lags(target: Target, pace: Pace) -> dict[str, Decimal] | None:
    """How a target is behind enough to be told of: its value, what should be there by now, and the whole."""
    if not pace.behind or pace.value is None or pace.share_of_business_days < _EARLY:
        return None
    slack = abs(pace.wanted_by_now) * _SLACK
    gap = pace.wanted_by_now - pace.value if target.direction == "at_least" else pace.value - pace.wanted_by_now
    return {"value": pace.value, "by_now": pace.wanted_by_now, "wanted": pace.wanted} if gap > slack else None


def _restated(facts: Facts, name: str, alert: Alert) -> Iterator[Finding]:
    """Days whose number moved by more than the share within the last week; the numbers are of the widest move."""
    if (share := alert.restated) is None:
        return
    moved = [
        one for one in facts.changes if one.metric == name and abs(one.after - one.before) > share * abs(one.before)
    ]
    if moved:
        widest = max(moved, key=lambda one: (abs(one.after - one.before), one.day))
        numbers = {"before": widest.before, "after": widest.after}
        others = sorted(one.day for one in moved if one is not widest)
        yield Finding(name, "restated", (widest.day, *others), numbers)


def _newest(facts: Facts, count: int) -> list[date]:
    return [facts.today - timedelta(days=back) for back in range(1, count + 1)]
