"""The engine's process: `python -m flows.engine`, started by the supervisor."""

import logging
import signal
import socket
import threading
from datetime import UTC, datetime, timedelta

from connectors.clock import Clock, OffsetClock
from flows.engine.books import Files, open_book
from flows.engine.calls import Calls
from flows.engine.engine import Engine
from flows.engine.world import World
from flows.people.links import open_links
from flows.process import begin
from flows.settings import Settings, secrets
from flows.store.store import Store, open_store
from flows.store.wake import Wake, listen
from flows.store.write import setting

LOOK = 1.0  # seconds: the engine looks by itself even if every wake is lost
log = logging.getLogger(__name__)


def main() -> None:
    settings = Settings()
    begin("engine", settings.home)
    stop = threading.Event()
    ear = listen(settings.home)
    ear.settimeout(LOOK)
    wake = Wake(settings.home)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    store = open_store(settings.home)
    world = make_world(settings, store)
    calls = Calls(world, store, wake)
    engine = Engine(store, world, calls, fires_at_once=offset(store) != timedelta())
    if count := engine.recover():
        log.info("%s effects were in flight at the last stop and are settled", count)
    files = Files(settings.playbooks)
    last = datetime.now(UTC)
    while not stop.is_set():
        if not engine.turn():
            _hear(ear)
        if datetime.now(UTC) - last > timedelta(seconds=LOOK):
            last = datetime.now(UTC)
            world.book = files.changed() or world.book
            world.clock = clock(store)
    calls.close()
    store.close()


def make_world(settings: Settings, store: Store) -> World:
    """The real world of a home. Raises BookError or SettingsError."""
    give_up = timedelta(hours=settings.give_up_hours)
    links = open_links(settings.home, settings.address)
    book = open_book(settings.playbooks)
    return World(book, clock(store), links, settings.home, secrets(settings), give_up=give_up)


def offset(store: Store) -> timedelta:
    """How far this home's clock runs ahead; zero but in demonstrations."""
    with store.read() as session:
        return timedelta(seconds=float(setting(session, "clock_offset") or 0))


def clock(store: Store) -> Clock:
    return OffsetClock(offset(store))


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
