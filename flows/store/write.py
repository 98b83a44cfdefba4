"""The few writes that several rooms share: emit an event, keep the journal, open an assignment, audit."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from flows.store import data
from flows.store import tables as t
from flows.store.read import Row

RAW_KEPT = timedelta(days=90)  # raw bodies, answers and rendered messages
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no signs that are read for one another

# states of the journal
PASSED = ("done", "skipped", "dropped", "blocked")  # the case goes on to its next step
STOOD = ("waiting", "deferred", "assigned", "parked", "in_doubt", "held", "failed", "ended", "stopped")  # a leg ends


def new_id(length: int = 10) -> str:
    """A short random id that people can read to each other; 49 bits at its default length."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def emit(
    session: Connection,
    connection: str,
    key: str,
    name: str,
    at: datetime,
    body: bytes = b"{}",
    headers: Mapping[str, str] | None = None,
    *,
    subject: str | None = None,
    quarantined: str | None = None,
) -> int | None:
    """Keep one event. Returns its id, or none if this connection's key is known already."""
    made = session.execute(
        upsert(t.event)
        .values(
            connection=connection,
            key=key,
            name=name,
            at=at,
            subject=subject,
            state="quarantined" if quarantined else "new",
            reason=quarantined,
        )
        .on_conflict_do_nothing()
        .returning(t.event.c.id)
    ).scalar()
    if made is not None and subject is None:  # our own events carry no text from outside
        session.execute(
            insert(t.private_event).values(
                event_id=made, body=body, headers=data.dump(dict(headers or {})), retain_until=at + RAW_KEPT
            )
        )
    return made


def journal(
    session: Connection,
    case: Mapping[str, Any] | Row,
    step: str | None,
    state: str,
    at: datetime,
    *,
    by: str | None = None,
    reason: str | None = None,
    started_at: datetime | None = None,
    attempt: int = 1,
) -> None:
    """Write one line of a case's story. `reason` is our own sentence, never a customer's or vendor's text."""
    session.execute(
        insert(t.journal).values(
            case_id=case["id"],
            playbook=case["playbook"],
            version=case["version"],
            leg=case["leg"],
            step=step,
            attempt=attempt,
            state=state,
            by=by,
            started_at=started_at or at,
            at=at,
            reason=reason,
        )
    )


def audit(session: Connection, who: str, what: str, subject: str, at: datetime, reason: str | None = None) -> None:
    """Append who did what, to what, when and why."""
    session.execute(insert(t.audit).values(at=at, who=who, what=what, subject=subject, reason=reason))


def setting(session: Connection, name: str) -> str | None:
    return session.execute(select(t.setting.c.value).where(t.setting.c.name == name)).scalar()


def set_setting(session: Connection, name: str, value: str) -> None:
    statement = upsert(t.setting).values(name=name, value=value)
    session.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def open_assignment(session: Connection, at: datetime, *, party: str | None = None, **facts: Any) -> str:
    """Open one assignment for a role; `people` names the person and tells them in the engine's next turn."""
    id = new_id()
    session.execute(insert(t.assignment).values(id=id, state="open", opened_at=at, next_at=at, **facts))
    session.execute(
        insert(t.private_assignment).values(assignment_id=id, party_id=party, answers="{}", retain_until=at + RAW_KEPT)
    )
    return id


def make_effect(session: Connection, at: datetime, arguments: Mapping[str, object], **facts: Any) -> int:
    """Make one due effect with its arguments; it leaves in one of the engine's next turns."""
    made = insert(t.effect).values(state="due", attempt=0, made_at=at, next_at=at, **facts).returning(t.effect.c.id)
    effect: int = session.execute(made).scalar_one()
    session.execute(
        insert(t.private_effect).values(
            effect_id=effect,
            party_id=facts.get("party_id"),
            arguments=data.dump(dict(arguments)),
            retain_until=at + RAW_KEPT,
        )
    )
    return effect


def withdraw(session: Connection, case_id: str, at: datetime, reason: str) -> None:
    """Take back what a case still asks of people and of services that were not called yet."""
    session.execute(
        update(t.assignment)
        .where(t.assignment.c.case_id == case_id, t.assignment.c.state.in_(("open", "claimed")))
        .values(state="withdrawn", done_at=at, next_at=None, reason=reason)
    )
    session.execute(
        update(t.effect)
        .where(t.effect.c.case_id == case_id, t.effect.c.state == "due")
        .values(state="cancelled", ended_at=at, next_at=None, reason=reason)
    )
