"""Telling people: of an assignment that opens, nears its time or is late, and of a step that failed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from connectors.base import Action
from connectors.registry import find as connector
from flows.ledger.messages import connection_of, to_team
from flows.people.assignments import AssignmentError, asks_nothing, find, person_of, refuse_ended, sentence
from flows.people.links import Links
from flows.playbook.model import Book, Playbook, Step
from flows.store import tables as t
from flows.store.write import audit, change, make_effect, new_id

_WORDS = {
    "ko": {
        "open": "새 할 일",
        "remind": "곧 마감",
        "escalate": "늦어짐",
        "due": "마감",
        "failed": "실패",
        "handed": "넘겨받은 일",
        "link": "여기서 처리",
        "done": "다 했음",
    },
    "en": {
        "open": "New work",
        "remind": "Due soon",
        "escalate": "Overdue",
        "due": "due",
        "failed": "Failed",
        "handed": "Handed over to you",
        "link": "do it here",
        "done": "Done",
    },
}

_ASKED = select(t.effect.c.id).where(t.effect.c.key == bindparam("notice"))


def look(
    session: Connection, book: Book, playbook: Playbook | None, row: Mapping[str, Any], now: datetime, links: Links
) -> None:
    """What an assignment needs at this moment: a person, a reminder, an escalation. Each happens once."""
    changes: dict[str, Any] = {}
    person = row["person"] or person_of(book, row["role"])
    if not row["told_at"]:
        _tell(session, book, playbook, row, "open", person, now, links)
        changes |= {"person": person, "told_at": now}
    if row["remind_at"] and not row["reminded_at"] and row["remind_at"] <= now:
        _tell(session, book, playbook, row, "remind", person, now, links)
        changes["reminded_at"] = now
    if row["escalate_at"] and not row["escalated_at"] and row["escalate_at"] <= now:
        above = person_of(book, row["escalate_to"] or "owner")
        _tell(session, book, playbook, row, "escalate", above, now, links)
        changes["escalated_at"] = now
    then = {**row, **changes}
    ahead = [then["remind_at"] if not then["reminded_at"] else None]
    ahead.append(then["escalate_at"] if not then["escalated_at"] else None)
    changes["next_at"] = min((at for at in ahead if at), default=None)
    change(session, t.assignment, row["id"], **changes)


def hand_over(
    session: Connection,
    book: Book,
    playbook: Playbook | None,
    id: str,
    who: str,
    to: str,
    reason: str,
    now: datetime,
    links: Links,
) -> None:
    """Give an open assignment to another person, who is told. Raises AssignmentError."""
    row = find(session, id)
    refuse_ended(row)
    if to not in book.company.people:
        raise AssignmentError(f"there is no person {to} in company.yaml")
    if row["person"] == to:  # pressed twice: nobody is told twice
        raise AssignmentError(f"it is with {to} already")
    change(session, t.assignment, id, state="open", person=to)
    _tell(session, book, playbook, row, "handed", to, now, links, again=f"/{new_id()}")
    audit(session, who, "hand over", id, now, reason, before=row["person"] or row["role"], after=to)


def _tell(
    session: Connection,
    book: Book,
    playbook: Playbook | None,
    row: Mapping[str, Any],
    what: str,
    person: str | None,
    now: datetime,
    links: Links,
    *,
    again: str = "",
) -> None:
    """Queue one notice with the assignment's link."""
    words = _WORDS[book.company.language]
    lines = [f"[{words[what]}] {sentence(row, playbook)}"]
    if playbook:
        lines.append(f"{playbook.title}: {playbook.purpose}")
    if row["due_at"]:
        lines.append(f"{words['due']}: {row['due_at'].astimezone(book.company.zone):%Y-%m-%d %H:%M}")
    address = links.url(row["id"], row["opened_at"])
    buttons = {"link": address, "link_label": words["link"]} if address.startswith("https://") else {}
    if asks_nothing(row, playbook):
        buttons |= {"done": links.done(row["id"], row["opened_at"]), "done_label": words["done"]}
    if "link" not in _taken(book, buttons):
        lines.append(f"{words['link']}: {address}")
    key = f"{row['id']}/{what}{again}"
    notice(session, book, now, "\n".join(lines), person, buttons, key=key, assignment_id=row["id"])


def notice(
    session: Connection,
    book: Book,
    now: datetime,
    text: str,
    person: str | None,
    buttons: Mapping[str, str] | None = None,
    **facts: Any,
) -> int:
    """Queue one notice to a person, by the medium `team`; its first line is its subject. Returns the effect.

    `buttons` reach people where the medium has buttons.
    """
    sent = to_team(book, text, text.partition("\n")[0], person)
    return make_effect(
        session,
        now,
        {**sent.arguments, **_taken(book, buttons or {})},
        connection=sent.connection,
        action=sent.action,
        effect_class=_send(book).effect,
        **facts,
    )


def _send(book: Book) -> Action:
    """What the medium `team` sends by."""
    name = connection_of(book, "team")
    entry = book.company.connections.get(name)
    return connector(entry.connector if entry else name).actions(entry.settings if entry else {})["send"]


def _taken(book: Book, buttons: Mapping[str, str]) -> dict[str, str]:
    """Those of the buttons' values that the medium `team` knows what to do with."""
    known = _send(book).parameters
    return {name: value for name, value in buttons.items() if name in known}


def tell_failure(
    session: Connection, book: Book, playbook: Playbook, case: str, step: Step | None, reason: str | None, now: datetime
) -> None:
    """Tell whom `on_failure` names, once for a case and step: ids and our own sentences, nothing of a customer."""
    if playbook.on_failure is None:
        return
    key = f"{case}/{step.id if step else ''}/on_failure"
    if session.execute(_ASKED, {"notice": key}).first():
        return
    words = _WORDS[book.company.language]
    lines = [f"[{words['failed']}] {step.do if step else playbook.title}", playbook.title, reason or ""]
    lines.append(f"digilog case {case}")
    text = "\n".join(line for line in lines if line)
    notice(session, book, now, text, person_of(book, playbook.on_failure.tell), key=key)
