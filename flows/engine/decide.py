"""What an event means: a pure function of the event, the book and what is known; it returns what to change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, Protocol

from flows.engine.recording import RECORDED_EVENTS, Dealing, dealings, otherwise
from flows.ledger.parties import family
from flows.playbook.expression import Expression
from flows.playbook.form import Refusal, typed
from flows.playbook.model import Book, Playbook
from flows.playbook.schedule import Schedule

# names of our own events
DUE, RECORDED, PASSED_STEP, BY_HAND = "schedule.due", "exchange.recorded", "step.done", "hand.started"
CONTACT = {"phone": "phone", "email": "email"}  # field types that say who somebody is


@dataclass(frozen=True, slots=True)
class Event:
    """One stored event. `body` is what a form or webhook brought, `subject` what our own events are about.

    `told` is what the case knew that an event of our own comes from: {"fields": ..., "results": ...}.
    """

    id: int
    name: str
    connection: str
    key: str
    at: datetime
    body: Mapping[str, Any] = field(default_factory=dict)
    subject: str | None = None
    exchange: Mapping[str, Any] | None = None  # the row that an exchange.recorded is about
    party: str | None = None  # whom one of our own events is about
    told: Mapping[str, Any] = field(default_factory=dict)


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
    party: str | None = None  # known already


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
class Record:
    """Record an exchange that the event tells of; it is about a known party, or about whom `contact` names."""

    dealing: Dealing
    party: str | None
    contact: Contact | None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """What was not done by the event, and why; it is told beside it. The reason holds no customer's text."""

    reason: str


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Nobody can act on the event as it is; a person looks at it. The reason holds no customer's text."""

    reason: str


@dataclass(frozen=True, slots=True)
class Happened:
    """What a case waited for has come, before its time: it goes on."""

    case: str
    step: str
    brought: Mapping[str, Any]


Change = Open | Note | Stop | Happened | Record | Remark | Quarantine
NOBODY = "no exchange is recorded: no customer is known by its order, phone or e-mail"


class Known(Protocol):
    """What decisions are made of besides the event itself."""

    def party(self, contact: Contact) -> str | None: ...
    def open_case(self, playbook: str, party: str) -> str | None: ...
    def sender(self, connection: str, body: Mapping[str, Any]) -> list[str]: ...  # parties, by the connection's `party`
    def dealt(self, connection: str, dealing: Dealing) -> str | None: ...  # whom a payment's or order's number is of
    def named(self, connection: str, body: Mapping[str, Any]) -> Contact | None: ...  # by its phone or e-mail
    def open_cases(self, party: str) -> list[Mapping[str, Any]]: ...  # id, playbook, version, status, step
    def pinned(self, version: str) -> Playbook: ...
    def told(self, case: str) -> Mapping[str, Any]: ...  # playbook, fields, results
    def reached(self, exchange: Mapping[str, Any]) -> str | None: ...  # the stage that it was the first to lead to
    def parties(self, playbook: Playbook, period: Mapping[str, Any]) -> list[str]: ...  # for whom its `where` holds
    def holds(self, where: Expression, playbook: Playbook, data: Mapping[str, Any], party: str | None) -> bool: ...


def decide(event: Event, book: Book, known: Known, states: Mapping[str, str]) -> list[Change]:
    """Changes in the order to be made. `states`: each playbook's state as it stands now."""
    if event.exchange is not None:
        return _of_exchange(event, event.exchange, book, known, states)
    live = [playbook for playbook in book.playbooks.values() if states[playbook.playbook] != "design"]
    ours = event.subject is not None  # what comes from outside may have any name
    if ours and event.name == DUE:
        name, _, period = (event.subject or "").partition("/")
        return [change for one in live if one.playbook == name for change in _of_period(one, period, known, states)]
    if ours and event.name == PASSED_STEP:
        begun = [one for one in live if one.start.step == event.subject]
        changes = [_of_party(event, one, event.told, known, book, states) for one in begun]
    elif ours and event.name == BY_HAND:
        changes = [
            _begin(_filled(one, event, book, known), known, states) for one in live if one.playbook == event.subject
        ]
    else:
        return _from_outside(event, live, book, known, states)
    return [change for change in changes if change]


def _from_outside(
    event: Event, live: Sequence[Playbook], book: Book, known: Known, states: Mapping[str, str]
) -> list[Change]:
    """What waited for the event, and then what begins by it."""
    begun = [one for one in live if (one.start.connection, one.start.event) == (event.connection, event.name)]
    forms = [_filled(one, event, book, known) for one in begun]
    recorded = list(_recorded(event, forms, known))
    if otherwise_ := otherwise(event.name, event.body):
        return [*recorded, Remark(otherwise_)]
    senders = [form.party for form in forms] + known.sender(event.connection, event.body)
    senders += [one.party for one in recorded if isinstance(one, Record)]
    found: list[Change | None] = []
    for party in dict.fromkeys(one for one in senders if one):
        found += _happened(event, party, known)
    found += [_begin(form, known, states) for form in forms]
    if not begun and not found and not _awaited(event, live):
        if event.name not in RECORDED_EVENTS:
            return [Quarantine("no playbook starts by this event; check `start:` of the playbooks")]
        if not any(isinstance(one, Record) for one in recorded):
            return [Quarantine(NOBODY)]
    return [*recorded, *(change for change in found if change)]


def _recorded(event: Event, forms: Sequence["_Form"], known: Known) -> Iterator[Record | Remark]:
    """The exchanges that an event tells of, or why there is none."""
    for one in dealings(event.name, event.key, event.body):
        party = known.dealt(event.connection, one)
        asked = (form.contact for form in forms if form.contact and not form.refused)
        contact = None if party else next(asked, None) or known.named(event.connection, event.body)
        if party or contact:
            name = event.body.get("name")
            yield Record(one, party, contact, name if isinstance(name, str) and contact else None)
        else:
            yield Remark(NOBODY)


def _happened(event: Event, party: str, known: Known) -> Iterator[Happened]:
    for case in known.open_cases(party):
        if case["status"] != "waiting":
            continue
        step = known.pinned(case["version"]).steps[case["step"]]
        if step.or_ is None or (step.or_.connection, step.or_.event) != (event.connection, event.name):
            continue
        data = {**known.told(case["id"]), "reply": event.body}
        try:
            meant = step.or_.where is None or known.holds(step.or_.where, known.pinned(case["version"]), data, party)
        except ValueError:  # a text where a number was expected: something else came
            meant = False
        if meant:
            yield Happened(case["id"], step.id, event.body)


def _awaited(event: Event, live: Sequence[Playbook]) -> bool:
    """Whether somebody may wait for such an event; then it is no mistake that nobody does now."""
    steps = [step.or_ for playbook in live for step in playbook.steps if step.or_]
    return any((one.connection, one.event) == (event.connection, event.name) for one in steps)


@dataclass(frozen=True, slots=True)
class _Form:
    """What an event fills in for a playbook that starts by it."""

    playbook: Playbook
    fields: Mapping[str, object]
    refused: Sequence[Refusal]
    contact: Contact | None
    party: str | None


def _filled(playbook: Playbook, event: Event, book: Book, known: Known) -> _Form:
    fields, refused = typed(playbook.fields, event.body, book.company)
    contact = _contact(playbook, fields)
    return _Form(playbook, fields, refused, contact, known.party(contact) if contact else None)


def _begin(form: _Form, known: Known, states: Mapping[str, str]) -> Change | None:
    playbook, where = form.playbook, form.playbook.start.where
    if form.refused:
        return _odd(form.refused)
    if where and not known.holds(where, playbook, {"fields": form.fields, "results": {}}, form.party):
        return None
    if form.party and playbook.overlap == "single" and (case := known.open_case(playbook.playbook, form.party)):
        return Note(case)
    return Open(playbook, form.fields, form.contact, waits=states[playbook.playbook] == "complete")


def _of_exchange(
    event: Event, exchange: Mapping[str, Any], book: Book, known: Known, states: Mapping[str, str]
) -> list[Change]:
    """What an exchange ends, and then what it begins."""
    if exchange["voids"]:  # a correction is nothing that the customer did
        return []
    stops = _stops(exchange, known)
    kinds, stage = {exchange["kind"], family(exchange["kind"])}, None
    if any(playbook.start.stage for playbook in book.playbooks.values()):
        stage = known.reached(exchange)
    found: list[Change | None] = [*stops]
    for playbook in book.playbooks.values():
        start = playbook.start
        if (start.exchange in kinds or (stage and start.stage == stage)) and states[playbook.playbook] != "design":
            told = event.told or (known.told(exchange["case_id"]) if exchange["case_id"] else {})
            if told.get("playbook") != playbook.playbook:  # else a playbook that records what it starts by never rests
                told = {**told, "exchange": exchange}
                found.append(_of_party(event, playbook, told, known, book, states, stops))
    return [change for change in found if change]


def _of_party(
    event: Event,
    playbook: Playbook,
    told: Mapping[str, Any],
    known: Known,
    book: Book,
    states: Mapping[str, str],
    stops: Sequence[Change] = (),
) -> Change | None:
    """A case about the party of one of our own events, with what the case that it comes from knew."""
    answers, results = told.get("fields", {}), told.get("results", {})
    brought = {**answers, **results, "exchange": told.get("exchange", {})}
    fields, refused = typed(playbook.fields, _plain(brought), book.company)
    if refused:
        return _odd(refused)
    where, data = playbook.start.where, {"fields": {**answers, **fields}, "results": results}
    if event.party is None or (where and not known.holds(where, playbook, data, event.party)):
        return None
    return _open_or_note(playbook, fields, event.party, known, states, stops)


def _of_period(playbook: Playbook, id: str, known: Known, states: Mapping[str, str]) -> list[Change]:
    waits = states[playbook.playbook] == "complete"
    if playbook.start.each is None:
        return [Open(playbook, {}, period=id, waits=waits)]
    found = known.parties(playbook, period_of(playbook, id))
    return [_open_or_note(playbook, {}, party, known, states, period=id) for party in found]


def _open_or_note(
    playbook: Playbook,
    fields: Mapping[str, object],
    party: str,
    known: Known,
    states: Mapping[str, str],
    stops: Sequence[Change] = (),
    period: str | None = None,
) -> Open | Note:
    case = known.open_case(playbook.playbook, party) if playbook.overlap == "single" else None
    if case and all(stop.case != case for stop in stops if isinstance(stop, Stop)):
        return Note(case)
    return Open(playbook, fields, period=period, waits=states[playbook.playbook] == "complete", party=party)


def period_of(playbook: Playbook, id: str) -> dict[str, Any]:
    """What texts may ask of a period: its day, and the last day of the day, week or month before it."""
    schedule = Schedule.parse(playbook.start.schedule or "")
    return {"id": id, "date": schedule.date_of(id), "previous": schedule.previous(id)}


def _plain(value: object) -> Any:
    """Typed values as a form would bring them, to be typed again by other fields."""
    match value:
        case Mapping():
            return {key: _plain(inner) for key, inner in value.items()}
        case datetime() | date() | time():
            return value.isoformat()
    return value


def _odd(refused: Sequence[Refusal]) -> Quarantine:
    return Quarantine("; ".join(f"{one.field}: {_without_text(one.sentence)}" for one in refused))


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


def unwrapped(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body with what senders wrap in `data` beside the rest."""
    inner = body.get("data")
    return {**body, **inner} if isinstance(inner, Mapping) else body
