"""A metric's days as people see them: a cell a day, of the current readings of all its accounts and dimensions."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, select

from flows.ledger.readings import Key, Status, conflict_of, current, current_of, final
from flows.playbook.metrics import Metric
from flows.playbook.model import Book
from flows.store import tables as t
from flows.store.read import Row

Kind = tuple[bool, bool, frozenset[str]]  # whether it is of a channel, of an account, and which dimensions
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
    parts: defaultdict[tuple[str, str], dict[Key, list[Row]]] = defaultdict(dict)
    for key, history in current(session, names, first, last, as_of).items():
        parts[key.metric, key.day][key] = history
    found: dict[str, dict[date, Cell]] = {name: {} for name in names}
    for (name, day), histories in parts.items():
        on, metric = date.fromisoformat(day), book.metrics.metrics[name]
        found[name][on] = _cell(metric, histories, settled=final(book, metric, on, as_of or now))
    return found


def days(first: date, last: date) -> list[date]:
    """All days, both included, oldest first."""
    return [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]


def begun(
    session: Connection, book: Book, cells: Mapping[str, Mapping[date, Cell]], since: date, yesterday: date
) -> dict[str, date]:
    """The first day of each metric whose readings begin after `since`: before it, nothing is missing.

    Without any, it is yesterday; of what is counted from our own ledger, the first day to come.
    """
    late = {name: min(found, default=None) for name, found in cells.items() if since not in found}
    r = t.reading.c
    older = select(r.metric).where(r.metric.in_(late), r.day < since.isoformat()).distinct()
    known = set(session.execute(older).scalars()) if late else set[str]()
    ours = {name for name in late if (of := book.metrics.metrics[name].source).exchanges or of.minutes_of}
    return {name: day or yesterday + timedelta(days=name in ours) for name, day in late.items() if name not in known}


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


def _cell(metric: Metric, found: Mapping[Key, list[Row]], *, settled: bool) -> Cell:
    histories = counting(metric, found)
    value, status = _sum(histories)
    rows = [row for history in histories if (row := current_of(history))]
    pinned = "pinned" in {row["standing"] for row in rows}
    return Cell(
        value,
        status,
        provisional=not settled,
        restated=any(_restated(row, history) for row, history in zip(rows, histories, strict=True)),
        pinned=pinned,
        conflict=any(conflict_of(history) for history in histories) or (pinned and _otherwise(metric, found, rows)),
    )


def counting(metric: Metric, found: Mapping[Key, list[Row]]) -> list[list[Row]]:
    """The histories of one day that its number is made of, each with a reading that counts.

    A person's word about the whole stands above its parts. Else those of one kind of parts count, never a whole and
    its parts both: the kind that has numbers, that the metric asks for now, that something came of last.
    """
    if len(found) == 1:  # nearly all are one number
        return [history for history in found.values() if current_of(history)]
    whole = next((history for key, history in found.items() if not any(key[2:])), None)
    if whole and (current_of(whole) or {}).get("standing") == "pinned":
        return [whole]
    kinds: defaultdict[Kind, list[list[Row]]] = defaultdict(list)
    for key, history in found.items():
        if current_of(history):
            kinds[kind_of(key)].append(history)
    if not kinds:
        return []
    asked = frozenset(metric.source.split)
    return max(kinds.items(), key=lambda kind: (_known(kind[1]), kind[0][2] == asked, _newest(kind[1])))[1]


def kind_of(key: Key) -> Kind:
    """By what a number is told apart from others of its day: two kinds are never added up."""
    names = frozenset(json.loads(key.dimensions)) if key.dimensions else frozenset()
    return bool(key.channel), bool(key.account), names


def _known(histories: list[list[Row]]) -> bool:
    return any(row["value"] is not None for history in histories if (row := current_of(history)))


def _newest(histories: list[list[Row]]) -> int:
    return max(int(history[-1]["id"]) for history in histories)


def _sum(histories: list[list[Row]]) -> tuple[Decimal | None, Status]:
    """A sum of parts; a part that does not apply adds nothing, without one that is missing there is no sum."""
    counting = [row for history in histories if (row := current_of(history))]
    rows = [row for row in counting if row["status"] != "not_applicable"]
    if not rows:
        return None, "not_applicable" if counting else "missing"
    if any(row["status"] == "missing" for row in rows):
        return None, "missing"
    value = sum((row["value"] for row in rows), Decimal())
    return value, "ok" if value else "zero"


def _otherwise(metric: Metric, found: Mapping[Key, list[Row]], pinned: list[Row]) -> bool:
    """Whether parts that came after a person's word about the whole make another number."""
    parts = {key: history for key, history in found.items() if any(key[2:])}
    theirs = counting(metric, parts) if parts and len(pinned) == 1 and len(parts) < len(found) else []
    return bool(theirs) and _newest(theirs) > pinned[0]["id"] and _sum(theirs)[0] not in {None, pinned[0]["value"]}


def _restated(row: Row, history: list[Row]) -> bool:
    earlier = [one for one in history if one["revision"] < row["revision"] and one["status"] != "missing"]
    return any(one["value"] != row["value"] or one["status"] != row["status"] for one in earlier)


def history(session: Connection, metric: str, day: date) -> dict[Key, list[Row]]:
    """All revisions of one metric's day, by what they are about."""
    return current(session, [metric], day, day)
