"""The engine: one owner thread that takes turns; a turn is one transaction, and calls leave after its commit."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, func, select, update

from flows.engine import effects, events, scheduler
from flows.engine.advance import advance
from flows.engine.walk import Walk
from flows.engine.world import World
from flows.people.notices import look
from flows.store import tables as t
from flows.store.read import rows
from flows.store.store import Store
from flows.store.write import journal

AT_ONCE = 200  # events and cases of one turn: enough to share a commit, few enough to stay quick
log = logging.getLogger(__name__)
_STANDING = frozenset({"waiting", "assigned", "parked", "in_doubt"})


class Caller(Protocol):
    """Makes calls: side by side in threads, or at once in a simulation."""

    @property
    def free(self) -> int: ...
    def submit(self, sending: effects.Sending) -> None: ...
    def answers(self) -> list[effects.Answer]: ...


class Engine:
    """Everything that happens to cases happens in `turn`."""

    def __init__(self, store: Store, world: World, calls: Caller, *, fires_at_once: bool = False) -> None:
        self._store, self._world, self._calls = store, world, calls
        self._grace = scheduler.GRACE * (0 if fires_at_once else 1)
        self._answers: list[effects.Answer] = []  # kept until they are committed: a turn may fail on a busy disk

    def recover(self) -> int:
        """After a start: settle what was in flight when the engine stopped."""
        with self._store.write() as session:
            return effects.recover(session, self._world.clock.now())

    def turn(self) -> bool:
        """One turn. Says whether there may be more to do at once."""
        self._answers += self._calls.answers()
        if not self._answers and not self._anything():
            return False
        with self._store.write() as session:
            now = self._world.clock.now()
            for answer in self._answers:
                effects.take(session, self._world, answer, now)
            scheduler.start_due(session, self._world, now, self._grace)
            took = self._events(session) + self._cases(session, now) + self._assignments(session, now)
            sending = effects.mark_sending(session, self._world, now, self._calls.free)
        self._answers = []
        for one in sending:
            self._calls.submit(one)
        return bool(took or sending)

    def next_wake(self) -> datetime | None:
        """When something is due next, if nothing comes from outside before."""
        a, c, e = t.assignment.c, t.case.c, t.effect.c
        with self._store.read() as session:
            found = [
                session.execute(select(func.min(c.wake_at)).where(c.held.is_(None))).scalar(),
                session.execute(select(func.min(a.next_at)).where(a.state.in_(("open", "claimed")))).scalar(),
                session.execute(select(func.min(e.next_at)).where(e.state == "due")).scalar(),
            ]
        return min((at for at in found if at is not None), default=None)

    def _anything(self) -> bool:
        """Whether a turn has work; reading costs nothing, a write transaction a disk sync."""
        now = self._world.clock.now()
        with self._store.read() as session:
            if session.execute(select(t.event.c.id).where(t.event.c.state == "new").limit(1)).first():
                return True
            if any(session.execute(due.limit(1)).first() for due in (_due_cases(now), _due_assignments(now))):
                return True
            due = select(t.effect.c.id).where(t.effect.c.state == "due", t.effect.c.next_at <= now)
            if session.execute(due.limit(1)).first():
                return True
            return scheduler.anything(session, self._world, now, self._grace)

    def _events(self, session: Connection) -> int:
        rows = session.execute(select(t.event).where(t.event.c.state == "new").order_by(t.event.c.id).limit(AT_ONCE))
        return self._each(
            session,
            rows.mappings().all(),
            lambda row: events.take(session, self._world, row),
            lambda row, fault: session.execute(
                update(t.event).where(t.event.c.id == row["id"]).values(state="quarantined", reason=fault)
            ),
        )

    def _cases(self, session: Connection, now: datetime) -> int:
        found = rows(session, _due_cases(now).limit(AT_ONCE))
        return self._each(
            session,
            found,
            lambda row: self._advance(session, dict(row), now),
            lambda row, fault: _hold(session, row, fault, now),
        )

    def _advance(self, session: Connection, case: dict[str, Any], now: datetime) -> None:
        case["was_leg"] = case["leg"]
        case["leg"] += case["status"] in _STANDING
        advance(Walk(self._world, session, self._world.pinned(session, case["version"]), case, now))

    def _assignments(self, session: Connection, now: datetime) -> int:
        found = rows(session, _due_assignments(now).limit(AT_ONCE))
        return self._each(
            session,
            found,
            lambda row: self._look(session, row, now),
            lambda row, _fault: session.execute(
                update(t.assignment).where(t.assignment.c.id == row["id"]).values(next_at=None)
            ),
        )

    def _look(self, session: Connection, row: Any, now: datetime) -> None:
        playbook = None
        if row["case_id"]:
            version = session.execute(select(t.case.c.version).where(t.case.c.id == row["case_id"])).scalar_one()
            playbook = self._world.pinned(session, version)
        look(session, self._world.book, playbook, row, now, self._world.links)

    def _each(
        self,
        session: Connection,
        rows: Iterable[Any],
        do: Callable[[Any], object],
        fail: Callable[[Any, str], object],
    ) -> int:
        """Each row in a savepoint of its own: a poisoned one harms nobody else."""
        count = 0
        for row in rows:
            count += 1
            try:
                with session.begin_nested():
                    do(row)
            except Exception as error:
                log.exception("row %s was set aside", row["id"])
                fail(row, f"digilog itself failed here ({type(error).__name__}); the log of the engine has the details")
        return count


def _due_cases(now: datetime) -> Any:
    c = t.case.c
    return select(t.case).where(c.wake_at <= now, c.held.is_(None)).order_by(c.wake_at)


def _due_assignments(now: datetime) -> Any:
    a = t.assignment.c
    return select(t.assignment).where(a.state.in_(("open", "claimed")), a.next_at <= now).order_by(a.next_at)


def _hold(session: Connection, case: Any, reason: str, now: datetime) -> None:
    session.execute(update(t.case).where(t.case.c.id == case["id"]).values(held=reason, failed=True))
    journal(session, case, None, "held", now, reason=reason)
