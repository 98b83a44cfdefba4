"""The metrics ledger (지표장부): readings of days, never changed, only followed by revisions.

Missing, zero and not applicable are three things. The current reading of a day is its highest revision; a person's
correction is pinned: a later pull that differs is kept `beside` it, as a conflict, until somebody decides.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select

from flows.playbook.metrics import Metric
from flows.playbook.model import Book
from flows.store import tables as t
from flows.store.read import Row

Status = Literal["ok", "zero", "missing", "not_applicable"]
_r = t.reading.c
_INSERT = insert(t.reading)


class Key(NamedTuple):
    """What one number is about. `dimensions`: JSON with sorted names, "" for the whole."""

    metric: str
    day: str  # ISO, in the company's zone, or the source's where the metric says so
    channel: str
    account: str
    dimensions: str


@dataclass(frozen=True, slots=True)
class Value:
    """One number to be kept. No value means missing, unless `applies` is false."""

    metric: str
    day: date
    value: Decimal | None
    source: str
    by: str | None = None
    account: str = ""
    channel: str = ""
    dimensions: Mapping[str, str] = field(default_factory=dict)
    raw: str | None = None  # hash of the answer it was read from
    applies: bool = True

    @property
    def status(self) -> Status:
        if not self.applies:
            return "not_applicable"
        return "missing" if self.value is None else "zero" if self.value == 0 else "ok"


@dataclass(slots=True)
class Kept:
    """What became of values that were kept: counts."""

    new: int = 0
    restated: int = 0
    same: int = 0
    beside: int = 0
    missing: int = 0


def keep(session: Connection, book: Book, values: Iterable[Value], now: datetime, pull: str | None = None) -> Kept:
    """Keep what a source said. The same again makes no row; what is missing erases nothing (rules 1 and 3)."""
    given = list(values)
    known = _standing(session, given)
    done, made = Kept(), list[Row]()
    for value in given:
        key = key_of(book, value)
        history = known[key]
        now_known, newest = current_of(history), history[-1] if history else None
        if value.status == "missing":
            done.missing += 1
        if now_known and value.status == "missing" and now_known["status"] != "missing":
            continue
        if now_known and _same(now_known, value):
            done.same += 1
            continue
        pinned = now_known is not None and now_known["standing"] == "pinned"
        if pinned and newest and newest["standing"] == "beside" and _same(newest, value):
            done.same += 1
            continue
        standing = "beside" if pinned else "pulled"
        row = _row(book, key, value, now, (newest["revision"] if newest else 0) + 1, standing, pull)
        history.append(row)
        made.append(row)
        if pinned:
            done.beside += 1
        elif now_known and now_known["status"] != "missing":
            done.restated += 1
        elif value.status != "missing":
            done.new += 1
    if made:
        session.execute(_INSERT, made)
    return done


def correct(session: Connection, book: Book, value: Value, now: datetime, why: str) -> int:
    """A person's word: pinned above later pulls until it is released. Returns the revision."""
    key = key_of(book, value)
    history = _standing(session, [value])[key]
    revision: int = (history[-1]["revision"] if history else 0) + 1
    row = _row(book, key, value, now, revision, "pinned", None)
    session.execute(_INSERT, [row | {"why": why}])
    return revision


def release(session: Connection, book: Book, key: Key, by: str, now: datetime, why: str) -> int | None:
    """Let the sources' word count again: their last one becomes current. Returns the revision; None: nothing pinned."""
    history = _histories(session, [key.metric], key.day, key.day)[key]
    pinned = current_of(history)
    if pinned is None or pinned["standing"] != "pinned":
        return None
    theirs = next((row for row in reversed(history) if row["standing"] != "pinned"), None)
    value = Value(
        key.metric, date.fromisoformat(key.day), theirs["value"] if theirs else None,
        theirs["source"] if theirs else "person", by, raw=theirs["raw"] if theirs else None,
        applies=theirs is None or theirs["status"] != "not_applicable",
    )  # fmt: skip
    revision: int = history[-1]["revision"] + 1
    row = _row(book, key, value, now, revision, "released", None)
    session.execute(_INSERT, [row | {"why": why}])
    return revision


def current_of(history: list[Row]) -> Row | None:
    """The reading that counts, of one key's rows by revision."""
    return next((row for row in reversed(history) if row["standing"] != "beside"), None)


def current(
    session: Connection, metrics: Iterable[str], first: date, last: date, as_of: datetime | None = None
) -> dict[Key, list[Row]]:
    """Every key's rows by revision, first and last day included; `as_of`: only what was known then."""
    return dict(_histories(session, list(metrics), first.isoformat(), last.isoformat(), as_of))


def key_of(book: Book, value: Value) -> Key:
    metric = book.metrics.metrics[value.metric]
    said = json.dumps(dict(value.dimensions), ensure_ascii=False, sort_keys=True) if value.dimensions else ""
    return Key(value.metric, value.day.isoformat(), metric.channel or value.channel, value.account, said)


def final(book: Book, metric: Metric, day: date, now: datetime) -> bool:
    """Whether a day's number is settled by now; a reading's own `finality` is as of when it was kept."""
    return day < now.astimezone(book.company.zone).date() - timedelta(days=metric.settle_days)


def _row(book: Book, key: Key, value: Value, now: datetime, revision: int, standing: str, pull: str | None) -> Row:
    settled = final(book, book.metrics.metrics[key.metric], value.day, now)
    return key._asdict() | {
        "revision": revision, "value": value.value if value.applies else None, "status": value.status,
        "finality": "final" if settled else "provisional", "standing": standing, "source": value.source,
        "pull": pull, "raw": value.raw, "at": now, "by": value.by, "why": None,
    }  # fmt: skip


def _same(row: Row, value: Value) -> bool:
    if row["status"] == value.status == "missing":  # that the source has no number is more than that it did not answer
        return row["raw"] is not None or value.raw is None
    return bool(row["status"] == value.status and row["value"] == value.value)


_ASKED = (
    select(t.reading)
    .where(
        _r.metric.in_(bindparam("metrics", expanding=True)), _r.day >= bindparam("since"), _r.day <= bindparam("until")
    )
    .order_by(_r.metric, _r.day, _r.channel, _r.account, _r.dimensions, _r.revision)
)


def _histories(
    session: Connection, metrics: list[str], since: str, until: str, as_of: datetime | None = None
) -> defaultdict[Key, list[Row]]:
    found: defaultdict[Key, list[Row]] = defaultdict(list)
    asked = _ASKED.where(_r.at <= as_of) if as_of else _ASKED
    for row in session.execute(asked, {"metrics": metrics, "since": since, "until": until}):
        found[Key(row.metric, row.day, row.channel, row.account, row.dimensions)].append(row._asdict())
    return found


def _standing(session: Connection, values: list[Value]) -> defaultdict[Key, list[Row]]:
    if not values:
        return defaultdict(list)
    days = [value.day.isoformat() for value in values]
    return _histories(session, sorted({value.metric for value in values}), min(days), max(days))
