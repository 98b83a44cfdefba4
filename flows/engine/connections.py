"""What is known of each connection: what it is used for, how it fared last, and what it still lacks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from connectors.base import Connector, variable_of
from connectors.errors import ConnectorError
from connectors.oauth import OAuth
from connectors.registry import UnknownConnector, find
from flows.engine.askable import askable
from flows.engine.fared import Fared, fared
from flows.engine.world import World
from flows.playbook.model import Book, ConnectionEntry


@dataclass(frozen=True, slots=True)
class Missing:
    """A secret that is not set: its variable, and where the service shows it."""

    variable: str
    where: str


@dataclass(frozen=True, slots=True)
class Known:
    """One connection of company.yaml. `wrong`: why it cannot be used, apart from what is missing."""

    name: str
    connector: str
    used_for: tuple[str, ...]
    fared: Fared
    missing: tuple[Missing, ...]
    wrong: str = ""
    unconsented: bool = False  # the service wants a person's consent, and nobody has given it

    @property
    def health(self) -> str:
        """In one word: not connected, paused, failing, well, or not tried yet."""
        if self.missing or self.wrong or self.unconsented:
            return "not connected"
        if self.fared.paused:
            return "paused"
        good, bad = self.last_good, self.fared.bad
        if bad and (good is None or bad > good):
            return "failing"
        return "well" if good else "not tried yet"

    @property
    def last_good(self) -> datetime | None:
        """When a call went well or an event came in."""
        return max(filter(None, (self.fared.good, self.fared.heard)), default=None)


def connections(session: Connection, world: World) -> list[Known]:
    """All connections of company.yaml, in its order."""
    names = list(world.book.company.connections)
    found = fared(session, names)
    return [_known(world, name, found[name]) for name in names]


def known(session: Connection, world: World, name: str) -> Known:
    """What is known of the connection of this name; it stands in company.yaml."""
    return _known(world, name, fared(session, [name])[name])


def _known(world: World, name: str, found: Fared) -> Known:
    entry = world.book.company.connections[name]
    missing, wrong = lacks(world, name, entry)
    used = tuple(uses(world, name))
    asked = not missing and not wrong and not consented(world, name)
    return Known(name, entry.connector, used, found, missing, wrong, unconsented=asked)


def lacks(world: World, name: str, entry: ConnectionEntry) -> tuple[tuple[Missing, ...], str]:
    """Secrets that are not set, and what else keeps the connection from being made."""
    kind, wrong = _kind(entry)
    if kind is None:
        return (), wrong
    absent = tuple(
        Missing(variable, one.where)
        for one in kind.secrets().values()
        if one.required and not world.secrets.get(variable := variable_of(name, one.field), "").strip()
    )
    return absent, "; ".join(kind.check_settings(entry.settings))


def consented(world: World, name: str) -> bool:
    """Whether nobody needs to consent at the service; a vault that cannot be opened is told when it is used."""
    try:
        made = world.connection(name)
        return not isinstance(made, OAuth) or not made.by_consent or made.consented_before
    except ConnectorError:
        return True


def uses(world: World, name: str) -> Iterator[str]:
    """What the company's files use a connection for, a few words each."""
    book = world.book
    for file in book.playbooks.values():
        if file.start.connection == name:
            yield f"starts {file.playbook}"
        for step in file.steps:
            if step.or_ and step.or_.connection == name:
                yield f"{file.playbook}: awaited at {step.id}"
            if step.use and step.use.partition(".")[0] == name:
                yield f"{file.playbook}: {step.use.partition('.')[2]} at {step.id}"
    mediums = [medium for medium, connection in book.company.mediums.items() if connection == name]
    if mediums:
        yield f"sends {', '.join(mediums)}"
    yield from _metrics(book, name)
    yield from (f"{_ASKED[what]} by digilog" for connection, what in askable(world) if connection == name)


_ASKED = {"poll": "asked what is new", "reconcile": "asked what was missed", "confirm": "asked whether events are so"}


def _metrics(book: Book, name: str) -> Iterator[str]:
    drawn = [one for one, metric in book.metrics.metrics.items() if (metric.source.use or "").partition(".")[0] == name]
    if drawn:
        yield f"brings {', '.join(drawn)}"


def _kind(entry: ConnectionEntry) -> tuple[type[Connector] | None, str]:
    try:
        return find(entry.connector), ""
    except UnknownConnector as error:
        return None, str(error)
    except Exception as error:  # noqa: BLE001 - a broken connector of others must not hide all the rest
        return None, f"the connector {entry.connector} cannot be loaded ({type(error).__name__})"
