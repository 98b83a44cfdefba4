"""What comes in: a webhook, a vendor's handshake, and what a poll found."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Incoming:
    """A verified event: its name, the sender's own key for it, its payload, and whom it is about (if said).

    `raw` is kept as its body where no webhook brought one: what a poll or a reconciliation found.
    """

    name: str
    key: str
    payload: dict[str, Any]
    party: str | None = None
    raw: bytes | None = None


@dataclass(frozen=True, slots=True)
class Greeting:
    """A vendor's handshake, or an event that nobody wants: nothing is kept, `body` is the answer."""

    body: str


@dataclass(frozen=True, slots=True)
class Polled:
    """What a poll found, and the cursor from which the next one goes on; both are kept together."""

    events: tuple[Incoming, ...]
    cursor: str
