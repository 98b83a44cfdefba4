"""What surrounds the engine in a simulation: a store that can die at a commit, and a wire with time on it."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import OperationalError

from connectors.errors import ConnectorError, Rejected, Unavailable, Uncertain
from flows.engine.calls import perform
from flows.engine.effects import Answer, Sending
from flows.engine.world import OUTGOING_STATES, World
from flows.store import tables as t
from flows.store.prepared import Prepared
from flows.store.read import Row
from flows.store.store import Store, memory_store

_e, _c = t.effect.c, t.case.c
_EFFECT = Prepared(
    select(t.effect, _c.status, _c.held, _c.playbook, _c.version)
    .select_from(t.effect.outerjoin(t.case))
    .where(_e.id == bindparam("effect"))
)
_STATE = Prepared(select(_e.state, _c.held).select_from(t.effect.outerjoin(t.case)).where(_e.id == bindparam("effect")))


class Died(BaseException):
    """The process is gone; whatever was not committed is too."""


class Wrong(AssertionError):  # noqa: N818 - read as a sentence: a history went wrong
    """A promise is broken; the sentence says which."""


@dataclass(slots=True)
class Dangers:
    """How likely things go wrong inside the process; none of them while `on` is false."""

    chance: random.Random
    dies: float
    busy: float
    on: bool = False

    def die(self) -> None:
        if self.on and self.chance.random() < self.dies:
            raise Died

    def refuse(self) -> None:
        if self.on and self.chance.random() < self.busy:
            raise OperationalError("", None, Exception("database is locked"))


@cache
def _memory() -> tuple[Store, bytes]:
    """One store for all histories of this process, and how it looks empty: making its tables costs a quarter."""
    store = memory_store()
    with store.read() as session:
        raw: Any = session.connection.dbapi_connection
    return store, raw.serialize()


class Life:
    """The claim of one engine: when the next one begins, all others are dead."""

    def __init__(self, number: int) -> None:
        self.id = f"life-{number}"

    def hold(self) -> bool:
        return True

    def dead(self, session: Connection, ids: Iterable[str]) -> set[str]:
        return set(ids) - {self.id}

    def close(self) -> None:
        pass


class Mortal:
    """The store of a memory that outlives its process: while the engine writes, it may die before or after a commit."""

    def __init__(self, dangers: Dangers) -> None:
        self._store, empty = _memory()
        with self._store.read() as self._session:
            raw: Any = self._session.connection.dbapi_connection
        raw.deserialize(empty)
        self._dangers = dangers
        self.writing = False
        self.lives = 0

    def claim(self) -> Life:
        self.lives += 1
        return Life(self.lives)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """There is one connection and one thread: what is read needs no transaction."""
        session = self._session
        try:
            yield session
        finally:
            if session.in_transaction():  # SQLAlchemy begins one for each statement that is not prepared
                session.rollback()

    @contextmanager
    def write(self, **how: Any) -> Iterator[Connection]:
        self._dangers.refuse()
        with self._store.write(**how) as session:
            self.writing = True
            try:
                yield session
                self._dangers.die()
                self._dangers.refuse()
            finally:
                self.writing = False
        self._dangers.die()


@dataclass(slots=True)
class _Known:
    """What the wire knows of one key by itself, without the store."""

    effect: int
    party: str | None
    connection: str
    unclear: bool = False  # a sending of it may have happened, and nobody has said otherwise
    settled: bool = False


@dataclass(slots=True)
class Wire:
    """Calls under way: the service hears each after a while, and its answer takes a while. Outlives the engine.

    Checks at each sending what must hold at that moment.
    """

    world: World
    store: Mortal
    chance: random.Random
    later: Callable[[timedelta, Callable[[], None]], None]
    tell: Callable[[str], None]
    dangers: Dangers
    slots: int
    flying: dict[int, Sending] = field(default_factory=dict)
    heard: set[int] = field(default_factory=set)
    back: list[Answer] = field(default_factory=list)
    keys: dict[str, _Known] = field(default_factory=dict)
    lines: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    sent: dict[str, list[tuple[datetime, str]]] = field(default_factory=lambda: defaultdict(list))
    life: int = 0

    @property
    def free(self) -> int:
        return self.slots - len(self.flying)

    def submit(self, sending: Sending) -> None:
        self._check(sending)
        self.tell(f"call {sending.connection}.{sending.action} {sending.key}{' ask' if sending.ask else ''}")
        self.flying[sending.effect] = sending
        self.dangers.die()
        life = self.life
        slow = self.chance.choice((0.0, 0.2, 5.0, 90.0))
        self.later(timedelta(seconds=slow), lambda: self._hear(sending, life))

    def answers(self) -> list[Answer]:
        back, self.back = self.back, []
        for answer in back:
            self.flying.pop(answer.effect, None)
            self.heard.discard(answer.effect)
        return back

    def cut(self) -> None:
        """The process is gone: each call under way arrives now or never, and its answer never."""
        for sending in [one for id, one in self.flying.items() if id not in self.heard]:
            if self.chance.random() < 0.5:
                self.tell(f"heard all the same {sending.key}")
                perform(self.world, self.store, sending)  # type: ignore[arg-type]
        for sending in self.flying.values():
            known = self.keys[sending.key]
            known.unclear = True
        self.flying, self.heard, self.back = {}, set(), []
        for name, sent in self.sent.items():  # an effect remembers its last call, and so does a new engine
            self.sent[name] = sorted((at, key) for key, at in {key: at for at, key in sent}.items())
        self.life += 1

    def _hear(self, sending: Sending, life: int) -> None:
        if life != self.life:
            return
        answer = perform(self.world, self.store, sending)  # type: ignore[arg-type]
        self.heard.add(sending.effect)
        self.tell(f"  -> {sending.key} {_named(answer.error)}")
        slow = self.chance.choice((0.0, 0.1, 3.0, 60.0))
        self.later(timedelta(seconds=slow), lambda: self._answer(sending, answer, life))

    def _answer(self, sending: Sending, answer: Answer, life: int) -> None:
        if life != self.life:
            return
        known = self.keys[sending.key]
        match answer.error:
            case None | Rejected():
                known.unclear, known.settled = False, True
            case Uncertain():
                known.unclear = True
            case Unavailable() | _:
                pass
        self.back.append(answer)

    def _check(self, sending: Sending) -> None:
        if self.store.writing:
            raise Wrong(f"{sending.key} was called inside a transaction")
        now = self.world.clock.now()
        with self.store.read() as session:
            row = _EFFECT.the(session, effect=sending.effect)
            if row["state"] != "sending":
                raise Wrong(f"{sending.key} was called in state {row['state']}")
            self._in_order(session, sending, row)
        if row["case_id"]:
            self._of_case(sending, row, now)
        self._in_rate(sending, now)
        known = self.keys.setdefault(sending.key, _Known(row["id"], row["party_id"], row["connection"]))
        known.settled = False
        if row["effect_class"] == "once" and known.unclear:
            raise Wrong(f"{sending.key} may have happened, and is sent again by a machine")
        if row["effect_class"] == "checkable" and known.unclear and not sending.ask:
            raise Wrong(f"{sending.key} may have happened, and is sent again without asking")

    def _of_case(self, sending: Sending, row: Row, now: datetime) -> None:
        if row["status"] == "ended" or row["held"]:
            raise Wrong(f"{sending.key} was called though its case is {'held' if row['held'] else 'ended'}")
        if row["effect_class"] == "read":
            return
        if self.world.book.playbooks[row["playbook"]].state not in OUTGOING_STATES:
            raise Wrong(f"{sending.key} was called though its playbook is on hold")
        if row["valid_until"] and now > row["valid_until"]:
            raise Wrong(f"{sending.key} was called too late")
        hour = now.astimezone(self.world.book.company.zone).hour
        if row["message"] and sending.arguments.get("text") and self._only_by_day(row) and not 9 <= hour < 18:
            raise Wrong(f"{sending.key} was called outside its hours")

    def _only_by_day(self, row: Row) -> bool:
        with self.store.read() as session:
            playbook = self.world.pinned(session, row["version"])
        return playbook.steps[playbook.index[row["step"]]].between is not None

    def _in_order(self, session: Connection, sending: Sending, row: Row) -> None:
        """A party's earlier call that was tried and is not settled holds back the later ones; one on hold does not."""
        if row["party_id"] is None:
            return
        line = self.lines[row["party_id"], row["connection"]]
        if sending.key not in line:
            line.append(sending.key)
        for key in line[: line.index(sending.key)]:
            known = self.keys[key]
            stands = _STATE.the(session, effect=known.effect)
            waits = stands["state"] == "sending" or (stands["state"] == "due" and not stands["held"])
            if waits and not known.settled:
                raise Wrong(f"{sending.key} overtook {key}, which is not settled")

    def _in_rate(self, sending: Sending, now: datetime) -> None:
        pace = self.world.connection(sending.connection).pace
        sent = self.sent[sending.connection]
        sent.append((now, sending.key))
        if pace and sum(at > now - pace[1] for at, _ in sent) > pace[0]:
            raise Wrong(f"{sending.key}: more than {pace[0]} calls of {sending.connection} in {pace[1]}")


def _named(error: ConnectorError | None) -> str:
    return f"{type(error).__name__}: {error.reason}" if error else "done"
