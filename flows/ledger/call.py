"""What the engine hands to a built-in action, and what a resolver hands back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from connectors.base import Connector
from flows.playbook.model import Book, Playbook


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
