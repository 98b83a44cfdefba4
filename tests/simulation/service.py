"""A service outside, simulated: one action of each effect class, faults by chance, and a log of what it really did."""

import random
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from connectors import registry
from connectors.base import Connector, action
from connectors.errors import NotConnected, Rejected, Unavailable, Uncertain

VENDOR = str(Path(__file__).with_name("vendor"))
WINDOW = timedelta(hours=6)  # so long it drops a repeated key


class Receipt(BaseModel):
    """What it answers to a call; `number` depends on the key alone."""

    key: str
    number: int


def number_of(key: str) -> int:
    """What the service says to a key: 0 to 9, the same each time."""
    return zlib.crc32(key.encode()) % 10


class State:
    """All services of one history. `now` is the simulated time, `chance` the history's."""

    def __init__(self, chance: random.Random, now: Callable[[], datetime], trouble: float) -> None:
        self.chance, self.now, self.trouble = chance, now, trouble
        self.did: Counter[str] = Counter()  # what really happened, by key
        self.kept: dict[str, datetime] = {}  # keys that it still drops, since when
        self.down: dict[str, datetime] = {}  # connection: until
        self.refused: set[str] = set()  # connections whose credential it takes no more

    def hear(self, connection: str) -> Callable[[], None]:
        """One call arrives. Raises what keeps it from being done; gives what becomes of its answer."""
        if connection in self.refused:
            raise NotConnected("the key is refused", next_step="set a new one")
        if self.down.get(connection, self.now()) > self.now():
            raise Unavailable("the service is down")
        if self.chance.random() >= self.trouble:
            return lambda: None
        match self.chance.choice(("lost after", "lost before", "busy", "down", "no", "unreadable", "key")):
            case "lost before":
                raise Uncertain("no answer")
            case "busy":
                raise Unavailable("too many calls", retry_after=self.chance.choice((0.0, 1.5, 60.0, 4000.0)))
            case "down":
                self.down[connection] = self.now() + timedelta(minutes=self.chance.choice((1, 20, 400)))
                raise Unavailable("the service is down")
            case "no":
                raise Rejected("the service said no")
            case "key" if self.chance.random() < 0.3:
                self.refused.add(connection)
                raise NotConnected("the key is refused", next_step="set a new one")
            case "key":
                return lambda: None
            case said:
                return lambda: _lose(said)

    def do(self, connection: str, key: str, *, drops: bool = False) -> Receipt:
        kept = self.kept.get(key)
        try:
            answer = self.hear(connection)
        except Rejected:
            if kept is None:
                raise
            return Receipt(key=key, number=number_of(key))  # no service refuses what it did under this key
        if not (drops and kept is not None and self.now() - kept < WINDOW):
            self.did[key] += 1
            self.kept[key] = self.now()
        answer()
        return Receipt(key=key, number=number_of(key))


def _lose(said: str) -> None:
    raise Uncertain(f"{said}: it may have happened")


class Simulated(Connector):
    """A service in a simulation."""

    service: ClassVar[str] = "simulated"
    room: ClassVar[str] = "payments"
    state: ClassVar[State]

    @action
    def look(self, what: str, *, key: str) -> Receipt:
        """Read something."""
        self.state.hear(self.name)()
        return Receipt(key=key, number=number_of(key))

    @action
    def find(self, *, key: str) -> Receipt | None:
        """Look for an earlier call."""
        self.state.hear(self.name)()
        return Receipt(key=key, number=number_of(key)) if self.state.did[key] else None

    @action(effect="repeat", bulk="put_all")
    def put(self, what: str) -> Receipt:
        """Write a row under its name."""
        return self.state.do(self.name, what)

    @action(effect="repeat")
    def put_all(self, rows: list[dict[str, str]]) -> list[Receipt]:
        """Write many rows, each under its name."""
        answer = self.state.hear(self.name)
        for row in rows:
            self.state.did[row["what"]] += 1
        answer()
        return [Receipt(key=row["what"], number=number_of(row["what"])) for row in rows]

    @action(effect="keyed", window="6h")
    def pay(self, what: str, *, key: str) -> Receipt:
        """Pay; a repeated key is dropped for six hours."""
        return self.state.do(self.name, key, drops=True)

    @action(effect="checkable", found_by="find")
    def ring(self, what: str, *, key: str) -> Receipt:
        """Ring up; nothing is dropped, but it can be asked."""
        return self.state.do(self.name, key)

    @action(effect="once")
    def shout(self, what: str, *, key: str) -> Receipt:
        """Can neither be repeated nor asked about."""
        return self.state.do(self.name, key)

    @action(effect="once")
    def send(self, *, medium: str, to: str, text: str, subject: str = "", message: str = "", key: str) -> Receipt:
        """Send a message."""
        return self.state.do(self.name, key)


@contextmanager
def installed() -> Iterator[None]:
    """Let the registry find it, as it finds any installed connector."""
    sys.path.insert(0, VENDOR)
    _look_again()
    try:
        yield
    finally:
        sys.path.remove(VENDOR)
        _look_again()


def _look_again() -> None:
    registry._entries.cache_clear()
    registry.find.cache_clear()
