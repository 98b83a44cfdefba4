"""One case's story on a time line: what came in, its steps, its messages with their outcome."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from flows.playbook.model import FormField, Playbook
from flows.playbook.wording import plain, said_phone
from flows.store import data
from flows.store import tables as t
from flows.store.read import Row, first, rows
from flows.web.board.ask import Ask

LONGEST = 120  # lines of each kind
_SIGNS = 2_000  # of one text; its assignment shows all of it
_BAD = frozenset({"failed", "in_doubt", "handed", "blocked", "dropped", "cancelled"})
_STEADY = frozenset({"assigned", "waiting", "deferred", "parked", "held", "due", "sending"})


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry. `text` and `to` are a message's and private; `mark`: good | bad | still."""

    at: datetime
    what: str
    step: str
    who: str
    why: str
    mark: str
    to: str = ""
    text: str = ""
    by_machine: bool = False  # a step that the machine has done


def moments(session: Connection, ask: Ask, case: Row, playbook: Playbook, said: Mapping[str, str]) -> list[Moment]:
    """All of it in the order it happened."""
    does = {step.id: step.do for step in playbook.steps}
    calls = _calls(session, ask, case["id"], does, said)
    called = {one.step for one in calls if one.mark == "good"}  # what a call tells, its step's line would tell again
    lines = [one for one in _lines(session, ask, case["id"], does, said) if not (one.by_machine and one.step in called)]
    return sorted([*_came(session, case, said), *lines, *calls], key=lambda one: one.at)


def _came(session: Connection, case: Row, said: Mapping[str, str]) -> list[Moment]:
    """The event it began with."""
    event = first(session, select(t.event).where(t.event.c.id == case["event_id"]))
    if event is None:
        return []
    source = event["connection"] if event["subject"] is None else event["name"]
    return [Moment(event["at"], said["came_in"].format(source), "", "", "", "good")]


def _lines(session: Connection, ask: Ask, case: str, does: Mapping[str, str], said: Mapping[str, str]) -> list[Moment]:
    j = t.journal.c
    asked = select(t.journal).where(j.case_id == case).order_by(j.id).limit(LONGEST)
    return [
        Moment(
            at=row["at"],
            what=said.get(f"did_{row['state']}", row["state"]),
            step=does.get(row["step"] or "", ""),
            who=ask.say.who(row["by"]),
            why=said.get(f"outcome_{row['reason']}") or ask.say.why(row["reason"]),
            mark=_mark(row["state"]),
            by_machine=(row["state"], row["by"]) == ("done", "machine"),
        )
        for row in rows(session, asked)
    ]


def _calls(session: Connection, ask: Ask, case: str, does: Mapping[str, str], said: Mapping[str, str]) -> list[Moment]:
    e = t.effect.c
    asked = (
        select(t.effect, t.private_effect.c.arguments)
        .outerjoin(t.private_effect)
        .where(e.case_id == case, e.assignment_id.is_(None))
        .order_by(e.id)
        .limit(LONGEST)
    )
    return [_call(ask, row, does, said) for row in rows(session, asked)]


def _call(ask: Ask, row: Row, does: Mapping[str, str], said: Mapping[str, str]) -> Moment:
    sent: Mapping[str, Any] = data.load(row["arguments"]) if row["arguments"] else {}
    use, state = f"{row['connection']}.{row['action']}", row["state"]
    kind = "sent" if row["message"] else "call"
    outcome = said.get(f"{kind}_{state}") or said[f"sent_{state}"]
    begun_anew = state == "sending" or (state == "due" and not row["attempt"])  # its reason is of the try before
    return Moment(
        at=row["ended_at"] or row["started_at"] or row["made_at"],
        what=f"{said['message'] if row['message'] else said['call']}: {outcome}",
        step=does.get(row["step"] or "", "") or use,
        who=use,
        why="" if begun_anew else ask.say.why(row["reason"]),
        mark=_mark(state),
        to=ask.say.phone(str(sent.get("to", ""))) if row["message"] else "",
        text=_cut(str(sent.get("text", ""))) if row["message"] else "",
    )


def _mark(state: str) -> str:
    return "bad" if state in _BAD else "still" if state in _STEADY else "good"


def answers(session: Connection, ask: Ask, case: str, playbook: Playbook) -> list[tuple[str, str]] | None:
    """What the customer said, each under its label (private); none once it is erased."""
    kept = first(session, select(t.private_case.c.data).where(t.private_case.c.case_id == case))
    if kept is None:
        return None
    content = data.load(kept["data"])
    said = _labelled(playbook.fields, content["fields"], ask)
    for step in playbook.steps:
        result = content["results"].get(step.id)
        if isinstance(result, Mapping):
            said += _labelled(step.form, result, ask)
    return said


def _labelled(fields: Mapping[str, FormField], values: Mapping[str, Any], ask: Ask) -> list[tuple[str, str]]:
    return [
        (field.label or name, _cut(_value(values[name], field, ask)))
        for name, field in fields.items()
        if values.get(name) is not None
    ]


def _value(value: object, field: FormField, ask: Ask) -> str:
    form = ask.context.world.book.company.format
    match field.type:
        case "choice":
            return field.choices.get(str(value), str(value))
        case "person":
            return ask.say.who(str(value))
        case "phone":
            return said_phone(value, form)
    return plain(value, form)


def _cut(text: str) -> str:
    return text if len(text) <= _SIGNS else text[:_SIGNS] + "…"
