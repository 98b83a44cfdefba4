"""Which connections the engine asks by itself, and what: those that a playbook or the ledger hears from."""

from collections.abc import Iterator
from datetime import timedelta

from connectors.base import Connector
from connectors.errors import NotConnected
from connectors.registry import UnknownConnector, find
from flows.engine.recording import RECORDED_EVENTS
from flows.engine.world import World
from flows.playbook.model import ConnectionEntry

POLL, RECONCILE, CONFIRM = "poll", "reconcile", "confirm"
HOURLY = timedelta(hours=1)  # between two reconciliations
Use = tuple[str, str]  # a connection, and what it is asked


def askable(world: World) -> tuple[Use, ...]:
    """Every question that may come up by the company's files as they stand."""
    return tuple(
        (name, what)
        for name, entry in world.book.company.connections.items()
        if (kind := _kind(entry))
        for what in _questions(kind, entry, heard=_heard(world, name, kind, entry))
    )


def _questions(kind: type[Connector], entry: ConnectionEntry, *, heard: bool) -> Iterator[str]:
    if kind.confirms:
        yield CONFIRM
    if heard and kind.polls is not None and kind.sends(entry.settings):
        yield POLL
    if heard and kind.reconcile is not Connector.reconcile:
        yield RECONCILE


def _kind(entry: ConnectionEntry) -> type[Connector] | None:
    try:
        return find(entry.connector)
    except UnknownConnector:
        return None
    except Exception:  # noqa: BLE001 - a broken connector of others must not stop the engine; `check` says it
        return None


def _heard(world: World, name: str, kind: type[Connector], entry: ConnectionEntry) -> bool:
    """Whether anything comes of the connection's events: a case, the end of a wait, or an exchange."""
    live = [one for one in world.book.playbooks.values() if world.state(one.playbook) != "design"]
    starts = {one.start.connection for one in live}
    awaited = {step.or_.connection for one in live for step in one.steps if step.or_}
    return name in starts | awaited or bool(RECORDED_EVENTS & set(kind.sends(entry.settings)))


def period(world: World, use: Use) -> timedelta:
    """How long after a good answer the same is asked again."""
    name, what = use
    if what != POLL:
        return HOURLY
    try:
        return world.connection(name).every_so_often
    except NotConnected:
        return HOURLY
