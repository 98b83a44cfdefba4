"""Sees what Python opens and connects to, while it looks; a connection to anywhere else is refused unmade."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

_FILES = {"open": 0, "os.mkdir": 0, "os.rename": 1, "os.link": 1, "os.symlink": 1, "os.remove": 0, "os.truncate": 0}


@dataclass
class Seen:
    """What was tried: addresses as (host, port), paths as they lead through links. `home`: the test's own ports."""

    home: frozenset[int] = frozenset()
    connected: list[tuple[Any, ...]] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)


_looking: list[Seen] = []  # an audit hook stays for good, so there is one, and it looks only when asked to
_hooked = threading.Event()


@contextmanager
def looking(*ports: int) -> Iterator[Seen]:
    """Note all connections but those to the test's own `ports`, and all files that are opened or made."""
    if not _hooked.is_set():
        _hooked.set()
        sys.addaudithook(_hook)
    seen = Seen(frozenset(ports))
    _looking.append(seen)
    try:
        yield seen
    finally:
        _looking.remove(seen)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _looking:
        return
    if event in {"socket.connect", "socket.sendto"} and isinstance(arguments[1], tuple):
        for seen in _looking:
            if arguments[1][1] not in seen.home:
                seen.connected.append(arguments[1])
                raise ConnectionRefusedError("no test goes there")
    elif event in _FILES and isinstance(path := arguments[_FILES[event]], str | bytes | os.PathLike):
        follows = event == "open" and not (arguments[2] or 0) & os.O_NOFOLLOW
        for seen in _looking:
            seen.opened.append(_meant(os.fsdecode(path), follows=follows))


def _meant(path: str, *, follows: bool) -> str:
    """Where a path leads: through every link, or through all but the last."""
    if follows:
        return os.path.realpath(path)
    folder, name = os.path.split(os.path.abspath(path))  # noqa: PTH100 - Path would follow the last link
    return f"{os.path.realpath(folder)}{os.sep}{name}"
