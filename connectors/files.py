"""Files in the company's home: names that cannot leave their folder, writes that are whole or absent."""

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from connectors.errors import Rejected, Unavailable

_LONGEST = 200  # bytes of a file's name; file systems stop at 255, and we add a suffix
_ODD = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def inside(folder: Path, name: str) -> Path:
    """Path of `name` in `folder`, which is made if missing. Raises Rejected for a name that leaves the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = name.replace("\\", "/").split("/")
    if not name or name.startswith(("/", "~")) or _ODD.search(name) or any(part in {"", ".", ".."} for part in parts):
        raise Rejected("the file's name must be a plain name inside the files folder", next_step="rename the file")
    if any(len(part.encode()) > _LONGEST for part in parts):
        raise Rejected("the file's name is too long", next_step=f"use at most {_LONGEST} bytes")
    path = folder.joinpath(*parts)
    try:
        found = path.resolve(strict=False)
        odd = found.exists() and not (
            found.is_file() or found.is_dir()
        )  # a pipe would be waited for, a device never ends
    except (OSError, RuntimeError):
        raise Rejected("the file's name leads nowhere", next_step="rename the file") from None
    if not found.is_relative_to(folder.resolve()):
        raise Rejected("the file is a link that leaves the files folder", next_step="put the file itself there")
    if odd:
        raise Rejected("what bears the file's name is no file", next_step="put the file itself there")
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
    try:
        side = os.open(path.parent / f".{path.name}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    except OSError:
        raise Unavailable("the file beside it that keeps others away cannot be opened") from None
    try:
        fcntl.flock(side, fcntl.LOCK_EX)
        yield
    finally:
        os.close(side)
