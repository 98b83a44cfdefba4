"""How connections fared: their newest calls, events and pulls, what the engine asked them; few statements for all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Column,
    CompoundSelect,
    Connection,
    Label,
    ScalarSelect,
    TextClause,
    func,
    literal,
    select,
    text,
    union_all,
)

from flows.store import tables as t
from flows.store.newest import newest
from flows.store.read import Row, rows

_DONE, _BAD = text("state = 'done'"), text("state IN ('failed', 'in_doubt')")  # as the indexes say it
_ANSWERED, _UNANSWERED = text("state = 'done'"), text("state = 'failed'")
_e, _a, _ev, _c, _q = t.effect.c, t.asking.c, t.event.c, t.connection.c, t.pull_part.c
_WAITS = (  # however many there are, a line for each reason
    select(_e.connection, _e.reason, func.count().label("calls"), func.max(_e.started_at).label("tried_at"))
    .where(_e.state == "due")
    .group_by(_e.connection, _e.reason)
)


@dataclass(frozen=True, slots=True)
class Fared:
    """The newest good and bad outcome of a connection's calls, and its newest event (times aware)."""

    good: datetime | None = None
    bad: datetime | None = None
    reason: str = ""
    heard: datetime | None = None
    paused: str = ""
    waiting: int = 0  # calls that wait for the connection


def fared(session: Connection, names: Sequence[str]) -> dict[str, Fared]:
    """How each of these connections fared."""
    if not names:
        return {}
    newest = {row.connection: row._asdict() for row in session.execute(_newest(tuple(names)))}
    waits = rows(session, _WAITS.where(_e.connection.in_(names)))
    asked = rows(session, select(_a.connection, _a.done_at, _a.failed_at, _a.reason).where(_a.connection.in_(names)))
    paused = {one["name"]: one["paused"] for one in rows(session, select(_c.name, _c.paused).where(_c.name.in_(names)))}
    return {
        name: _fared(row, _of(name, waits), _of(name, asked), paused.get(name) or "") for name, row in newest.items()
    }


def _fared(newest: Row, waits: list[Row], asked: list[Row], paused: str) -> Fared:
    good = [newest["good"], newest["pulled"], *(one["done_at"] for one in asked)]
    failed = [(newest["bad"], newest["reason"]), (newest["unpulled"], newest["unpulled_reason"])]
    failed += [(one["tried_at"], one["reason"]) for one in waits if one["reason"]]
    failed += [(one["failed_at"], one["reason"]) for one in asked]
    bad, reason = max(((at, reason or "") for at, reason in failed if at), default=(None, ""))
    waiting = sum(one["calls"] for one in waits)
    return Fared(max(filter(None, good), default=None), bad, reason, newest["heard"], paused, waiting)


def _of(name: str, found: list[Row]) -> list[Row]:
    return [one for one in found if one["connection"] == name]


@lru_cache(maxsize=16)
def _newest(names: tuple[str, ...]) -> CompoundSelect[Any]:
    """Of each: its newest call that went well, its newest one that went badly, its newest event."""
    return union_all(*(select(literal(name).label("connection"), *_newest_of(name)) for name in names))


def _newest_of(name: str) -> list[Label[Any]]:
    def call(column: Column[Any], which: TextClause) -> ScalarSelect[Any]:
        return newest(column, _e.connection, name, _e.id, which)

    heard = newest(_ev.at, _ev.connection, name, _ev.id)

    def pulled(column: Column[Any], which: TextClause) -> ScalarSelect[Any]:
        return newest(column, _q.connection, name, _q.id, which)

    asked = {"good": call(_e.ended_at, _DONE), "bad": call(_e.ended_at, _BAD), "reason": call(_e.reason, _BAD)}
    drawn = {
        "pulled": pulled(_q.ended_at, _ANSWERED),
        "unpulled": pulled(_q.ended_at, _UNANSWERED),
        "unpulled_reason": pulled(_q.reason, _UNANSWERED),
    }
    return [one.label(word) for word, one in {**asked, **drawn, "heard": heard}.items()]
