"""What the engine asks by itself, beside the steps of cases: is an event so, what is new, and what did we miss?

A confirmation asks the service of an event whose sender does not sign; a poll asks a service that tells nobody; a
reconciliation lists what a service has told us, or thinks it has. All only read; what they find becomes events.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection, String, and_, bindparam, cast, exists, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert  # SQLite's compiler writes it as well

from flows.engine.askable import CONFIRM, HOURLY, RECONCILE, Use, askable
from flows.engine.each import Units
from flows.engine.learning import EVENT, gave_up, take
from flows.engine.questions import Question, Told, Unconfirmed
from flows.engine.world import World
from flows.playbook.model import Book
from flows.store import tables as t
from flows.store.claims import Claim
from flows.store.locks import ASKING, SENDING, alone, try_alone
from flows.store.prepared import Prepared
from flows.store.read import Row

TOGETHER = 20  # events that one question asks about, one after another
_a, _ev, _later = t.asking.c, t.event.c, t.asking.alias().c
_ITS = and_(_a.connection == bindparam("its"), _a.what == bindparam("about"))
_KNOWN = Prepared(select(t.asking).where(or_(*(_a.what == what for what in ("poll", RECONCILE, CONFIRM)))))
_WAITING = Prepared(
    select(_ev.id, _ev.name, t.private_event.c.body)
    .select_from(t.event.join(t.private_event))
    .where(
        _ev.state == "unconfirmed",
        _ev.connection == bindparam("its"),
        ~exists().where(  # one that could not be asked while others could waits for itself
            _later.connection == _ev.connection,
            _later.what == literal(EVENT) + cast(_ev.id, String),
            _later.next_at > bindparam("now", type_=t.At()),
            _later.failed_at <= bindparam("now", type_=t.At()),  # else the clock has gone back since
        ),
    )
    .order_by(_ev.id)
    .limit(bindparam("most"))
)
_MAKE = Prepared(
    upsert(t.asking).on_conflict_do_nothing(index_elements=["connection", "what"]),
    ("connection", "what", "cursor", "next_at", "attempt", "refused"),
)
_CLAIM = Prepared(update(t.asking).where(_ITS), ("claimer",))
_CLAIMERS = Prepared(select(_a.claimer).where(_a.claimer.is_not(None)).distinct())
_FREE = Prepared(update(t.asking).where(_a.claimer == bindparam("gone")).values(claimer=None))


class Asks(Protocol):
    """Asks: side by side in threads, or at once in a test."""

    @property
    def free(self) -> int: ...
    def submit(self, asked: Question) -> None: ...
    def answers(self) -> list[Told]: ...


class Asking:
    """One engine's questions: marked as its own in a turn, asked after the commit, taken in a later turn."""

    def __init__(self, world: World, asks: Asks) -> None:
        self._world, self._asks = world, asks
        self._flying: set[Use] = set()
        self._marked: list[Question] = []
        self._told: list[Told] = []  # kept until they are committed
        self._rest: list[Told] = []  # of long lists: taken in the next turn
        self._begun: set[str] = set()  # connections that were reconciled since this engine began
        self._known: tuple[Book, tuple[Use, ...]] | None = None

    def came_back(self) -> bool:
        """Whether there are answers to be taken."""
        self._told += self._asks.answers()
        return bool(self._told)

    def due(self, session: Connection, now: datetime) -> bool:
        """Whether there is a question that could leave now; where no connection is asked it costs nothing."""
        return self._asks.free > 0 and next(self._due(session, now), None) is not None

    def turn(self, units: Units, now: datetime, *, due: bool) -> None:
        """In the engine's transaction: take what came back, and mark what is asked next."""
        self._marked = []
        taken = units.each(
            self._told,
            lambda told: take(units.session, self._world, told, now),
            lambda told, fault: gave_up(units.session, self._world, told, fault, now),
        )
        self._rest = [told for told in taken if told]
        if (due or self._told) and self._asks.free > 0 and try_alone(units.session, ASKING):
            self._mark(units.session, now)

    def leave(self) -> None:
        """After the commit."""
        self._flying -= {told.question.use for told in self._told} - {told.question.use for told in self._rest}
        self._told, self._rest = self._rest, []
        for question in self._marked:
            self._flying.add(question.use)
            self._asks.submit(question)
        self._marked = []

    def _uses(self) -> tuple[Use, ...]:
        if self._known is None or self._known[0] is not self._world.book:
            self._known = (self._world.book, askable(self._world))
        return self._known[1]

    def _due(self, session: Connection, now: datetime) -> Iterator[tuple[Use, Row | None]]:
        uses = self._uses()
        taken = {told.question.use for told in self._told} - {told.question.use for told in self._rest}
        if not uses:
            return
        known = {(row["connection"], row["what"]): row for row in _KNOWN.rows(session)}
        held = self._world.rates.held(now, self._world.rate)
        for use in uses:
            if (use in self._flying and use not in taken) or use[0] in held or not self._free(use, known.get(use), now):
                continue
            if use[1] != CONFIRM or _WAITING.first(session, its=use[0], now=now, most=1):
                yield use, known.get(use)

    def _free(self, use: Use, row: Row | None, now: datetime) -> bool:
        """Whether its time has come, and nobody asks it already."""
        if row is None:
            return True
        if row["claimer"] not in {None, self._world.claimer}:
            return False
        at_start = use[1] == RECONCILE and use[0] not in self._begun and not row["attempt"]
        gone_back = any(at and at - now > HOURLY for at in (row["done_at"], row["failed_at"]))  # the clock
        return at_start or gone_back or row["next_at"] is None or row["next_at"] <= now

    def _mark(self, session: Connection, now: datetime) -> None:
        found = list(self._due(session, now))[: self._asks.free]
        paced = session.dialect.name != "sqlite" and any(self._world.rate(name) for (name, _), _ in found)
        if paced:  # all engines keep one count
            alone(session, SENDING)
            self._world.rates.read(session)
        for use, row in found:
            if question := self._question(session, use, row, now):
                values = {"connection": use[0], "what": use[1], "cursor": None, "next_at": None}
                _MAKE.do(session, {**values, "attempt": 0, "refused": False})
                _CLAIM.do(session, {"its": use[0], "about": use[1], "claimer": self._world.claimer})
                self._marked.append(question)
        if paced:
            self._world.rates.write(session, now)

    def _question(self, session: Connection, use: Use, row: Row | None, now: datetime) -> Question | None:
        name, what = use
        if what == CONFIRM:
            waiting = _WAITING.rows(session, its=name, now=now, most=TOGETHER)
            events = tuple(Unconfirmed(**one) for one in waiting if self._in_rate(session, name, now))
            return Question(use, events=events) if events else None
        if what == RECONCILE:
            self._begun.add(name)
            if row is None:  # what was before is not asked for
                values = {"connection": name, "what": what, "cursor": now.isoformat(), "next_at": now + HOURLY}
                _MAKE.do(session, {**values, "attempt": 0, "refused": False})
                return None
            if not self._in_rate(session, name, now):
                return None
            first = datetime.fromisoformat(row["cursor"])
            since = max(first, row["done_at"] - HOURLY) if row["done_at"] else first
            return Question(use, since=since if since <= now else now - HOURLY)
        return Question(use, cursor=row["cursor"] if row else None) if self._in_rate(session, name, now) else None

    def _in_rate(self, session: Connection, name: str, now: datetime) -> bool:
        return self._world.rates.take(session, name, self._world.rate(name), now)


def abandoned(session: Connection, claim: Claim) -> set[str]:
    """Engines that were asking something, and are gone."""
    found = {row["claimer"] for row in _CLAIMERS.rows(session)} - {claim.id}
    return claim.dead(session, found) if found else set()


def free(session: Connection, gone: set[str]) -> None:
    """What they were asking may be asked again: it only reads."""
    for one in gone:
        _FREE.do(session, {"gone": one})
