"""A datagram that tells the engine to look now; losing one costs a second, never work."""

import contextlib
import hashlib
import os
import socket
import tempfile
from pathlib import Path

_LONGEST = 100  # a Unix socket's path holds about 107 bytes


def _path(home: Path) -> str:
    direct = str(home.absolute() / "wake.sock")
    if len(os.fsencode(direct)) <= _LONGEST:
        return direct
    name = hashlib.sha256(direct.encode()).hexdigest()[:20]
    return str(Path(tempfile.gettempdir()) / f"digilog-{name}.sock")


def listen(home: Path) -> socket.socket:
    """The engine's end; a left-over of a killed engine is replaced."""
    path = _path(home)
    with contextlib.suppress(FileNotFoundError):
        Path(path).unlink()
    ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ear.bind(path)
    return ear


class Wake:
    """The other end: `wake()` never blocks and never fails."""

    def __init__(self, home: Path) -> None:
        self._path = _path(home)
        self._mouth = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._mouth.setblocking(False)

    def __call__(self) -> None:
        with contextlib.suppress(OSError):
            self._mouth.sendto(b"1", self._path)

    def close(self) -> None:
        self._mouth.close()
