"""Kept answers read anew, with today's connectors: nobody is asked. What a later pull asked stands above it."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection, exists, select

from connectors.errors import ConnectorError, Rejected
from flows.ledger.pull import parts
from flows.ledger.pull.asked import Question, read
from flows.ledger.pull.asked import question as as_asked
from flows.ledger.pull.planning import Part, Wish, runs
from flows.ledger.pull.pulling import Puller
from flows.ledger.pull.summary import Summary
from flows.ledger.series import days
from flows.store import tables as t
from flows.store.read import Row, rows

LAST = "last"  # the newest pull that has answers
_p, _q, _n = t.pull.c, t.pull_part.c, t.private_answer.c
_HAS = exists().where(_n.part_id == _q.id)


def read_again(puller: Puller, pull: str, by: str | None = None) -> Summary:
    """Read the answers of a pull again and keep what differs, as a pull of its own.

    Raises Rejected where it has no answers any more, Unavailable while another pull is under way.
    """
    with puller.store.read() as session:
        found = _parts(session, pull)
        wanted = [(part, row) for row in found for part in _newest(session, row, puller)]
    if not found:
        raise Rejected(f"of the pull {pull} no answers are kept", next_step="they are kept for 30 days; pull anew")

    of = {_name(part): row for part, row in wanted}

    def ask(questions: Iterable[Question]) -> Iterator[list[Question]]:
        for one in questions:
            _read(puller, one, of[_name(one.part)])
            yield [one]

    return puller.run(Wish("again"), [part for part, _ in wanted], ask, by=by)


def _name(part: Part) -> tuple[str, ...]:
    return tuple(str(value) for value in parts.row_of(part, "").values())


def _parts(session: Connection, pull: str) -> list[Row]:
    asked = select(t.pull_part).join(t.pull).where(_p.kind != "again", _HAS)
    if pull == LAST:
        newest = asked.order_by(_q.id.desc()).limit(1)
        pull = next((row["pull_id"] for row in rows(session, newest)), pull)
    return rows(session, asked.where(_q.pull_id == pull).order_by(_q.id))


def _newest(session: Connection, row: Row, puller: Puller) -> list[Part]:
    """The part, as far as no later pull has asked the same: its days and metrics, cut where one has."""
    part = parts.part_of(row, puller.book)
    later = (
        select(t.pull_part)
        .join(t.pull)
        .where(_p.kind != "again", _q.id > row["id"], _q.source == part.source, _q.state == "done")
        .where(_q.until >= part.since.isoformat(), _q.since <= part.until.isoformat())
    )
    asked = [parts.part_of(one, puller.book) for one in rows(session, later)]
    return [replace(part, metrics=metrics, since=since, until=until) for metrics, since, until in _left(part, asked)]


def _left(part: Part, later: list[Part]) -> Iterator[tuple[tuple[str, ...], date, date]]:
    by_days: dict[tuple[date, ...], list[str]] = {}
    for name in part.metrics:
        gone = [one for one in later if name in one.metrics]
        left = tuple(day for day in days(part.since, part.until) if not any(_covers(one, day) for one in gone))
        by_days.setdefault(left, []).append(name)
    for left, names in by_days.items():
        yield from ((tuple(names), first, last) for first, last in runs(left, len(left)))


def _covers(part: Part, day: date) -> bool:
    return part.since <= day <= part.until


def _read(puller: Puller, question: Question, row: Row) -> None:
    question.asked = as_asked(row["id"], parts.part_of(row, puller.book), puller.book).asked  # the whole one
    with puller.store.read() as session:
        kept = rows(session, select(_n.page, _n.body).where(_n.part_id == row["id"]).order_by(_n.id))
    try:
        connector = puller.connection(question.part.connection)
        for one in kept:
            question.take(read(connector, question, one["page"] or None, zlib.decompress(one["body"])))
        if question.open:
            raise Rejected("not all of its pages were kept", next_step="pull these days anew")
    except ConnectorError as error:
        question.error = error
