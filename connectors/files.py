"""Files in the company's home: names that cannot leave their folder, writes that are whole or absent."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from connectors.errors import Rejected

_LONGEST = 200  # bytes of a file's name; file systems stop at 255, and we add a suffix


def inside(folder: Path, name: str) -> Path:
    """Path of `name` in `folder`, which is made if missing. Raises Rejected for a name that leaves the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = name.replace("\\", "/").split("/")
    if not name or name.startswith(("/", "~")) or "\0" in name or any(part in {"", ".", ".."} for part in parts):
        raise Rejected("the file's name must be a plain name inside the files folder", next_step="rename the file")
    if any(len(part.encode()) > _LONGEST for part in parts):
        raise Rejected("the file's name is too long", next_step=f"use at most {_LONGEST} bytes")
    path = folder.joinpath(*parts)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise Rejected("the file is a link that leaves the files folder", next_step="put the file itself there")
    return path


def replace(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write `content` so that a reader, a crash or a full disk sees the old file or the new one. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # without it a crash may forget the rename
    finally:
        os.close(folder)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold `path` alone among all threads and processes, by a side file (the file itself is replaced on write)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / f".{path.name}.lock").open("a") as side:
        fcntl.flock(side, fcntl.LOCK_EX)
        yield
