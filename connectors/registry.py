"""Connectors by name, through the entry points `digilog.connectors`: ours and other people's alike."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from connectors.base import Connector

GROUP = "digilog.connectors"


class UnknownConnector(KeyError):  # noqa: N818
    """No connector has this name; `nearest` is the most similar one, or None."""

    def __init__(self, name: str, nearest: str | None) -> None:
        super().__init__(name)
        self.name = name
        self.nearest = nearest

    def __str__(self) -> str:
        hint = f"; did you mean {self.nearest}?" if self.nearest else f"; there are: {', '.join(names())}"
        return f"{self.name}: no such connector{hint}"


class _Installed(Mapping[str, type[Connector]]):
    """Names at once, classes when asked for: one broken connector harms nobody else."""

    def __getitem__(self, name: str) -> type[Connector]:
        return find(name)

    def __iter__(self) -> Iterator[str]:
        return iter(names())

    def __len__(self) -> int:
        return len(names())


def connectors() -> Mapping[str, type[Connector]]:
    """All installed connectors; a class is imported when its name is looked up."""
    return _Installed()


def names() -> list[str]:
    """Names of all installed connectors, sorted; imports none of them."""
    return sorted(_entries())


@cache
def find(name: str) -> type[Connector]:
    """Import the connector `name`. Raises UnknownConnector, or TypeError if what is registered is no connector."""
    entry = _entries().get(name)
    if entry is None:
        raise UnknownConnector(name, next(iter(get_close_matches(name, names(), 1)), None))
    found = entry.load()
    if not (isinstance(found, type) and issubclass(found, Connector)):
        raise TypeError(f"{name}: {entry.value} is registered as a connector but is none")
    return found


@cache
def _entries() -> Mapping[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
