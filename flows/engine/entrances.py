"""How a connection is set up at its service: what to click there, and the address at which its events come in."""

import inspect
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from connectors.actions import duration
from connectors.base import Connector
from connectors.registry import find
from flows.engine.world import World

_HERE = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Entrance:
    """How events of a connection come in: it is asked, or it sends to an address, or people fill in a form there."""

    asked: timedelta | None = None  # how often
    address: str = ""
    form: bool = False
    signed: bool = True  # else whoever knows the address can send, and each event is asked again
    secrets: tuple[tuple[str, str], ...] = ()  # settings with which the service signs, and where it shows each
    only_here: bool = False  # nobody but this computer reaches the address


def entrance(world: World, name: str) -> Entrance | None:
    """Where events of a connection of company.yaml come in; none: it sends none. Raises UnknownConnector."""
    entry = world.book.company.connections[name]
    kind, base = find(entry.connector), world.links.address
    if not kind.sends(entry.settings):
        return None
    if kind.polls:
        every = entry.settings.get("every")
        return Entrance(asked=duration(every) if isinstance(every, str) else kind.polls)
    here = urlsplit(base).hostname == _HERE
    if kind.signed or kind.confirms:
        door = "" if kind.signed else f"/{world.links.door(name)}"
        secrets = tuple(
            (one.field, one.where)
            for one in kind.secrets().values()
            if kind.signed and ("sign" in one.field or "webhook" in one.field)
        )
        return Entrance(address=f"{base}/in/{name}{door}", signed=kind.signed, secrets=secrets, only_here=here)
    return Entrance(address=f"{base}/form/{name}", form=True, only_here=here) if kind.room == "forms" else None


def steps(kind: type[Connector]) -> list[str]:
    """What to click at the vendor's, in its order."""
    return [line.strip() for line in inspect.cleandoc(kind.console).splitlines() if line.strip()]
