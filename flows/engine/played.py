"""A playbook's tests as they came out last: played for who asks on the board, and kept for who looks later."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from flows.engine.simulate import Simulation
from flows.playbook.model import Book
from flows.store.write import audit, set_setting, setting

PATIENCE = 10.0  # seconds for all tests of a playbook; a test that has begun is played to its end
_SENTENCES, _SIGNS = 5, 300  # of what came out otherwise in one test


@dataclass(frozen=True, slots=True)
class Outcome:
    """One test; without differences it came out as written."""

    name: str
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Played:
    """The tests of one playbook, in their order; `left` were not played for want of time."""

    stamp: str  # of what was tried: see `stamp`
    outcomes: tuple[Outcome, ...]
    left: int
    at: datetime
    who: str

    @property
    def failed(self) -> int:
        return sum(bool(one.differences) for one in self.outcomes)


def stamp(book: Book, name: str) -> str:
    """Changes with the playbook and with its tests."""
    tests = book.tests.get(name)
    said = f"{book.playbooks[name].version} {tests!r}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def play(book: Book, name: str, who: str, at: datetime, clock: Callable[[], float] = time.monotonic) -> Played:
    """Play them one after another on a virtual clock; nothing real is reached."""
    tests = book.tests[name].cases if name in book.tests else []
    until, outcomes = clock() + PATIENCE, []
    for test in tests:
        if clock() >= until:
            break
        found = Simulation(book, book.playbooks[name], test).play()
        outcomes.append(Outcome(test.name, tuple(one[:_SIGNS] for one in found[:_SENTENCES])))
    return Played(stamp(book, name), tuple(outcomes), len(tests) - len(outcomes), at, who)


def keep(session: Connection, name: str, played: Played) -> None:
    """Remember how they came out, and who asked."""
    kept = {
        "stamp": played.stamp,
        "outcomes": [[one.name, *one.differences] for one in played.outcomes],
        "left": played.left,
        "at": played.at.isoformat(),
        "who": played.who,
    }
    set_setting(session, _place(name), json.dumps(kept, ensure_ascii=False))
    audit(session, played.who, "tested", name, played.at, after="red" if played.failed else "green")


def last(session: Connection, name: str) -> Played | None:
    """How they came out last; none if nobody has asked yet."""
    kept = setting(session, _place(name))
    if kept is None:
        return None
    said = json.loads(kept)
    outcomes = tuple(Outcome(one, tuple(differences)) for one, *differences in said["outcomes"])
    return Played(said["stamp"], outcomes, said["left"], datetime.fromisoformat(said["at"]), said["who"])


def _place(name: str) -> str:
    return f"played/{name}"
