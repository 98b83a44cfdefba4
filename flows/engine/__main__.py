"""The engine's process: `python -m flows.engine`, started by the supervisor."""

import logging
import signal
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import OperationalError

from connectors.clock import Clock, OffsetClock
from flows.engine import place, silence
from flows.engine.alerts import Watch
from flows.engine.books import BookError, Files, keep_good, open_last_good
from flows.engine.calls import Calls
from flows.engine.engine import Engine
from flows.engine.questions import Asker
from flows.engine.retention import Sweep, kept_for
from flows.engine.world import World
from flows.people.links import open_links
from flows.playbook.model import Book
from flows.process import begin
from flows.settings import Settings, SettingsError, secrets
from flows.store.store import Store, StoreError, open_store
from flows.store.wake import Ear
from flows.store.write import set_setting, setting

LOOK = 1.0  # seconds: the engine looks by itself even if every wake is lost
WAIT = 0.1  # seconds between two tries to take the engine's place
SEEN = 5.0  # seconds between two signs of life
EXPECTED = 60.0  # seconds between two writings of what is expected by when, and of the texts that stand
WATCHED = 60.0  # seconds between two looks at the numbers
log = logging.getLogger(__name__)


def main() -> None:
    settings = Settings()
    begin("engine", settings.home)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    if not settings.database_url and not _has_place(settings, stop):
        return
    files = Files(settings.playbooks)  # before they are read: a change meanwhile is seen, not missed
    try:
        store = open_store(settings.home, settings.database_url)
        ear = Ear(store, settings.home)
        world = make_world(settings, store)
    except (BookError, SettingsError, StoreError, OSError) as error:
        sys.exit(f"engine cannot start: {error}")
    calls = Calls(world, store, ear.poke)
    asker = Asker(world, ear.poke)
    engine = Engine(store, world, calls, asker, fires_at_once=offset(store) != timedelta())
    work = _Work(settings, store, world, engine, files, Sweep(store, kept_for(settings)))
    while not stop.is_set():
        try:
            more = work.once()
        except OperationalError as error:  # nothing was done, and calls in flight are kept
            log.warning("the store cannot be written just now (%s); tried again in a second", type(error.orig).__name__)
            more = False
        if not more:
            ear.hear(LOOK)
    calls.close()
    asker.close()
    store.close()


class _Work:
    """What the engine does again and again: its turns, and looks at files, clock, dead engines and silence."""

    def __init__(
        self, settings: Settings, store: Store, world: World, engine: Engine, files: Files, sweep: Sweep
    ) -> None:
        self._settings, self._store, self._world = settings, store, world
        self._engine, self._files, self._sweep = engine, files, sweep
        self._looked = self._seen = self._expected = float("-inf")
        self._watch, self._watched = Watch(), time.monotonic()  # what a pull brings after a start is waited for

    def once(self) -> bool:
        """Says whether there is more to do at once. Raises OperationalError where the store refuses or is away."""
        now, engine = time.monotonic(), self._engine
        if now - self._looked > LOOK:
            self._looked = now
            self._look()
        if now - self._seen > SEEN:
            self._seen = now
            with self._store.write(beside=True) as session:
                set_setting(session, "engine_seen", datetime.now(UTC).isoformat())
        if now - self._expected > EXPECTED:
            self._expected = now
            write_down(self._store, self._world)
        if now - self._watched > WATCHED:
            self._watched = now
            watch(self._watch, self._store, self._world)
        return engine.turn() or _sweep(self._sweep, self._world.clock.now())

    def _look(self) -> None:
        if changed := self._files.changed():
            self._world.book = changed
            keep_good(self._settings.playbooks, self._settings.home)
        self._world.clock = clock(self._store)
        if count := self._engine.recover():
            log.info("%s effects were in flight when their engine ended, and are settled", count)


def make_world(settings: Settings, store: Store, book: Book | None = None) -> World:
    """The real world of a home; `book`, if it was just read. Raises BookError or SettingsError."""
    give_up = timedelta(hours=settings.give_up_hours)
    links = open_links(settings.home, settings.address)
    book = book or open_last_good(settings.playbooks, settings.home)
    vault = store.vault(settings.secret_key)
    return World(book, clock(store), links, settings.home, secrets(settings), vault=vault, give_up=give_up)


def offset(store: Store) -> timedelta:
    """How far this home's clock runs ahead; zero but in demonstrations."""
    with store.read() as session:
        return timedelta(seconds=float(setting(session, "clock_offset") or 0))


def clock(store: Store) -> Clock:
    return OffsetClock(offset(store))


def write_down(store: Store, world: World) -> None:
    """What is expected by when, so that a small process can see what is overdue; and the texts that stand now."""
    try:
        with store.write() as session:
            silence.keep(session, world, world.clock.now(), world.clock.now())
            for playbook in world.book.playbooks.values():
                world.keep_version(session, playbook)
    except Exception:  # cases must go on, whatever is wrong with it
        world.forget()
        log.exception("what is expected could not be written down; tried again in a minute")


def watch(watch: Watch, store: Store, world: World) -> None:
    """What is wrong with the numbers is told."""
    try:
        watch.turn(store, world)
    except Exception:  # cases must go on, whatever is wrong with it
        log.exception("the numbers could not be looked at; tried again in a minute")


def _sweep(sweep: Sweep, now: datetime) -> bool:
    """Erase a batch of what is kept no longer, when there is nothing else to do."""
    try:
        return sweep.turn(now)
    except Exception:  # cases must go on, whatever keeps the sweep from its work
        log.exception("what is kept no longer could not be erased; tried again in an hour")
        sweep.put_off(now)
        return False


def _has_place(settings: Settings, stop: threading.Event) -> bool:
    """Wait for the engine's place, which ends with this process; a worker of Prefect gives it back in seconds."""
    told = False
    while place.take(settings.home) is None:
        if not told:
            log.info("another process is at work in the engine's place; this one waits for it")
        told = True
        if stop.wait(WAIT):
            return False
    return True


if __name__ == "__main__":
    main()
