"""What the engine hands to a built-in action, and what a resolver hands back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from connectors.base import Connector
from connectors.clock import Clock
from connectors.errors import NotConnected
from flows.playbook.model import Book, Playbook
from flows.store.store import Store


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a built-in action: the open transaction, and for whom and when it is made."""

    session: Connection
    book: Book
    playbook: Playbook
    case: Mapping[str, Any]
    step: str
    now: datetime  # UTC
    key: str
    connection: Callable[[str], Connector]
    tried: tuple[str, ...] = ()  # mediums that refused this message already

    @property
    def party(self) -> str | None:
        party: str | None = self.case["party_id"]
        return party


def _nobody(session: Connection, connection: str, refused: NotConnected | None) -> None:
    del session, connection, refused


@dataclass(frozen=True, slots=True)
class LongCall:
    """One call of a built-in read that asks others: it opens its own transactions, short ones."""

    store: Store
    book: Book
    clock: Clock
    key: str
    connection: Callable[[str], Connector]
    fared: Callable[[Connection, str, NotConnected | None], None] = _nobody  # a credential was taken, or refused


@dataclass(frozen=True, slots=True)
class Blocked:
    """Not sent, with the reason; the case goes on."""

    reason: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now; asked again at `until` (UTC)."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What the engine is to send: a connection's action and its arguments."""

    connection: str
    action: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    medium: str = ""
    message: str | None = None


Resolved = Blocked | Deferred | Outgoing
