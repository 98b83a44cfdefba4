"""What showing runs needs of this home: store, book, clock, and how to wait for the engine's work."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from sqlalchemy import Connection, func, select

from connectors.clock import Clock
from flows.engine.__main__ import clock
from flows.engine.books import open_last_good
from flows.playbook.check import parse_version
from flows.playbook.model import Book, Playbook
from flows.runs.progress import Progress, read
from flows.runs.stand_in import StandIn
from flows.settings import Settings
from flows.store import tables as t
from flows.store.read import Row, the
from flows.store.store import Store, open_store
from flows.store.wake import Wake

PATIENCE = timedelta(seconds=60)  # a run in which nothing moves is ended so; what moves later is a new run
LOOK = 0.2  # seconds between two looks at the journal while a run is shown


class StoppedError(Exception):
    """The process ends; the run is ended from the journal after the next start."""


@dataclass
class House:
    """`book` and `clock` are replaced when they change; `deployments` are Prefect's ids by playbook."""

    settings: Settings
    store: Store
    book: Book
    clock: Clock
    wake: Callable[[], None]
    deployments: dict[str, UUID] = field(default_factory=dict)
    claimed: set[tuple[str, str]] = field(default_factory=set)  # periods that a scheduled run shows itself
    opening: set[str] = field(default_factory=set)  # runs that a thread is about to open in Prefect
    cut_off: set[str] = field(default_factory=set)  # runs open in Prefect that no thread shows any more
    cancelled: set[str] = field(default_factory=set)  # runs that were cancelled in Prefect's pages
    lock: threading.Lock = field(default_factory=threading.Lock)  # who takes a gathered run
    stop: threading.Event = field(default_factory=threading.Event)
    patience: timedelta = PATIENCE
    stand_in: StandIn | None = None  # of a worker outside `up`: under `up` nobody but the engine advances a case

    def pinned(self, session: Connection, version: str) -> Playbook:
        """The playbook as the cases of a run were started with it."""
        known = next((one for one in self.book.playbooks.values() if one.version == version), None)
        return known or _parsed(
            session.execute(select(t.version.c.text).where(t.version.c.hash == version)).scalar_one()
        )

    def run(self, run: str) -> tuple[Row, Playbook]:
        """A run and the version of the playbook that it shows."""
        with self.store.read() as session:
            row = the(session, select(t.run).where(t.run.c.id == run))
            return row, self.pinned(session, row["version"])

    def progress(self, run: str, playbook: Playbook) -> Progress:
        with self.store.read() as session:
            return read(session, run, [step.id for step in playbook.steps])

    def settle(self, run: str, playbook: Playbook, holds: Callable[[Progress], bool]) -> Progress:
        """Wait until something holds, or nothing has moved for a while. Raises StoppedError."""
        seen, since, line = -1, time.monotonic(), -1
        while True:
            self.advance()
            if (newest := self._newest()) == line and time.monotonic() - since < self.patience.total_seconds():
                if self.stop.wait(LOOK):
                    raise StoppedError
                continue
            line, progress = newest, self.progress(run, playbook)
            moved = sum(len(trace.passed) + bool(trace.stood) for trace in progress.traces)
            if moved != seen:
                seen, since = moved, time.monotonic()
            if holds(progress) or time.monotonic() - since > self.patience.total_seconds():
                return progress
            if self.stop.wait(LOOK):
                raise StoppedError

    def advance(self) -> None:
        """Do the engine's work, where that is ours to do."""
        if self.stand_in:
            self.stand_in.work()

    def _newest(self) -> int:
        """The journal's newest line: while there is no new one, nothing has moved."""
        with self.store.read() as session:
            return session.execute(select(func.max(t.journal.c.id))).scalar() or 0

    def now(self) -> datetime:
        return self.clock.now()


@lru_cache(maxsize=256)
def _parsed(text: str) -> Playbook:
    return parse_version(text)


def open_house(settings: Settings) -> House:
    """Raises BookError, StoreError."""
    store = open_store(settings.home, settings.database_url)
    return House(settings, store, open_last_good(settings.playbooks, settings.home), clock(store), Wake(settings.home))


_opened: list[House] = []


def use(house: House) -> None:
    """Name the house that flows of this process show."""
    _opened[:] = [house]


def house() -> House:
    """The house of this process; a worker outside `up` opens it at first use, and works where no engine does."""
    if not _opened:
        made = open_house(Settings())
        made.stand_in = StandIn(made.settings, made.store)
        use(made)
    return _opened[0]
