"""A metric's days as people see them: a cell a day, of the current readings of all its accounts and dimensions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection

from flows.ledger.readings import Key, Status, current, current_of, final
from flows.playbook.metrics import Metric
from flows.playbook.model import Book
from flows.store.read import Row

NO_SUM, NO_NUMBER = "its days do not add up", "no day has a number"


@dataclass(frozen=True, slots=True)
class Cell:
    """One metric's day. Without a reading it is missing; so is the whole where a part is."""

    value: Decimal | None = None
    status: Status = "missing"
    provisional: bool = False  # the source may still change it
    restated: bool = False  # another number stood there before
    pinned: bool = False  # a person's word
    conflict: bool = False  # a later pull said otherwise

    @property
    def known(self) -> bool:
        return self.value is not None


@dataclass(frozen=True, slots=True)
class Total:
    """A period's number. `missing`: days without one, which the number leaves out."""

    value: Decimal | None
    provisional: bool
    missing: int
    reason: str | None = None  # why there is no number


def series(
    session: Connection,
    book: Book,
    metrics: Iterable[str],
    first: date,
    last: date,
    now: datetime,
    as_of: datetime | None = None,
) -> dict[str, dict[date, Cell]]:
    """Each metric's cells of the days that have readings, first and last included; `as_of`: what was known then."""
    names = list(metrics)
    parts: defaultdict[tuple[str, str], list[list[Row]]] = defaultdict(list)
    for key, history in current(session, names, first, last, as_of).items():
        parts[key.metric, key.day].append(history)
    found: dict[str, dict[date, Cell]] = {name: {} for name in names}
    for (name, day), histories in parts.items():
        on = date.fromisoformat(day)
        found[name][on] = _cell(histories, settled=final(book, book.metrics.metrics[name], on, as_of or now))
    return found


def days(first: date, last: date) -> list[date]:
    """All days, both included, oldest first."""
    return [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]


def total(metric: Metric, cells: Mapping[date, Cell], asked: Iterable[date]) -> Total:
    """A period's number: the sum of its days, or its last known one, as the metric says."""
    found = [(day, cells.get(day, Cell())) for day in asked]
    missing = sum(cell.status == "missing" for _, cell in found)
    known = [(day, cell.value) for day, cell in found if cell.value is not None]
    provisional = any(cell.provisional for _, cell in found)
    if metric.sum == "none" and len(found) > 1:
        return Total(None, provisional, missing, NO_SUM)
    if not known:
        return Total(None, provisional, missing, NO_NUMBER)
    value = sum((value for _, value in known), Decimal()) if metric.sum == "sum" else max(known)[1]
    return Total(value, provisional, missing)


def _cell(histories: list[list[Row]], *, settled: bool) -> Cell:
    counting = [(row, history) for history in histories if (row := current_of(history))]
    rows = [row for row, _ in counting if row["status"] != "not_applicable"]
    if not rows:
        return Cell(status="not_applicable" if counting else "missing")
    missing = any(row["status"] == "missing" for row in rows)
    value = None if missing else sum((row["value"] for row in rows), Decimal())
    return Cell(
        value,
        "missing" if value is None else "ok" if value else "zero",
        provisional=not settled,
        restated=any(_restated(row, history) for row, history in counting),
        pinned=any(row["standing"] == "pinned" for row in rows),
        conflict=any(history[-1]["standing"] == "beside" for _, history in counting),
    )


def _restated(row: Row, history: list[Row]) -> bool:
    earlier = [one for one in history if one["revision"] < row["revision"] and one["status"] != "missing"]
    return any(one["value"] != row["value"] or one["status"] != row["status"] for one in earlier)


def history(session: Connection, metric: str, day: date) -> dict[Key, list[Row]]:
    """All revisions of one metric's day, by what they are about."""
    return current(session, [metric], day, day)
