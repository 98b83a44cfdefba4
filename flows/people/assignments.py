"""Assignments: who gets one, what it asks, and how it is done, skipped or claimed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from flows.people import reconnect
from flows.playbook.form import Refusal, typed
from flows.playbook.model import Book, FormField, Playbook, Step
from flows.store import data
from flows.store import tables as t
from flows.store.prepared import Prepared
from flows.store.read import Row
from flows.store.write import audit, change

OPEN = ("open", "claimed")
HAPPENED = {"happened": FormField(type="yesno", label="Did it happen? / 일어났습니까?")}
CONFIRM = "confirm"  # a kind of assignment: a call is prepared in state trial, and leaves when a person says so
SEND = {"send": FormField(type="yesno", label="Send it? / 보낼까요?")}
EVIDENCE = {
    "text": FormField(type="text", label="Evidence / 증빙"),
    "photo": FormField(type="text", label="Link to a photo / 사진 링크"),
    "link": FormField(type="text", label="Link / 링크"),
}
_ONE = Prepared(select(t.assignment).where(t.assignment.c.id == bindparam("id")))
CHECKED = "checklist"  # the answer that holds the ticked lines' numbers, from 0


class AssignmentError(Exception):
    """The assignment cannot be acted on; the sentence is for the person who tried."""


def find(session: Connection, id: str) -> Row:
    """The assignment of this id. Raises AssignmentError if there is none."""
    row = _ONE.first(session, id=id)
    if row is None:
        raise AssignmentError(f"there is no assignment {id}; see: digilog work list")
    return row


def person_of(book: Book, role: str) -> str | None:
    """The first person of a role, or of its backup; a person's own name stands for the person."""
    if role in book.company.people:
        return role
    known = book.company.roles.get(role)
    if known is None:
        return None
    if known.people:
        return known.people[0]
    return person_of(book, known.backup) if known.backup else None


def step_of(assignment: Mapping[str, Any], playbook: Playbook) -> Step:
    return playbook.steps[playbook.index[assignment["step"]]]


def fields_of(assignment: Mapping[str, Any], playbook: Playbook | None) -> Mapping[str, FormField]:
    """The form that an assignment asks."""
    if assignment["kind"] == "doubt":
        return HAPPENED
    if playbook is None or assignment["kind"] == "reconnect":
        return {}
    step = step_of(assignment, playbook)
    if assignment["kind"] == CONFIRM:
        return SEND
    if assignment["kind"] == "fallback":
        return step.fallback.form if step.fallback else {}
    return {**step.form, "evidence": EVIDENCE[step.evidence]} if step.evidence else step.form


def asks_nothing(assignment: Mapping[str, Any], playbook: Playbook | None) -> bool:
    """Whether a word is enough to do it: no form, no checklist, no evidence."""
    if playbook is None or assignment["kind"] not in {"step", "fallback"}:
        return False
    lines = step_of(assignment, playbook).checklist if assignment["kind"] == "step" else ()
    return not lines and not fields_of(assignment, playbook)


def sentence(assignment: Mapping[str, Any], playbook: Playbook | None) -> str:
    """What is to be done, in the company's words."""
    if assignment["kind"] == "alert":
        return str(assignment["reason"])
    if playbook is None or assignment["kind"] == "reconnect":
        return f"{assignment['connection']}: {assignment['reason']}"
    step = step_of(assignment, playbook)
    if assignment["kind"] == "fallback" and step.fallback and step.fallback.do:
        return step.fallback.do
    return step.do


def claim(session: Connection, id: str, who: str, now: datetime) -> None:
    """Take an open assignment; its case's error then counts as taken."""
    row = find(session, id)
    refuse_ended(row)
    if row["state"] == "claimed" and row["person"] != who:
        raise AssignmentError(f"{row['person']} has taken it already; ask them to hand it over")
    change(session, t.assignment, id, state="claimed", person=who)
    _taken(session, row)
    audit(session, who, "claim", id, now, before=row["state"], after="claimed")


def finish(
    session: Connection,
    book: Book,
    playbook: Playbook | None,
    id: str,
    who: str,
    answers: Mapping[str, object],
    now: datetime,
    *,
    minutes: int | None = None,
    note: str | None = None,
    as_written: bool | None = None,
) -> list[Refusal]:
    """Do an assignment: its typed answers are kept and its case goes on. Returns what was refused, if anything.

    `as_written`: whether it went as the playbook says; none if nobody said.
    Raises AssignmentError if it was done, skipped or withdrawn before.
    """
    row = find(session, id)
    refuse_ended(row)
    values, refused = typed(fields_of(row, playbook), answers, book.company)
    if playbook is not None and row["kind"] == "step":
        refused += _unticked(step_of(row, playbook), answers)
        refused += _unshown(step_of(row, playbook), values)
    if playbook is not None:
        refused += _sensitive(session, row, playbook, fields_of(row, playbook), values)
    if refused:
        return refused
    change(session, t.private_assignment, id, answers=data.dump(values), note=note)
    _end(session, row, "done", who, now, minutes=minutes, as_written=as_written)
    if row["kind"] == "reconnect":
        reconnect.resume(session, row["connection"], now)
    return []


def skip(session: Connection, playbook: Playbook | None, id: str, who: str, reason: str, now: datetime) -> None:
    """Pass an assignment over, with a reason. Raises AssignmentError if later steps need its answers."""
    row = find(session, id)
    refuse_ended(row)
    if row["kind"] == "reconnect":
        raise AssignmentError("the connection stays paused until it is set right; do that, then say done")
    asked = fields_of(row, playbook).items()
    needed = [name for name, field in asked if field.required and field not in EVIDENCE.values()]
    if needed or row["kind"] == "doubt":
        raise AssignmentError(
            "later steps need this answer, so it cannot be skipped; answer it, or end the case with: "
            f"digilog stop {row['case_id']} --reason ..."
        )
    _end(session, row, "skipped", who, now, reason=reason)


def refuse_ended(row: Mapping[str, Any]) -> None:
    """Raises AssignmentError for what is done, skipped or withdrawn."""
    if row["state"] == "done":
        raise AssignmentError(f"already done by {row['done_by']}; thank you all the same")
    if row["state"] not in OPEN:
        raise AssignmentError(
            f"no longer needed: it was {row['state']}" + (f" ({row['reason']})" if row["reason"] else "")
        )


def _end(
    session: Connection,
    row: Mapping[str, Any],
    state: str,
    who: str,
    now: datetime,
    *,
    reason: str | None = None,
    minutes: int | None = None,
    as_written: bool | None = None,
) -> None:
    late = row["due_at"] is not None and now > row["due_at"]
    facts = {"late": late, "minutes": minutes, "as_written": as_written, "reason": reason or row["reason"]}
    change(session, t.assignment, row["id"], state=state, done_by=who, done_at=now, next_at=None, **facts)
    _taken(session, row)
    if row["case_id"]:
        change(session, t.case, row["case_id"], wake_at=now)
    audit(session, who, state, row["id"], now, reason, before=row["state"], after=state)


def _taken(session: Connection, row: Mapping[str, Any]) -> None:
    if row["case_id"]:
        change(session, t.case, row["case_id"], failed=False)


def _unshown(step: Step, values: Mapping[str, object]) -> list[Refusal]:
    """Evidence that is to be a link and is none."""
    shown = values.get("evidence")
    if step.evidence in {None, "text"} or shown is None or str(shown).startswith(("https://", "http://")):
        return []
    return [Refusal("evidence", "this is no link; it begins with https://")]


def _unticked(step: Step, answers: Mapping[str, object]) -> list[Refusal]:
    ticked = answers.get(CHECKED, ())
    ticks = {str(one) for one in ticked} if isinstance(ticked, list | tuple | set) else {str(ticked)}
    left = [line for number, line in enumerate(step.checklist) if str(number) not in ticks]
    return [Refusal(CHECKED, "not ticked yet: " + ", ".join(left))] if left else []


def _sensitive(
    session: Connection,
    row: Mapping[str, Any],
    playbook: Playbook,
    form: Mapping[str, FormField],
    values: Mapping[str, object],
) -> list[Refusal]:
    """Sensitive answers need the customer's consent, given with the start."""
    asked = [name for name, field in form.items() if field.sensitive and values.get(name) is not None]
    if not asked:
        return []
    kept = select(t.private_case.c.data).where(t.private_case.c.case_id == row["case_id"])
    fields = data.load(session.execute(kept).scalar_one())["fields"]
    consents = {n: f for n, f in playbook.fields.items() if f.type == "consent" and f.purpose == "sensitive"}
    if any(fields.get(name) for name in consents):
        return []
    wording = " / ".join(f.label for f in consents.values())
    return [Refusal(name, f"leave it empty: the customer has not agreed to “{wording}”") for name in asked]
