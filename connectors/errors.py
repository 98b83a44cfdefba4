"""What can go wrong outside, sorted by what to do next.

ConnectorError
    NotConnected   reconnect: a credential or setting is missing or refused; the connection pauses
    Rejected       do not repeat: the service understood and said no, or an answer to a read cannot be read
    Unavailable    repeat later: nothing was changed
    Uncertain      it may or may not have happened: ask, repeat under the key, or let a person settle it
    Forged         a webhook that does not verify: answer 401
    Odd            a webhook that verifies but has a shape nobody knows: keep it for a person

`reason` is our own sentence: never the vendor's text, a URL, a body or a secret, because it is shown and stored.
"""

# ruff: noqa: N818 - they are named by what to do next
from typing import ClassVar


class ConnectorError(Exception):
    """One failed call, with the reason in our words, the connection's name and the next step for a person."""

    usual_next_step: ClassVar[str] = ""

    def __init__(self, reason: str, *, connection: str | None = None, next_step: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.connection = connection
        self.next_step = self.usual_next_step if next_step is None else next_step

    def __str__(self) -> str:
        where = f"{self.connection}: " if self.connection else ""
        return f"{where}{self.reason}" + (f" ({self.next_step})" if self.next_step else "")


class NotConnected(ConnectorError):
    """The connection has no usable credential or setting."""

    usual_next_step = "set the missing or refused setting and start digilog again"


class Rejected(ConnectorError):
    """The call was refused, and would be refused again."""

    usual_next_step = "correct what was asked for; repeating changes nothing"


class Unavailable(ConnectorError):
    """Nothing happened; repeat after `retry_after` seconds (None: as the caller likes)."""

    usual_next_step = "it is repeated later by itself"

    def __init__(
        self,
        reason: str,
        *,
        retry_after: float | None = None,
        connection: str | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(reason, connection=connection, next_step=next_step)
        self.retry_after = retry_after


class Uncertain(ConnectorError):
    """The answer was lost or unreadable after the service may have acted."""

    usual_next_step = "look at the service whether it happened, then settle it"


class Forged(ConnectorError):
    """A webhook without a valid, recent signature."""

    usual_next_step = "compare the signing secret here with the one at the sender"


class Odd(ConnectorError):
    """A validly signed webhook of a shape or type that the connector does not know."""

    usual_next_step = "a person looks at it"
