"""What follows from the answers to the engine's own questions: events, a cursor, a pause, or a later try."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, select
from sqlalchemy import update as changed
from sqlalchemy.dialects.postgresql import insert as upsert  # SQLite's compiler writes it as well

from connectors.base import Incoming, Polled
from connectors.errors import ConnectorError, NotConnected, Rejected, Unavailable
from flows.engine import effects
from flows.engine.askable import CONFIRM, POLL, Use, period
from flows.engine.incoming import own_key, usable
from flows.engine.questions import Told
from flows.engine.world import World
from flows.people import reconnect
from flows.store import tables as t
from flows.store.prepared import Prepared
from flows.store.read import Row
from flows.store.write import UNCONFIRMED, change, doubted, emit

EVENT = "confirm/"  # before an event's number: what is kept of one that could not be asked while others could
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0  # seconds between tries of a service that is away
FIRST_REFUSED, LONGEST_REFUSED = 60.0, 1800.0  # of one that says no
AT_ONCE = 500  # events kept in one turn
TELL = 3  # refusals in a row, after which the owner is told
_a = t.asking.c
_ITS = and_(_a.connection == bindparam("its"), _a.what == bindparam("about"))
_ROW = Prepared(select(t.asking).where(_ITS))
_COLUMNS = ("claimer", "cursor", "attempt", "refused", "next_at", "done_at", "failed_at", "reason")
_KEEP = Prepared(changed(t.asking).where(_ITS), _COLUMNS)
_GONE = Prepared(delete(t.asking).where(_ITS))
_new = upsert(t.asking)
_AGAIN = Prepared(
    _new.on_conflict_do_update(
        index_elements=["connection", "what"],
        set_={name: _new.excluded[name] for name in ("attempt", "next_at", "failed_at", "reason")},
    ),
    ("connection", "what", "attempt", "refused", "next_at", "failed_at", "reason"),
)
_EVENT = Prepared(select(t.event).where(t.event.c.id == bindparam("event")))


def take(session: Connection, world: World, told: Told, now: datetime) -> Told | None:
    """Write down what came back: events and the next cursor together, or why there are none.

    Returns what is left of a long list: the writers of other processes come in between. Until all of it is kept, the
    cursor stays where it is, so that a kill loses nothing.
    """
    name, what = told.question.use
    row = _ROW.first(session, its=name, about=what)
    if row is None or row["claimer"] != world.claimer:
        return None  # others took us for dead, and ask it themselves
    if what == POLL and row["cursor"] != told.question.cursor:
        _keep(session, row, claimer=None)
        return None
    error = _settle(session, world, told, now) if what == CONFIRM else told.error
    if error is not None:
        _failed(session, world, row, error, now)
        return None
    cursor = row["cursor"]
    if isinstance(told.found, Polled):
        cursor = told.found.cursor
        events = told.found.events if told.question.cursor is not None else ()  # what was there before is not news
    else:
        events = told.found
    for one in events[:AT_ONCE]:
        _emit(session, name, one, now)
    if rest := events[AT_ONCE:]:
        return replace(told, found=Polled(rest, cursor or "") if what == POLL else rest)
    _answered(session, world, row, cursor, now)
    return None


def gave_up(session: Connection, world: World, told: Told, fault: str, now: datetime) -> None:
    """An answer that cannot be kept: as if it had been refused."""
    name, what = told.question.use
    row = _ROW.first(session, its=name, about=what)
    if row is not None and row["claimer"] == world.claimer:
        _failed(session, world, row, Rejected(fault), now)


def _answered(session: Connection, world: World, row: Row, cursor: str | None, now: datetime) -> None:
    name, what = row["connection"], row["what"]
    then = now + period(world, (name, what)) if what != CONFIRM else None
    good = {"attempt": 0, "refused": False, "done_at": now, "reason": None}
    _keep(session, row, claimer=None, cursor=cursor, next_at=then, **good)
    if row["refused"] or row["attempt"] >= TELL:
        reconnect.works(session, name, now, credential=row["refused"])
    if world.rates.worked(name):
        effects.is_back(session, name, now)


def _failed(session: Connection, world: World, row: Row, error: ConnectorError, now: datetime) -> None:
    """Ask again later, longer after each failure; who must do something about it is told once."""
    name, attempt = row["connection"], row["attempt"] + 1
    refused = isinstance(error, NotConnected)
    if isinstance(error, NotConnected):
        reconnect.pause(session, name, error, now)
    elif isinstance(error, Rejected):
        if attempt >= TELL:
            reconnect.tell(session, name, f"{error.reason}; {error.next_step}", now)
    else:
        world.rates.failed(name, now)
    bad = {"attempt": attempt, "refused": refused or row["refused"], "failed_at": now, "reason": error.reason}
    _keep(session, row, claimer=None, next_at=now + _pause(world, name, attempt, error, now), **bad)


def _pause(world: World, name: str, attempt: int, error: ConnectorError, now: datetime) -> timedelta:
    away = not isinstance(error, NotConnected | Rejected)
    first, longest = (FIRST_PAUSE, LONGEST_PAUSE) if away else (FIRST_REFUSED, LONGEST_REFUSED)
    seconds = min(first * 2 ** min(attempt - 1, 20), longest) * world.chance.uniform(0.75, 1.25)
    if isinstance(error, Unavailable) and error.retry_after is not None:
        seconds = max(error.retry_after, 0.1)
        world.rates.rest(name, now, timedelta(seconds=seconds))
    return timedelta(seconds=seconds)


def _settle(session: Connection, world: World, told: Told, now: datetime) -> ConnectorError | None:
    """Let events go on that are so, put aside those that are not. Returns what holds for the whole connection."""
    away = [outcome for _, outcome in told.outcomes if isinstance(outcome, ConnectorError) and _is_away(outcome)]
    answered = len(away) < len(told.outcomes)
    for event, outcome in told.outcomes:
        use = (told.question.use[0], f"{EVENT}{event}")
        if isinstance(outcome, ConnectorError) and _is_away(outcome):
            if answered:
                _one_later(session, world, use, event, outcome, now)
            continue
        _GONE.do(session, {"its": use[0], "about": use[1]})
        if isinstance(outcome, bytes):
            change(session, t.private_event, event, body=outcome)
            change(session, t.event, event, state="new", confirmed_at=now, reason=None)
        else:
            reason = "the service knows nothing of it" if outcome is None else outcome.reason
            change(session, t.event, event, state="quarantined", reason=f"{UNCONFIRMED}{reason}")
    return told.error or (away[-1] if away and not answered else None)


def _is_away(outcome: object) -> bool:
    return isinstance(outcome, ConnectorError) and not isinstance(outcome, Rejected)


def _one_later(session: Connection, world: World, use: Use, event: int, error: ConnectorError, now: datetime) -> None:
    """One event that could not be asked while others could: it waits for itself, and at last for a person."""
    row, kept = _EVENT.the(session, event=event), _ROW.first(session, its=use[0], about=use[1])
    attempt = kept["attempt"] + 1 if kept else 1
    then = now + _pause(world, use[0], attempt, error, now)
    if then - row["at"] > world.give_up:
        reason = f"{UNCONFIRMED}{error.reason}; given up after long trying"
        change(session, t.event, event, state="quarantined", reason=reason)
        _GONE.do(session, {"its": use[0], "about": use[1]})
        return
    facts = {"connection": use[0], "what": use[1], "attempt": attempt, "refused": False, "next_at": then}
    _AGAIN.do(session, {**facts, "failed_at": now, "reason": error.reason})


def _emit(session: Connection, name: str, one: Incoming, now: datetime) -> None:
    """Keep what the service itself has told; known by its key, it is known already.

    One that a confirmation did not find, and that the service lists by now, is so after all.
    """
    raw = one.raw if one.raw is not None else json.dumps(one.payload, default=str).encode()
    odd = None if usable(one.key) else "the sender's key is no text"
    made = emit(session, name, own_key({}, raw) if odd else one.key, one.name, now, raw, quarantined=odd)
    if made is not None:
        change(session, t.event, made, confirmed_at=now)
    elif event := doubted(session, name, one.key):
        change(session, t.private_event, event, body=raw)
        change(session, t.event, event, state="new", confirmed_at=now, reason=None)


def _keep(session: Connection, row: Row, **values: Any) -> None:
    kept = {column: row[column] for column in _COLUMNS}
    _KEEP.do(session, {**kept, **values, "its": row["connection"], "about": row["what"]})
