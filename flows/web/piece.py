"""One piece of work as its page shows it: what to do, for whom, why, until when, and what it asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from flows.engine.letter import Letter, letter_of
from flows.ledger.alerts import told
from flows.ledger.alerts.judge import Finding
from flows.ledger.parties import contacts
from flows.people.assignments import CONFIRM, OPEN, fields_of, find, sentence, step_of
from flows.playbook.model import Book, FormField, Playbook, Step
from flows.playbook.wording import plain, said_money, said_phone
from flows.store import data
from flows.store import tables as t
from flows.store.read import Row, first
from flows.web.context import Context
from flows.web.letter import Facts, facts, trouble
from flows.web.page import moment

_LONGEST_NAME = 200  # signs


@dataclass(frozen=True, slots=True)
class Piece:
    """An assignment with its playbook; `customer`, `letter` and `known` hold private text, empty once it is closed."""

    row: Row
    playbook: Playbook | None
    do: str
    due: str | None
    overdue: bool
    customer: Facts
    letter: Letter | None  # the message to send by hand, or to let go
    trouble: tuple[str, ...]  # with the letter
    known: Facts
    serves: tuple[str, ...]
    checklist: tuple[str, ...]
    fields: Mapping[str, FormField]
    leads: str  # where the board shows the numbers of an alert
    done_by: str | None  # a person's name
    done_at: str | None

    @property
    def open(self) -> bool:
        return self.row["state"] in OPEN

    @property
    def leaves(self) -> bool:
        """The machine sends the letter when a person says so."""
        return bool(self.row["kind"] == CONFIRM)

    @property
    def can_be_skipped(self) -> bool:
        return self.row["kind"] != "doubt" and not any(field.required for field in self.fields.values())


def playbook_of(session: Connection, context: Context, row: Mapping[str, Any]) -> Playbook | None:
    """The playbook as the assignment's case was started with it; none for what belongs to no case."""
    if row["case_id"] is None:
        return None
    version = session.execute(select(t.case.c.version).where(t.case.c.id == row["case_id"])).scalar_one()
    return context.world.pinned(session, version)


def read(session: Connection, context: Context, id: str) -> Piece:
    """Everything the page shows. Raises AssignmentError if there is no such assignment."""
    row, book = find(session, id), context.world.book
    playbook = playbook_of(session, context, row)
    step = step_of(row, playbook) if playbook else None
    is_open = row["state"] in OPEN
    customer = _customer(session, context, row) if is_open else ()
    letter = letter_of(session, context.world, row, playbook) if is_open else None
    if letter:
        customer = tuple((dict(customer) | dict(facts(letter, context.words))).items())
    return Piece(
        row=row,
        playbook=playbook,
        do=sentence(row, playbook),
        due=moment(row["due_at"], context) if row["due_at"] else None,
        overdue=is_open and row["due_at"] is not None and row["due_at"] < context.world.clock.now(),
        customer=customer,
        letter=letter,
        trouble=trouble(letter, context.words, leaves=row["kind"] == CONFIRM) if letter else (),
        known=_known(session, context, row, playbook, step) if is_open else (),
        serves=tuple(playbook.scenario[line] for line in step.serves if line in playbook.scenario)
        if playbook and step
        else (),
        checklist=tuple(step.checklist) if step and row["kind"] == "step" else (),
        fields=fields_of(row, playbook),
        leads=_leads(context, finding_of(session, row)) if is_open else "",
        done_by=_name(book, row["done_by"]),
        done_at=moment(row["done_at"], context) if row["done_at"] else None,
    )


def _customer(session: Connection, context: Context, row: Mapping[str, Any]) -> Facts:
    found = select(t.case.c.party_id).where(t.case.c.id == row["case_id"])
    party = session.execute(found).scalar()
    if party is None:
        return ()
    name, phone = (next(iter(contacts(session, party, kind)), None) for kind in ("name", "phone"))
    told = [(context.words["for_whom"], name[:_LONGEST_NAME] if name else None)]
    told.append((context.words["phone"], said_phone(phone, context.world.book.company.format) if phone else None))
    return tuple((label, value) for label, value in told if value)


def _known(
    session: Connection, context: Context, row: Mapping[str, Any], playbook: Playbook | None, step: Step | None
) -> Facts:
    """What the case brought and what was answered at earlier steps, each under its label; an alert's evidence."""
    if finding := finding_of(session, row):
        return told.facts(context.world.book, finding)
    if playbook is None or step is None:
        return ()
    kept = select(t.private_case.c.data).where(t.private_case.c.case_id == row["case_id"])
    content = data.load(session.execute(kept).scalar() or '{"fields":{},"results":{}}')
    facts = _labelled(playbook.fields, content["fields"], context.world.book)
    for earlier in playbook.steps[: playbook.index[step.id]]:
        result = content["results"].get(earlier.id)
        if isinstance(result, Mapping):
            facts += _labelled(earlier.form, result, context.world.book)
    if row["kind"] == "doubt":
        facts += _doubt(session, context, row)
    if row["reason"]:
        facts.append((context.words["because"], row["reason"]))
    return tuple(facts)


def finding_of(session: Connection, row: Mapping[str, Any]) -> Finding | None:
    """What an alert is about, as it was seen last; none for other work, and for an alert that was told again since."""
    if row["kind"] != "alert":
        return None
    kept = select(t.alert.c.evidence).where(t.alert.c.assignment_id == row["id"])
    evidence = session.execute(kept).scalar()
    return told.load(evidence) if evidence else None


def _leads(context: Context, finding: Finding | None) -> str:
    """The board's page of what an alert is about; the board asks who comes by a link to log in."""
    if finding is None:
        return ""
    return f"{context.world.links.address}{page_of(context.world.book, finding)}"


def page_of(book: Book, finding: Finding) -> str:
    """The path of the board's page that shows what an alert is about."""
    if finding.kind == "failing":
        return f"/connections/{finding.subject.partition('.')[0]}"
    return f"/metrics/{finding.subject}" if finding.subject in book.metrics.metrics else "/metrics"


def _labelled(fields: Mapping[str, FormField], values: Mapping[str, Any], book: Book) -> list[tuple[str, str]]:
    return [
        (field.label or name, _shown(field, values[name], book))
        for name, field in fields.items()
        if values.get(name) is not None and name != "name" and field.type != "phone"
    ]


def _shown(field: FormField, value: object, book: Book) -> str:
    form = book.company.format
    match field.type:
        case "choice":
            return field.choices.get(str(value), str(value))
        case "person":
            return _name(book, str(value)) or str(value)
        case "phone":
            return said_phone(value, form)
        case "money":
            return said_money(value, form)
    return plain(value, form)


def _doubt(session: Connection, context: Context, row: Mapping[str, Any]) -> list[tuple[str, str]]:
    e = t.effect.c
    newest = select(t.effect).where(e.case_id == row["case_id"], e.step == row["step"], e.state == "in_doubt")
    effect = first(session, newest.order_by(e.id.desc()))
    facts = [(context.words["service"], f"{effect['connection']}.{effect['action']}")] if effect else []
    if effect and effect["started_at"]:
        facts.append((context.words["asked_at"], moment(effect["started_at"], context)))
    return facts


def _name(book: Book, id: str | None) -> str | None:
    """A person's name, a role's label, or the id itself."""
    company = book.company
    if id in company.people:
        return company.people[id].name
    return company.roles[id].label if id in company.roles else id
