"""The door's process: `python -m flows.web`, started by the supervisor, which holds the listening socket."""

import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit

import uvicorn

from connectors.clock import OffsetClock
from flows.engine.books import BookError, Files, open_last_good
from flows.engine.world import World
from flows.people.links import open_links
from flows.process import begin
from flows.settings import Settings, SettingsError, secrets
from flows.store.store import Store, StoreError, open_store
from flows.store.wake import Wake
from flows.store.write import setting
from flows.web.app import make_app
from flows.web.context import Context
from flows.web.head import BoundedHead
from flows.web.writer import Writer

SOCKET = "DIGILOG_SOCKET_FD"  # a listening socket's number; unset: web binds one itself
_GRACE = 5  # seconds for requests in flight when web is asked to end


def main() -> None:
    settings = Settings()
    try:
        begin("web", settings.home)
        store = open_store(settings.home, settings.database_url)
        context = make_context(settings, store)
        ear = _socket(settings.host, settings.port)
    except (BookError, SettingsError, StoreError, OSError) as error:
        sys.exit(f"web cannot start: {error}")
    serve(context, ear)
    context.close()
    store.close()


def make_context(settings: Settings, store: Store) -> Context:
    """The door of a home. Raises BookError or SettingsError."""
    files = Files(settings.playbooks)
    world = World(
        open_last_good(settings.playbooks, settings.home),
        _clock(store),
        open_links(settings.home, settings.address),
        settings.home,
        secrets(settings),
        vault=store.vault(settings.secret_key),
    )

    def look() -> None:
        world.book = files.changed() or world.book
        world.clock = _clock(store)

    host = urlsplit(settings.public_url).hostname if settings.public_url else None
    wake = Wake(settings.home)
    return Context(world, store, Writer(store, wake), wake, host, settings.board_public, look)


def serve(context: Context, ear: socket.socket) -> None:
    """Answer until the process is asked to end."""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: None)  # uvicorn takes them while it serves and raises them again afterwards
    server(context).run(sockets=[ear])


def server(context: Context) -> uvicorn.Server:
    """The server of a door, not started."""
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # its notes of requests hold links
    config = uvicorn.Config(
        make_app(context),
        http=BoundedHead,
        loop=_loop(),
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=_GRACE,
    )
    return uvicorn.Server(config)


def _loop() -> str:
    with suppress(ImportError):
        import uvloop  # noqa: F401 - not for Windows

        return "uvloop"
    return "asyncio"


def _socket(host: str, port: int) -> socket.socket:
    if handed := os.environ.get(SOCKET):
        return socket.socket(fileno=int(handed))
    ear = socket.socket(socket.AF_INET)
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        ear.bind((host, port))
    except OSError as error:
        raise SettingsError(f"DIGILOG_PORT: {port} cannot be used ({error.strerror}); choose another") from None
    ear.listen(512)
    return ear


def _clock(store: Store) -> OffsetClock:
    with store.read() as session:
        return OffsetClock(timedelta(seconds=float(setting(session, "clock_offset") or 0)))


if __name__ == "__main__":
    main()
