"""The engine's place at a home's own file: one process has it at a time, and it is free when that process ends."""

import fcntl
import os
from pathlib import Path


def take(home: Path) -> int | None:
    """The place, to be handed to `leave`; none if another process has it."""
    folder = home / "locks"
    folder.mkdir(exist_ok=True)
    handle = os.open(folder / "engine", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def leave(handle: int) -> None:
    os.close(handle)
