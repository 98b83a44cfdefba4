"""The engine's process: `python -m flows.engine`, started by the supervisor."""

import contextlib
import fcntl
import logging
import os
import signal
import socket
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import OperationalError

from connectors.clock import Clock, OffsetClock
from flows.engine import silence
from flows.engine.books import Files, keep_good, open_last_good
from flows.engine.calls import Calls
from flows.engine.engine import Engine
from flows.engine.retention import Sweep, kept_for
from flows.engine.world import World
from flows.people.links import open_links
from flows.process import begin
from flows.settings import Settings, secrets
from flows.store.store import Store, open_store
from flows.store.wake import Wake, listen
from flows.store.write import set_setting, setting

LOOK = 1.0  # seconds: the engine looks by itself even if every wake is lost
SEEN = 5.0  # seconds between two signs of life
EXPECTED = 60.0  # seconds between two writings of what is expected by when
log = logging.getLogger(__name__)


def main() -> None:
    settings = Settings()
    begin("engine", settings.home)
    stop = threading.Event()
    if not _alone(settings):
        sys.exit("another engine is at work on this home; this one is not needed")
    ear = listen(settings.home)
    ear.settimeout(LOOK)
    wake = Wake(settings.home)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    store = open_store(settings.home)
    files = Files(settings.playbooks)  # before they are read: a change meanwhile is seen, not missed
    world = make_world(settings, store)
    calls = Calls(world, store, wake)
    engine = Engine(store, world, calls, fires_at_once=offset(store) != timedelta())
    if count := engine.recover():
        log.info("%s effects were in flight at the last stop and are settled", count)
    sweep = Sweep(store, kept_for(settings))
    looked = seen = expected = float("-inf")
    while not stop.is_set():
        if (now := time.monotonic()) - looked > LOOK:
            looked = now
            if changed := files.changed():
                world.book = changed
                keep_good(settings.playbooks, settings.home)
            world.clock = clock(store)
        if now - seen > SEEN:
            seen = now
            with contextlib.suppress(OperationalError), store.write() as session:
                set_setting(session, "engine_seen", datetime.now(UTC).isoformat())
        if now - expected > EXPECTED:
            expected = now
            _expect(store, world)
        if not _turn(engine) and not _sweep(sweep, world.clock.now()):
            _hear(ear)
    calls.close()
    store.close()


def make_world(settings: Settings, store: Store) -> World:
    """The real world of a home. Raises BookError or SettingsError."""
    give_up = timedelta(hours=settings.give_up_hours)
    links = open_links(settings.home, settings.address)
    book = open_last_good(settings.playbooks, settings.home)
    return World(book, clock(store), links, settings.home, secrets(settings), give_up=give_up)


def offset(store: Store) -> timedelta:
    """How far this home's clock runs ahead; zero but in demonstrations."""
    with store.read() as session:
        return timedelta(seconds=float(setting(session, "clock_offset") or 0))


def clock(store: Store) -> Clock:
    return OffsetClock(offset(store))


def _turn(engine: Engine) -> bool:
    """A turn; on a full or busy disk nothing was done, calls in flight are kept, and it is tried again."""
    try:
        return engine.turn()
    except OperationalError as error:
        log.warning("the store cannot be written just now (%s); tried again in a second", type(error.orig).__name__)
        return False


def _expect(store: Store, world: World) -> None:
    """Write down what is expected by when, so that a small process can see what is overdue."""
    try:
        with store.write() as session:
            silence.keep(session, world, world.clock.now(), world.clock.now())
    except Exception:  # cases must go on, whatever is wrong with it
        log.exception("what is expected could not be written down; tried again in a minute")


def _sweep(sweep: Sweep, now: datetime) -> bool:
    """Erase a batch of what is kept no longer, when there is nothing else to do."""
    try:
        return sweep.turn(now)
    except Exception:  # cases must go on, whatever keeps the sweep from its work
        log.exception("what is kept no longer could not be erased; tried again in an hour")
        sweep.put_off(now)
        return False


def _alone(settings: Settings) -> bool:
    """Take the engine's lock; it ends with this process, however that ends."""
    folder = settings.home / "locks"
    folder.mkdir(exist_ok=True)
    handle = os.open(folder / "engine", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _hear(ear: socket.socket) -> None:
    """Wait for a wake, or a second; take all that lie there."""
    try:
        ear.recv(64)
        ear.setblocking(False)
        while True:
            ear.recv(64)
    except (TimeoutError, BlockingIOError):
        pass
    finally:
        ear.settimeout(LOOK)


if __name__ == "__main__":
    main()
