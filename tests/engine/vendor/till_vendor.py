"""Somebody else's connector, installed beside digilog: a till with one action of each careful class."""

from collections import Counter
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel

from connectors.base import Connector, action
from connectors.errors import ConnectorError, Unavailable, Uncertain

LOST = "done, but the answer is lost"


class Receipt(BaseModel):
    """What the till knows of one call."""

    key: str
    what: str


class State:
    """The service itself: what it did, by key; `faults` are used up one a call, then all is well."""

    def __init__(self) -> None:
        self.log: list[tuple[str, str, datetime]] = []
        self.did: Counter[str] = Counter()
        self.receipts: dict[str, Receipt] = {}
        self.order: list[str] = []
        self.faults: list[Any] = []
        self.down = False

    def hear(self, name: str, key: str, now: datetime) -> str | None:
        self.log.append((name, key, now))
        if self.down:
            raise Unavailable("the till is down")
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, ConnectorError):
            raise fault
        return str(fault) if fault else None

    def do(self, key: str, what: str, fault: str | None, *, drops: bool) -> Receipt:
        if not (drops and key in self.receipts):
            self.did[key] += 1
            self.order.append(what)
            self.receipts[key] = Receipt(key=key, what=what)
        if fault == LOST:
            raise Uncertain("the answer was lost")
        return self.receipts[key]

    @property
    def calls(self) -> list[str]:
        return [name for name, _, _ in self.log]


class Till(Connector):
    """A till in a test."""

    service: ClassVar[str] = "till"
    room: ClassVar[str] = "payments"
    state: ClassVar[State] = State()

    @action
    def find(self, *, key: str) -> Receipt | None:
        """Look for an earlier call."""
        self.state.hear("find", key, self._clock.now())
        return self.state.receipts.get(key)

    @action(effect="keyed", window="24h")
    def pay(self, what: str, *, key: str) -> Receipt:
        """Pay; the till drops a repeated key for a day."""
        return self.state.do(key, what, self.state.hear("pay", key, self._clock.now()), drops=True)

    @action(effect="checkable", found_by="find")
    def ring(self, what: str, *, key: str) -> Receipt:
        """Ring up; the till drops nothing, but can be asked."""
        return self.state.do(key, what, self.state.hear("ring", key, self._clock.now()), drops=False)

    @action(effect="once")
    def shout(self, what: str, *, key: str) -> Receipt:
        """Can neither be repeated nor asked about."""
        return self.state.do(key, what, self.state.hear("shout", key, self._clock.now()), drops=False)

    @action(effect="once")
    def send(self, *, medium: str, to: str, text: str, subject: str = "", message: str = "", key: str) -> Receipt:
        """Print a message; what is printed cannot be asked about."""
        return self.state.do(key, subject, self.state.hear("send", key, self._clock.now()), drops=False)
