"""One part of a pull in the store: its row, the values of its answers, the days that they leave out."""

import json
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, insert, select

from connectors.analytics import Reading
from connectors.errors import Rejected
from flows.ledger.pull.asked import Question
from flows.ledger.pull.planning import EXCHANGES, MINUTES, PERSON, Part
from flows.ledger.readings import Key, Value, current, current_of, key_of
from flows.ledger.series import days, kind_of
from flows.playbook.metrics import Source
from flows.playbook.model import Book
from flows.store import tables as t
from flows.store.read import Row

_TWICE = "split what makes them different; if they are the same, a page came twice: ask the service's support"
ANSWERS_KEPT = timedelta(days=30)  # raw, to be read again by a corrected connector
Day = tuple[str, date]  # a metric's day
_r = t.reading.c


def row_of(part: Part, pull: str) -> Row:
    asked = {"metrics": part.metrics, "where": dict(part.where), "split": part.split}
    return {
        "pull_id": pull, "source": part.source, "connection": part.connection or None, "state": "open",
        "asked": json.dumps(asked, ensure_ascii=False),
        "since": part.since.isoformat(), "until": part.until.isoformat(),
    }  # fmt: skip


def part_of(row: Row, book: Book) -> Part:
    """The part of a row; without the metrics that are gone meanwhile, or are asked of another source or otherwise."""
    asked = json.loads(row["asked"])
    known = book.metrics.metrics
    metrics = tuple(name for name in asked["metrics"] if name in known and _asks(known[name].source, row, asked))
    since, until = date.fromisoformat(row["since"]), date.fromisoformat(row["until"])
    return Part(row["source"], metrics, since, until, asked["where"], tuple(asked["split"]))


def _asks(source: Source, row: Row, asked: Row) -> bool:
    if source.use is None:
        return bool(row["source"] == (EXCHANGES if source.exchanges else MINUTES if source.minutes_of else PERSON))
    now = source.use, source.where, source.split
    return bool(now == (row["source"], asked["where"], asked["split"]))


def values_of(book: Book, asked: Question) -> list[Value]:
    """What the answers say of our metrics. Raises Rejected where they say a day's number twice, be it the same.

    A page that comes twice leaves another one out, whose days would be taken for days without a number.
    """
    part, names = asked.part, asked.part.names(book)
    found: dict[Key, Value] = {}
    for answer in asked.answers:
        for one in answer.found.readings:
            for name in names.get(one.metric, ()) if part.since <= one.day <= part.until else ():
                if _of_another(book, name, one):
                    continue
                value = Value(
                    name, one.day, one.value, part.source,
                    account=one.account, channel=one.channel, dimensions=one.dimensions, raw=answer.hash,
                )  # fmt: skip
                if found.setdefault(key_of(book, value), value) is not value:
                    raise Rejected(f"it brings two numbers of {one.day} for {one.metric}", next_step=_TWICE)
    return list(found.values())


def _of_another(book: Book, name: str, one: Reading) -> bool:
    """Whether a number is of another of the company's channels than its metric is about.

    Raises Rejected for a channel that the company does not have: its number would be taken for the metric's own.
    """
    own, channels = book.metrics.metrics[name].channel, book.company.channels
    if own is None or one.channel in {"", own, channels.get(own)}:
        return False
    if one.channel not in channels and one.channel not in channels.values():
        said = f"what it brings of {one.day} for {one.metric} is of a channel that the company does not have"
        raise Rejected(said, next_step="name channels as company.yaml does, or leave them out")
    return True


def told(book: Book, asked: Question, name: str, day: date) -> bool:
    """Whether the answers tell of a metric's day, so that what they leave out is nothing. A file ends somewhere."""
    named = book.metrics.metrics[name].source.of or name
    return all(answer.found.tells(named, day) for answer in asked.answers)


def known(session: Connection, names: Iterable[str], first: date, last: date) -> set[Day]:
    """Metrics' days of which a number is known."""
    asked = (
        select(_r.metric, _r.day)
        .where(_r.metric.in_(list(names)), _r.day >= first.isoformat(), _r.day <= last.isoformat())
        .where(_r.status != "missing")
        .distinct()
    )
    return {(metric, date.fromisoformat(day)) for metric, day in session.execute(asked)}


def lacking(session: Connection, part: Part, came: set[Day]) -> list[Day]:
    """The part's days of which nothing came and nothing is known: an answer without a day erases nothing."""
    wanted = [(name, day) for name in part.metrics for day in days(part.since, part.until) if (name, day) not in came]
    if not wanted:
        return []
    there = known(session, part.metrics, part.since, part.until)
    return [one for one in wanted if one not in there]


def absent(part: Part, name: str, day: date, raw: str | None, *, zero: bool) -> Value:
    """A day that the source left out: a zero, or missing."""
    return Value(name, day, Decimal(0) if zero else None, part.source, raw=raw)


def left_out(session: Connection, book: Book, part: Part, values: list[Value], raw: str) -> list[Value]:
    """Zeros for accounts or dimensions that a whole answer leaves out of a day of which it has others.

    Where absence means zero. Else what was counted there before would be counted a second time where it went.
    """
    zero = {name for name in part.metrics if book.metrics.metrics[name].absent_day == "zero"}
    came = {key for value in values if value.metric in zero and any((key := key_of(book, value))[2:])}
    kinds = {(key.metric, key.day, kind_of(key)) for key in came}
    found = []
    known = current(session, {key.metric for key in came}, part.since, part.until) if came else {}
    for key, history in known.items():
        now = current_of(history)
        if key in came or (key.metric, key.day, kind_of(key)) not in kinds or not now or not now["value"]:
            continue
        if now["standing"] != "pinned" and now["source"] == part.source:
            dimensions = json.loads(key.dimensions) if key.dimensions else {}
            day, nothing = date.fromisoformat(key.day), Decimal(0)
            found.append(Value(key.metric, day, nothing, part.source, None, key.account, key.channel, dimensions, raw))
    return found


def only_holes(session: Connection, part: Part, values: list[Value]) -> list[Value]:
    """Without the values of days of which a number is known already."""
    there = known(session, part.metrics, part.since, part.until)
    return [value for value in values if (value.metric, value.day) not in there]


def keep_answers(session: Connection, asked: Question, now: datetime) -> None:
    """The answers as they came, for a while."""
    if kept := asked.kept:
        facts = {"part_id": asked.number, "at": now, "retain_until": now + ANSWERS_KEPT}
        session.execute(
            insert(t.private_answer),
            [facts | {"page": one.page or "", "hash": one.hash, "body": one.packed} for one in kept],
        )
