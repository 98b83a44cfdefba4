"""Somebody else's connectors that are asked: one whose events nobody signs, one that tells nobody, one that lists."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from connectors.base import Connector, Incoming, Polled, action
from connectors.errors import ConnectorError
from connectors.payments import PAID, REFUNDED
from connectors.spreadsheets import Row
from connectors.spreadsheets.excel import Excel


class Service:
    """The service itself: what it answers, in turn; the last answer stays. What it was asked, in order."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.asked: list[Any] = []
        self.listed: tuple[Incoming, ...] = ()
        self.truth: dict[str, Any] = {}

    def say(self, what: object) -> Any:
        self.asked.append(what)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Knock(Connector):
    """Nobody signs its events."""

    service: ClassVar[str] = "knock"
    room: ClassVar[str] = "payments"
    events: ClassVar[tuple[str, ...]] = (PAID, REFUNDED)
    confirms: ClassVar[bool] = True
    answer: ClassVar[int] = 200
    state: ClassVar[Service] = Service()

    def receive(self, headers: Mapping[str, str], raw: bytes) -> Incoming:
        found = json.loads(raw)
        return Incoming(PAID, found["id"], found)

    def confirm(self, name: str, raw: bytes) -> bytes | None:
        id = json.loads(raw)["id"]
        self.state.asked.append(id)
        truth = self.state.truth.get(id)
        if isinstance(truth, Exception):
            raise truth
        return None if truth is None else json.dumps(truth).encode()

    @action
    def look(self) -> str:
        """Ask anything."""
        return str(self.state.say("look"))


class Mailbox(Connector):
    """Tells nobody; it is asked."""

    service: ClassVar[str] = "mailbox"
    room: ClassVar[str] = "forms"
    events: ClassVar[tuple[str, ...]] = ("form.submitted",)
    polls: ClassVar[timedelta | None] = timedelta(minutes=5)
    state: ClassVar[Service] = Service()

    def poll(self, cursor: str | None) -> Polled:
        found = self.state.say(cursor)
        return found if isinstance(found, Polled) else found(cursor)


class Register(Connector):
    """Lists what it has told."""

    service: ClassVar[str] = "register"
    room: ClassVar[str] = "payments"
    events: ClassVar[tuple[str, ...]] = (PAID, REFUNDED)
    signed: ClassVar[bool] = True
    state: ClassVar[Service] = Service()

    def reconcile(self, since: datetime) -> tuple[Incoming, ...]:
        self.state.asked.append(since)
        if self.state.answers and isinstance(self.state.answers[0], ConnectorError):
            raise self.state.answers.pop(0)
        return self.state.listed


class Rows(Excel):
    """A sheet that takes a thousand rows at once."""

    service: ClassVar[str] = "rows"

    @action(effect="repeat", bulk="upsert_rows", at_once=1_000)
    def upsert_row(self, row_id: str, row: dict[str, Any]) -> Row:
        """Write one row."""
        return super().upsert_row(row_id, row)
