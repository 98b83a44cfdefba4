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

from connectors.errors import Rejected
from flows.playbook.metrics import Metric
from flows.playbook.model import Book
from flows.store import tables as t
from flows.store.locks import KEEPING, alone
from flows.store.read import Row

Status = Literal["ok", "zero", "missing", "not_applicable"]
_DIGITS, _PLACES = 18, 120  # before the point, and behind it: 1e-9999999 would be ten million characters
_LONGEST = 2_000  # bytes of what tells a number apart
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
    """One number to be kept. No value means missing, unless `applies` is false.

    Raises Rejected for one too large, and for names of parts that no store takes.
    """

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

    def __post_init__(self) -> None:
        if self.value and not (self.value.is_finite() and _fits(self.value)):
            raise Rejected(f"the number of {self.metric} on {self.day} is none that can be kept")
        if (self.account or self.channel or self.dimensions) and not _storable(
            self.account, self.channel, *self.dimensions, *self.dimensions.values()
        ):
            raise Rejected(f"a part of the number of {self.metric} on {self.day} has a name that cannot be kept")

    @property
    def number(self) -> Decimal | None:
        """What is kept: none unless it applies, and no zero below zero."""
        if self.value is None or not self.applies:
            return None
        return self.value or Decimal()

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
    """Keep what a source said. The same again makes no row; what is missing erases nothing (rules 1 and 3).

    Three statements for any number of values; of two who keep at once the second waits.
    """
    given = list(values)
    if not given:
        return Kept()
    alone(session, KEEPING)
    known = _standing(session, given)
    done, made = Kept(), list[Row]()
    for value in given:
        key = key_of(book, value)
        history = known[key]
        before, standing = current_of(history), _becomes(history, value)
        if value.status == "missing":
            done.missing += 1
        if standing is not None:
            row = _row(book, key, value, now, history, standing) | {"pull": pull}
            history.append(row)
            made.append(row)
        _count(done, before, value, standing)
    if made:
        session.execute(_INSERT, made)
    return done


def _fits(value: Decimal) -> bool:
    return value.adjusted() < _DIGITS and -int(value.as_tuple().exponent) <= _PLACES


def _storable(*names: str) -> bool:
    """An index of PostgreSQL takes 2,700 bytes, its texts no zero byte, and neither store half a sign."""
    try:
        said = "".join(names).encode()
    except UnicodeEncodeError:
        return False
    return len(said) <= _LONGEST and b"\0" not in said


def _becomes(history: list[Row], value: Value) -> str | None:
    """How a source's word stands after what is known already; none: it is nothing new."""
    known = current_of(history)
    if known is None:
        return "pulled"
    if value.status == "missing" and known["status"] != "missing":
        return None
    if known["standing"] != "pinned":
        return None if _same(known, value) else "pulled"
    theirs = _theirs(history)
    decided = theirs is not None and _same(theirs, value) and (
        theirs["standing"] == "beside"  # said before: shown as a conflict, or settled by the person's second word
        or _same(known, value)
    )  # fmt: skip
    return None if decided else "beside"


def _count(done: Kept, before: Row | None, value: Value, standing: str | None) -> None:
    if standing == "beside" and before and not _same(before, value):
        done.beside += 1
    elif standing != "pulled":
        done.same += value.status != "missing"
    elif before and before["status"] != "missing":
        done.restated += 1
    elif value.status != "missing":
        done.new += 1


def correct(session: Connection, book: Book, value: Value, now: datetime, why: str) -> int:
    """A person's word: pinned above later pulls until it is released. Returns the revision; the same again makes none.

    Said again over a conflict, it settles it: the source's word is known, and the person's stays.
    """
    alone(session, KEEPING)
    key = key_of(book, value)
    history = _standing(session, [value])[key]
    newest = history[-1] if history else None
    if newest and newest["standing"] == "pinned" and _same(newest, value) and newest["why"] == why:
        return int(newest["revision"])
    row = _row(book, key, value, now, history, "pinned") | {"why": why}
    session.execute(_INSERT, [row])
    return int(row["revision"])


def release(session: Connection, book: Book, key: Key, by: str, now: datetime, why: str) -> int | None:
    """Let the sources' word count again: their last one becomes current. Returns the revision; None: nothing pinned."""
    alone(session, KEEPING)
    history = _histories(session, [key.metric], key.day, key.day)[key]
    pinned = current_of(history)
    if pinned is None or pinned["standing"] != "pinned":
        return None
    theirs = _theirs(history) or {"value": None, "source": "person", "raw": None, "status": "missing"}
    value = Value(
        key.metric, date.fromisoformat(key.day), theirs["value"], theirs["source"], by,
        raw=theirs["raw"], applies=theirs["status"] != "not_applicable",
    )  # fmt: skip
    row = _row(book, key, value, now, history, "released") | {"why": why}
    session.execute(_INSERT, [row])
    return int(row["revision"])


def current_of(history: list[Row]) -> Row | None:
    """The reading that counts, of one key's rows by revision."""
    for row in reversed(history):
        if row["standing"] != "beside":
            return row
    return None


def conflict_of(history: list[Row]) -> Row | None:
    """What the source said after a person's word, where it says otherwise and nobody has decided."""
    newest, known = history[-1] if history else None, current_of(history)
    if newest is None or known is None or newest["standing"] != "beside":
        return None
    same = newest["status"] == known["status"] and newest["value"] == known["value"]
    return None if same else newest


def _theirs(history: list[Row]) -> Row | None:
    """The sources' last word."""
    return next((row for row in reversed(history) if row["standing"] != "pinned"), None)


def current(
    session: Connection, metrics: Iterable[str], first: date, last: date, as_of: datetime | None = None
) -> dict[Key, list[Row]]:
    """Every key's rows by revision, first and last day included; `as_of`: only what was known then."""
    return dict(_histories(session, list(metrics), first.isoformat(), last.isoformat(), as_of))


def key_of(book: Book, value: Value) -> Key:
    """A metric that is of one channel has it in its definition: another name of it begins no second history."""
    channel = "" if book.metrics.metrics[value.metric].channel else value.channel
    said = json.dumps(dict(value.dimensions), ensure_ascii=False, sort_keys=True) if value.dimensions else ""
    return Key(value.metric, value.day.isoformat(), channel, value.account, said)


def final(book: Book, metric: Metric, day: date, now: datetime) -> bool:
    """Whether a day's number is settled by now; a reading's own `finality` is as of when it was kept."""
    return day < now.astimezone(book.company.zone).date() - timedelta(days=metric.settle_days)


def _row(book: Book, key: Key, value: Value, now: datetime, history: list[Row], standing: str) -> Row:
    settled = final(book, book.metrics.metrics[key.metric], value.day, now)
    newest: Row = history[-1] if history else {"revision": 0, "at": now}
    return key._asdict() | {
        "revision": newest["revision"] + 1, "value": value.number, "status": value.status,
        "finality": "final" if settled else "provisional", "standing": standing, "source": value.source,
        "pull": None, "raw": value.raw, "by": value.by, "why": None,
        "at": max(now, newest["at"]),  # a clock that was set back changes nothing of what was known before
    }  # fmt: skip


def _same(row: Row, value: Value) -> bool:
    if row["status"] == value.status == "missing":  # that the source has no number is more than that it did not answer
        return row["raw"] is not None or value.raw is None
    return bool(row["status"] == value.status and row["value"] == value.number)


_KEY = (_r.metric, _r.day, _r.channel, _r.account, _r.dimensions)
_COLUMNS = (*_KEY, *(column for column in _r if column not in set(_KEY)))
_NAMES = tuple(column.name for column in _COLUMNS)
_ASKED = (
    select(*_COLUMNS)
    .where(
        _r.metric.in_(bindparam("metrics", expanding=True)), _r.day >= bindparam("since"), _r.day <= bindparam("until")
    )
    .order_by(*_KEY, _r.revision)
)


def _histories(
    session: Connection, metrics: list[str], since: str, until: str, as_of: datetime | None = None
) -> defaultdict[Key, list[Row]]:
    found: defaultdict[Key, list[Row]] = defaultdict(list)
    asked = _ASKED.where(_r.at <= as_of) if as_of else _ASKED
    for row in session.execute(asked, {"metrics": metrics, "since": since, "until": until}):
        found[Key(*row[: len(_KEY)])].append(dict(zip(_NAMES, row, strict=True)))
    return found


def _standing(session: Connection, values: list[Value]) -> defaultdict[Key, list[Row]]:
    if not values:
        return defaultdict(list)
    days = [value.day.isoformat() for value in values]
    return _histories(session, sorted({value.metric for value in values}), min(days), max(days))
