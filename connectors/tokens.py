"""Where connections keep what a service gave them to come back with: one locked file each, for its owner alone."""

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

from connectors.errors import NotConnected, Unavailable
from connectors.files import inside, locked, replace


class Vault(Protocol):
    """Keeps tokens by the connection's name; several engines may share one. Each call may raise a ConnectorError."""

    def locked(self, name: str) -> AbstractContextManager[None]:
        """Nobody else refreshes this token meanwhile."""

    def load(self, name: str) -> dict[str, Any] | None:
        """What was saved last; none if nothing was."""

    def save(self, name: str, token: Mapping[str, Any]) -> None:
        """Keep it durably, before it is used."""


class FileVault:
    """Tokens as files of a folder that only its owner may open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Hold the token alone among all threads and processes of this computer. Raises Unavailable."""
        path = self._path(name)
        with ExitStack() as held:
            try:
                held.enter_context(locked(path))
            except OSError:
                raise _unwritable(name) from None
            yield

    def load(self, name: str) -> dict[str, Any] | None:
        """What was saved; none if nothing was. Raises NotConnected for a file that is no token."""
        try:
            found = json.loads(self._path(name).read_bytes())
        except FileNotFoundError:
            return None
        except OSError:
            raise _unwritable(name) from None
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise NotConnected(
                "its token file is damaged", connection=name, next_step=f"connect again: digilog connect {name}"
            )
        return found

    def save(self, name: str, token: Mapping[str, Any]) -> None:
        """Write it whole, synced, readable by its owner alone. Raises Unavailable."""
        try:
            replace(self._path(name), json.dumps(dict(token)).encode())
        except OSError:
            raise _unwritable(name) from None

    def _path(self, name: str) -> Path:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._folder.chmod(0o700)
        except OSError:
            raise _unwritable(name) from None
        return inside(self._folder, f"{name}.token.json")


def _unwritable(name: str) -> Unavailable:
    return Unavailable(
        "its token cannot be kept in the secrets folder of the home",
        connection=name,
        next_step="make room on the disk, and let this account write there",
    )
