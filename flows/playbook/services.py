"""What a company's connections can do, asked of their connectors by name."""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors import registry
from connectors.actions import Action
from connectors.base import Connector
from flows.playbook.model import Company
from flows.playbook.problem import nearest

OUTBOX = "outbox"  # a connection that is always there
_OURS = ("Value error, ", "no such setting", "a secret ")  # the other sentences speak of the machinery
BUILT_IN = ("ledger", "metrics", "message", "team")


def connector_of(company: Company, connection: str) -> type[Connector]:
    """The connector of a connection or of a built-in; raise ValueError with a plain sentence."""
    if connection in BUILT_IN or (connection == OUTBOX and connection not in company.connections):
        return connector(connection)
    entry = company.connections.get(connection)
    if entry is None:
        known = [*company.connections, OUTBOX, *BUILT_IN]
        raise ValueError(f"{connection} is no connection of company.yaml{nearest(connection, known)}")
    return connector(entry.connector)


def connector(name: str) -> type[Connector]:
    """A connector by its name; raise ValueError with a plain sentence."""
    try:
        return registry.find(name)
    except registry.UnknownConnector:
        outside = [one for one in registry.names() if one not in BUILT_IN]
        raise ValueError(f"{name} is no connector{nearest(name, outside)}") from None
    except Exception as error:  # noqa: BLE001 - a broken connector of others must not end the check of all files
        raise ValueError(f"the connector {name} cannot be loaded ({type(error).__name__})") from None


def action_of(company: Company, use: str) -> Action:
    """The action that `connection.action` names; raise ValueError with a plain sentence."""
    connection, dot, name = use.partition(".")
    if not dot or not name or "." in name:
        raise ValueError(f"{use!r} names no action; write it as connection.action")
    actions = connector_of(company, connection).actions()
    if name not in actions:
        near = nearest(name, actions).replace("did you mean ", f"did you mean {connection}.")
        raise ValueError(f"{use}: no such action{near or f'; {connection} has none'}")
    return actions[name]


def events_of(company: Company, connection: str) -> tuple[str, ...]:
    """The events that a connection sends; raise ValueError with a plain sentence."""
    found: Any = connector_of(company, connection)
    settings = company.connections[connection].settings if connection in company.connections else {}
    sends = getattr(found, "sends", None)
    return tuple(sends(settings)) if callable(sends) else tuple(found.events)


def declared(connector: type[Connector], settings: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What a connection says itself of its names, by the key of a metric's source that may name them."""
    declares = getattr(connector, "declares", None)
    return {key: tuple(names) for key, names in declares(settings).items()} if callable(declares) else {}


def settings_problems(connector_name: str, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(setting, sentence) for each setting that does not fit its connector; raise ValueError if there is none."""
    for said in connector(connector_name).check_settings(settings):
        name, _, sentence = said.partition(": ")
        if sentence.startswith("Field required"):
            yield name, f"{name} is missing; add it beside connector"
            continue
        if not sentence.startswith(_OURS):
            sentence = "this does not fit here; look at the page of connectors"
        sentence = sentence.removeprefix("Value error, ")
        yield name, f"{name}: {sentence}"
