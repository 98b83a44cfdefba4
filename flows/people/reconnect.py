"""A connection whose credential is missing or refused: it pauses, one assignment says what to do, and it goes on."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as upsert  # SQLite's compiler writes it as well

from connectors.errors import NotConnected
from flows.store import tables as t
from flows.store.write import open_assignment

KIND = "reconnect"  # a kind of assignment
_PAUSED = select(t.connection.c.paused).where(t.connection.c.name == bindparam("its"))


def pause(session: Connection, connection: str, error: NotConnected, now: datetime) -> None:
    """The connection pauses. However many calls, polls and refreshes are refused, one assignment says so."""
    if session.execute(_PAUSED, {"its": connection}).scalar():
        return
    reason = f"{error.reason}; {error.next_step}"
    told = {"paused": reason, "at": now}
    new = upsert(t.connection).values(name=connection, **told)
    first = new.on_conflict_do_update(  # of several engines, one
        index_elements=["name"], set_=told, where=t.connection.c.paused.is_(None)
    ).returning(t.connection.c.name)
    if session.execute(first).first():
        tell(session, connection, reason, now)


def tell(session: Connection, connection: str, reason: str, now: datetime) -> None:
    """The owner is told, once, that a service says no; the connection does not pause."""
    if session.execute(select(t.assignment.c.id).where(_open(connection))).first() is None:
        open_assignment(session, now, kind=KIND, connection=connection, role="owner", reason=reason)


def resume(session: Connection, connection: str, now: datetime) -> None:
    """What waits for the connection is tried again at once."""
    e, a = t.effect.c, t.asking.c
    session.execute(update(t.connection).where(t.connection.c.name == connection).values(paused=None, at=now))
    session.execute(
        update(t.effect).where(e.connection == connection, e.state == "due").values(next_at=now, attempt=0, made_at=now)
    )
    again = update(t.asking).where(a.connection == connection, a.attempt > 0)
    session.execute(again.values(next_at=None, attempt=0, refused=False))


def works(session: Connection, connection: str, now: datetime, *, credential: bool = True) -> bool:
    """The service answers again: nobody has to do anything. Says whether the connection was paused.

    `credential`: whether it was the credential that it did not take; else a pause for that reason stays.
    """
    paused = bool(session.execute(_PAUSED, {"its": connection}).scalar())
    if paused and not credential:
        return False
    session.execute(
        update(t.assignment)
        .where(_open(connection))
        .values(state="withdrawn", next_at=None, done_at=now, reason="it answers again")
    )
    if paused:
        resume(session, connection, now)
    return paused


def _open(connection: str) -> ColumnElement[bool]:
    a = t.assignment.c
    return and_(a.kind == KIND, a.connection == connection, a.state.in_(("open", "claimed")))
