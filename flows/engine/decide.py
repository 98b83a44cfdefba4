"""What an event means: a pure function of the event, the book and what is known; it returns what to change."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from flows.ledger.parties import family
from flows.playbook.expression import Expression
from flows.playbook.form import typed
from flows.playbook.model import Book, Playbook

CONTACT = {"phone": "phone", "email": "email"}  # field types that say who somebody is


@dataclass(frozen=True, slots=True)
class Event:
    """One stored event. `body` is what a form or webhook brought, `subject` what our own events are about."""

    id: int
    name: str
    connection: str
    key: str
    at: datetime
    body: Mapping[str, Any] = field(default_factory=dict)
    subject: str | None = None
    exchange: Mapping[str, Any] | None = None  # the row that an exchange.recorded is about


@dataclass(frozen=True, slots=True)
class Contact:
    """Who a case is about: a kind of party, and a phone number or address in its one form."""

    party_kind: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Open:
    """Open a case of a playbook."""

    playbook: Playbook
    fields: Mapping[str, object]
    contact: Contact | None = None
    period: str | None = None
    waits: bool = False  # in state complete a person lets it go


@dataclass(frozen=True, slots=True)
class Note:
    """A further start for a customer whose case is still open: noted there, and nothing else."""

    case: str


@dataclass(frozen=True, slots=True)
class Stop:
    """End an open case."""

    case: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Nobody can act on the event as it is; a person looks at it. The reason holds no customer's text."""

    reason: str


Change = Open | Note | Stop | Quarantine


class Known(Protocol):
    """What decisions are made of besides the event itself."""

    def party(self, contact: Contact) -> str | None: ...
    def open_case(self, playbook: str, party: str) -> str | None: ...
    def open_cases(self, party: str) -> list[Mapping[str, Any]]: ...  # id, playbook, version, held
    def pinned(self, version: str) -> Playbook: ...
    def holds(self, where: Expression, playbook: Playbook, fields: Mapping[str, object], party: str | None) -> bool: ...


def decide(event: Event, book: Book, known: Known, states: Mapping[str, str]) -> list[Change]:
    """Changes in the order to be made. `states`: each playbook's state as it stands now."""
    if event.exchange is not None:
        return _stops(event.exchange, known)
    if event.name == "schedule.due":
        name, _, period = (event.subject or "").partition("/")
        playbook = book.playbooks.get(name)
        if playbook is None or states[name] == "design":
            return []
        return [Open(playbook, {}, period=period, waits=states[name] == "complete")]
    changes: list[Change | None] = []
    for playbook in book.playbooks.values():
        start = playbook.start
        if start.connection == event.connection and start.event == event.name and states[playbook.playbook] != "design":
            changes.append(_start(event, playbook, book, known, states[playbook.playbook]))
    if not changes:
        return [Quarantine("no playbook starts by this event; check `start:` of the playbooks")]
    return [change for change in changes if change]


def _start(event: Event, playbook: Playbook, book: Book, known: Known, state: str) -> Change | None:
    fields, refused = typed(playbook.fields, event.body, book.company)
    if refused:
        return Quarantine("; ".join(f"{one.field}: {_without_text(one.sentence)}" for one in refused))
    contact = _contact(playbook, fields)
    party = known.party(contact) if contact else None
    if playbook.start.where and not known.holds(playbook.start.where, playbook, fields, party):
        return None
    if party and playbook.overlap == "single" and (case := known.open_case(playbook.playbook, party)):
        return Note(case)
    return Open(playbook, fields, contact, waits=state == "complete")


def _contact(playbook: Playbook, fields: Mapping[str, object]) -> Contact | None:
    about = playbook.case
    if about is None or about.field not in playbook.fields:
        return None
    kind, value = CONTACT.get(playbook.fields[about.field].type), fields.get(about.field)
    return Contact(about.party, kind, str(value)) if kind and value else None


def _stops(exchange: Mapping[str, Any], known: Known) -> list[Change]:
    """The cases that an exchange ends: those of the party whose `stop` names its kind, but its own."""
    kinds = {exchange["kind"], family(exchange["kind"])}
    return [
        Stop(case["id"], stop.outcome, f"stop: {exchange['kind']}")
        for case in known.open_cases(exchange["party_id"])
        if case["id"] != exchange["case_id"]
        for stop in known.pinned(case["version"]).stop[:]
        if kinds & set(stop.exchange)
    ]


def _without_text(sentence: str) -> str:
    return sentence.partition(": ")[2] or sentence


def read_body(raw: bytes) -> Mapping[str, Any] | None:
    """A body as the mapping it must be; none if it is something else."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, dict) and isinstance(found.get("data"), dict):
        return {**found, **found["data"]}  # senders that wrap their fields in `data`
    return found if isinstance(found, dict) else None
