"""How the engine hears that there is work: a datagram in the home, or NOTIFY; losing one costs a second, never work."""

import contextlib
import hashlib
import os
import socket
import tempfile
import threading
from pathlib import Path

from flows.store.store import Store

_LONGEST = 100  # a Unix socket's path holds about 107 bytes


def _path(home: Path) -> str:
    direct = str(home.absolute() / "wake.sock")
    if len(os.fsencode(direct)) <= _LONGEST:
        return direct
    name = hashlib.sha256(direct.encode()).hexdigest()[:20]
    return str(Path(tempfile.gettempdir()) / f"digilog-{name}.sock")


class Ear:
    """The engine's end. `hear` waits for a wake; `poke` is one from the own process, and never blocks or fails."""

    def __init__(self, store: Store, home: Path) -> None:
        self._mouth: Wake | None = None
        if store.shared:
            self._ear, self._near = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._near.setblocking(False)
            threading.Thread(target=self._listen, args=(store,), name="listen", daemon=True).start()
        else:
            self._ear, self._mouth = _bound(home), Wake(home)

    def poke(self) -> None:
        if self._mouth:
            self._mouth()
            return
        with contextlib.suppress(OSError):
            self._near.send(b"1")

    def hear(self, seconds: float) -> None:
        """Wait for a wake, or so long; take all that lie there."""
        self._ear.settimeout(seconds)
        try:
            self._ear.recv(64)
            self._ear.setblocking(False)
            while True:
                self._ear.recv(64)
        except (TimeoutError, BlockingIOError):
            pass

    def _listen(self, store: Store) -> None:
        for _ in store.written():
            self.poke()


def _bound(home: Path) -> socket.socket:
    """The engine's end of a home; a left-over of a killed engine is replaced."""
    path = _path(home)
    with contextlib.suppress(FileNotFoundError):
        Path(path).unlink()
    ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ear.bind(path)
    return ear


class Wake:
    """The other end of a home: `wake()` never blocks and never fails. On PostgreSQL each commit wakes by itself."""

    def __init__(self, home: Path) -> None:
        self._path = _path(home)
        self._mouth = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._mouth.setblocking(False)

    def __call__(self) -> None:
        with contextlib.suppress(OSError):
            self._mouth.sendto(b"1", self._path)

    def close(self) -> None:
        self._mouth.close()
