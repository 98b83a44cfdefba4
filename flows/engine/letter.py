"""The message that an assignment asks a person to send by hand, or to let go: to whom, by what, in which words."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select

from flows.engine.scope import Scope
from flows.engine.world import World
from flows.ledger.messages import CONTACT
from flows.ledger.parties import contacts
from flows.people.assignments import CONFIRM, step_of
from flows.playbook.model import MessageText, Playbook, Step
from flows.playbook.text import MissingValue, fill, render_all
from flows.playbook.wording import plain, said_phone
from flows.store import data
from flows.store import tables as t
from flows.store.read import first

USE = "message.send"
_KINDS = ("step", "fallback", CONFIRM)


@dataclass(frozen=True, slots=True)
class Letter:
    """A message with its blanks filled: private text. Without `text`, `missing` or `wrong` says why."""

    name: str | None  # the customer's
    contact: str  # the kind of address that the medium needs: phone, email
    to: str | None  # as it is dialled at home
    medium: str
    subject: str = ""
    text: str = ""
    advert: bool = False
    missing: str | None = None  # the value that the case does not have, as the playbook names it
    wrong: str | None = None


def letter_of(session: Connection, world: World, row: Mapping[str, Any], playbook: Playbook | None) -> Letter | None:
    """The message of an open assignment; none if its step sends none, or it asks something else."""
    if playbook is None or row["kind"] not in _KINDS or step_of(row, playbook).use != USE:
        return None
    case = first(session, select(t.case).where(t.case.c.id == row["case_id"]))
    if case is None:
        return None
    kept = select(t.private_case.c.data).where(t.private_case.c.case_id == case["id"])
    content = data.load(session.execute(kept).scalar() or '{"fields":{},"results":{}}')
    scope = Scope(session, world.book, playbook, case, content, world.clock.now())
    return _letter(scope, world, step_of(row, playbook), leaves=row["kind"] == CONFIRM)


def _letter(scope: Scope, world: World, step: Step, *, leaves: bool) -> Letter:
    """`leaves`: it goes where the machine sends it; by hand it goes where this case says, if it does."""
    name = scope.data["fields"].get("name") or (scope.party.name if scope.party else None)
    told = Letter(name, "phone", None, "")
    try:
        id = str(render_all(step.arguments.get("message"), scope.shown, world.format))
        message = world.book.messages.get(id)
        if message is None:
            return replace(told, wrong=f"{id}: there is no such message; add it to messages.yaml")
        medium, contact, to = _address(scope, message, leaves=leaves)
        to = said_phone(to, world.format) if to and contact == "phone" else to
        told = replace(told, medium=medium, contact=contact, to=to, advert=message.purpose != "info")
        subject, text = _filled(scope, world, step, message)
    except MissingValue as error:
        return replace(told, missing=error.path)
    except ValueError as error:  # a filter cannot take the value
        return replace(told, wrong=str(error))
    return replace(told, subject=subject, text=text)


def _filled(scope: Scope, world: World, step: Step, message: MessageText) -> tuple[str, str]:
    found = render_all(step.arguments.get("values") or {}, scope.shown, world.format)
    values = {name: plain(value, world.format) for name, value in found.items()} if isinstance(found, Mapping) else {}
    return fill(message.subject, values), fill(message.text, values)


def _address(scope: Scope, message: MessageText, *, leaves: bool) -> tuple[str, str, str | None]:
    """The medium, the kind of address it needs, and the address: of the first medium that has one."""
    for medium in (message.medium, message.fallback):
        kind = CONTACT.get(medium or "")
        if medium and kind and (to := _known(scope, kind, leaves=leaves)):
            return medium, kind, to
    return message.medium, CONTACT.get(message.medium, "phone"), None


def _known(scope: Scope, kind: str, *, leaves: bool) -> str | None:
    party: str | None = scope.case["party_id"]
    named = (scope.data["fields"].get(name) for name, field in scope.playbook.fields.items() if field.type == kind)
    found = [] if leaves else [str(value) for value in named if value]
    return next(iter([*found, *(contacts(scope.session, party, kind) if party else [])]), None)
