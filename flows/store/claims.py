"""Locks that end with their process: whoever meets a call in flight whose claim is free knows its engine is gone."""

import fcntl
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection


class Claim(Protocol):
    """`id` is written beside what is claimed; the lock is held until `close`, or until the process ends in any way."""

    id: str

    def hold(self) -> bool:
        """See that it is still held. Says whether what others hold can be judged now."""
        ...

    def dead(self, session: Connection, ids: Iterable[str]) -> set[str]:
        """Those of these claims that nobody holds any more."""
        ...

    def close(self) -> None: ...


class FileClaim:
    """A lock on a file of its own in the home."""

    def __init__(self, folder: Path) -> None:
        self.id = secrets.token_hex(6)
        self._folder = folder
        self._handle: int | None = os.open(self._file(self.id), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _file(self, id: str) -> Path:
        return self._folder / f"claim-{id}"

    def hold(self) -> bool:
        return True

    def dead(self, session: Connection, ids: Iterable[str]) -> set[str]:  # noqa: ARG002 - the file says it
        return {id for id in ids if not self._held(id)}

    def _held(self, id: str) -> bool:
        try:
            handle = os.open(self._file(id), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            self._file(id).unlink(missing_ok=True)
            return False
        finally:
            os.close(handle)

    def close(self) -> None:
        if self._handle is not None:
            self._file(self.id).unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None


class NoClaim:
    """Of a store in memory, which one engine has to itself."""

    id = ""

    def hold(self) -> bool:
        return True

    def dead(self, session: Connection, ids: Iterable[str]) -> set[str]:  # noqa: ARG002
        return set(ids)

    def close(self) -> None:
        pass
