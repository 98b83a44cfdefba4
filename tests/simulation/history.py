"""One history made from its seed: people, a clock that jumps, services in trouble, and a process that dies."""

import heapq
import logging
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from connectors.clock import VirtualClock
from flows.engine import operate
from flows.engine.engine import Engine
from flows.engine.world import World
from flows.people.links import Links
from flows.store import tables as t
from flows.store import write
from flows.store.read import rows
from tests.simulation import company, model
from tests.simulation.people import People, plan
from tests.simulation.service import Simulated, State, installed
from tests.simulation.world import Dangers, Died, Mortal, Wire, Wrong

BEGIN = datetime(2026, 11, 22, 21, tzinfo=UTC)  # a Monday, 06:00 in Seoul
REST = 400  # turns at one moment, before it counts as never coming to rest
LONGEST = 4_000  # moments of one history
Failures = list[tuple[int, str]]  # seeds, and what went wrong


class _Ids:
    """Stands for `secrets`: ids that the seed makes, so that a history can be told again."""

    def __init__(self, chance: random.Random) -> None:
        self.randbits = chance.getrandbits


@dataclass(slots=True)
class Came:
    """A start that was accepted."""

    playbook: str
    n: int | None


@dataclass(slots=True)
class Seen:
    """What the history itself knows, beside the store: the model compares the two."""

    versions: dict[str, company.Plan] = field(default_factory=dict)
    came: dict[int, Came] = field(default_factory=dict)  # by the event's number
    hand: dict[tuple[str, str], list[tuple[str, str, Any]]] = field(default_factory=lambda: defaultdict(list))
    designed: bool = False  # a playbook was in state design for a while


class History:
    """`play` raises Wrong with a sentence when a promise is broken; `tell` hears what happens."""

    def __init__(self, seed: int, *, tell: Callable[[str], None] | None = None) -> None:
        chance = self.chance = random.Random(seed)
        self.ids = _Ids(random.Random(-seed - 1))
        self._say = tell
        self.clock = VirtualClock(BEGIN + timedelta(minutes=chance.randrange(24 * 60)))
        self.dangers = Dangers(chance, chance.choice((0, 0, 0.01, 0.05)), chance.choice((0, 0, 0, 0.02)))
        self.store = Mortal(self.dangers)
        self.seen = Seen()
        self.vendor = State(chance, self.clock.now, chance.choice((0.0, 0.1, 0.3)))
        Simulated.state = self.vendor
        self.book = company.company(chance)
        self.names = ["a", *(["b"] if chance.random() < 0.6 else []), *(["day"] if chance.random() < 0.15 else [])]
        for name in self.names:
            self.publish(name)
        self.give_up = timedelta(hours=chance.choice((2, 24)))
        self.things: list[tuple[datetime, int, Callable[[], None]]] = []
        self.count = 0
        self.healed = False
        self.wire = Wire(
            self._world(), self.store, chance, self.later, self.tell, self.dangers, chance.choice((1, 3, 64))
        )
        self.engine = Engine(self.store, self.wire.world, self.wire)  # type: ignore[arg-type]
        self.people = People(self)
        plan(self)

    def tell(self, what: str) -> None:
        if self._say:
            self._say(f"{self.clock.now():%d %H:%M:%S} {what}")

    def play(self) -> None:
        real = write.secrets
        write.secrets = self.ids  # type: ignore[assignment]
        logging.disable(logging.CRITICAL)  # what goes wrong on purpose
        try:
            self._go()
            self.tell("-- all is well from now on --")
            self._heal()
            self._go()
            model.check(self)
        finally:
            write.secrets = real
            logging.disable(logging.NOTSET)

    def came(self, event: int, playbook: str, n: int | None) -> None:
        self.seen.came[event] = Came(playbook, n)

    def later(self, length: timedelta, do: Callable[[], None]) -> None:
        """Let something happen after a while."""
        self.count += 1
        heapq.heappush(self.things, (self.clock.now() + length, self.count, do))

    def publish(self, name: str) -> None:
        """The playbook in a version of its own."""
        plan = company.plan(self.chance, name)
        self.seen.versions[plan.playbook.version] = plan
        self.book.playbooks[name] = plan.playbook  # type: ignore[index]

    def state(self, name: str, state: str) -> None:
        """Put a playbook on hold, or to work again."""
        self.seen.designed |= state == "design"
        self.book.playbooks[name] = self.book.playbooks[name].model_copy(update={"state": state})  # type: ignore[index]
        self.tell(f"{name} is in state {state}")

    def _world(self) -> World:
        made = company.connections(self.book.company.connections["bank"].settings.get("rate"))
        return World(
            self.book, self.clock, Links("http://127.0.0.1", b"key"), Path(), chance=self.chance,
            give_up=self.give_up, _connections=made,
        )  # fmt: skip

    def _go(self) -> None:
        """Time goes on until nothing is left to come."""
        idle = 1.0
        for _ in range(LONGEST):
            before = self.count, len(self.things)
            moved = self._work()
            self.people.look()
            moved |= before != (self.count, len(self.things))
            if self.chance.random() < 0.1:
                model.check_standing(self)
            idle = 1.0 if moved else min(idle * 2, 3600)
            then = self._next(idle)
            if then is None:
                model.check_standing(self)
                return
            if not self.healed and self.chance.random() < 0.05:
                then += timedelta(minutes=self.chance.choice((1, 30, 500)))  # nobody looked for a while
            while self.things and self.things[0][0] <= then:
                at, _, do = heapq.heappop(self.things)
                self.clock.set(max(at, self.clock.now()))
                do()
            self.clock.set(max(then, self.clock.now()))
        raise Wrong("it never comes to an end")

    def _work(self) -> bool:
        """Turns until there is nothing to do; the process may die in each."""
        moved = False
        for _ in range(REST):
            self.dangers.on = not self.healed
            try:
                more = self.engine.turn()
            except OperationalError:
                self.tell("the store is busy")
                more = True
            except Died:
                self._die()
                more = True
            finally:
                self.dangers.on = False
            moved |= more
            if not more or self.chance.random() < 0.02:
                return moved
        raise Wrong("the engine never comes to rest")

    def _die(self) -> None:
        self.tell("-- digilog dies, and starts again --")
        while True:
            self.wire.cut()
            self.wire.world = self._world()
            self.engine = Engine(self.store, self.wire.world, self.wire)  # type: ignore[arg-type]
            self.dangers.on = True
            try:
                self.engine.recover()
            except (Died, OperationalError):
                continue
            finally:
                self.dangers.on = False
            return

    def _next(self, idle: float) -> datetime | None:
        """The next moment at which anything may happen; what is due and cannot go is looked at ever less often."""
        now = self.clock.now()
        with self.store.read() as session:
            raw = session.connection.dbapi_connection
            micro = (now - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
            ahead, due = raw.execute(_AHEAD, {"now": micro}).fetchone()
        found = [datetime.fromtimestamp(0, UTC) + timedelta(microseconds=ahead)] if ahead else []
        if self.things:
            found.append(self.things[0][0])
        if due and (self.things or ahead or idle < 3600):
            found.append(now + timedelta(seconds=idle))
        return min(found, default=None)

    def _heal(self) -> None:
        """From now on services are well, people do what they are asked, and nobody holds anything back."""
        self.healed = True
        self.vendor.trouble = 0.0
        self.vendor.down.clear()
        self.people.planned.clear()
        for name in self.names:
            self.state(name, "operate")
        with self.store.write() as session:
            held = rows(session, select(t.case).where(t.case.c.held.is_not(None), t.case.c.status != "ended"))
            for case in held:
                operate.resume(session, case["id"], "han", self.clock.now())


def play(first: int, count: int) -> Failures:
    """The histories of seeds `first` to `first + count - 1`; those that went wrong, and how."""
    failed = []
    with installed():
        for seed in range(first, first + count):
            try:
                History(seed).play()
            except Exception as error:  # noqa: BLE001 - any error is a finding, and the others go on
                failed.append((seed, f"{type(error).__name__}: {error}"))
    return failed


_AHEAD = """
SELECT (SELECT min(at) FROM (
    SELECT min(wake_at) AS at FROM "case" WHERE wake_at > :now AND held IS NULL
    UNION ALL SELECT min(next_at) FROM assignment WHERE next_at > :now AND state IN ('open', 'claimed')
    UNION ALL SELECT min(next_at) FROM effect WHERE next_at > :now AND state = 'due')),
  EXISTS (SELECT 1 FROM effect WHERE next_at <= :now AND state = 'due')
  OR EXISTS (SELECT 1 FROM "case" WHERE wake_at <= :now AND held IS NULL)
  OR EXISTS (SELECT 1 FROM assignment WHERE next_at <= :now AND state IN ('open', 'claimed'))
  OR EXISTS (SELECT 1 FROM event WHERE state = 'new')
"""
