"""The few writes that several rooms share: emit an event, keep the journal, open an assignment, audit."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, and_, bindparam, or_, select, update
from sqlalchemy import case as either
from sqlalchemy.dialects.postgresql import insert as upsert  # SQLite's compiler writes it as well

from flows.store import data
from flows.store import tables as t
from flows.store.prepared import Prepared, add, change
from flows.store.read import Row

__all__ = [
    "ALPHABET", "PASSED", "RAW_KEPT", "STOOD", "UNCONFIRMED", "add", "audit", "change", "doubted", "emit", "journal",
    "make_effect", "new_id", "open_assignment", "set_setting", "setting", "withdraw",
]  # fmt: skip
RAW_KEPT = timedelta(days=90)  # raw bodies, answers and rendered messages
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no signs that are read for one another

# states of the journal
PASSED = ("done", "skipped", "dropped", "blocked")  # the case goes on to its next step
STOOD = ("waiting", "deferred", "assigned", "parked", "in_doubt", "held", "failed", "ended", "stopped")  # a leg ends


def new_id(length: int = 10) -> str:
    """A short random id that people can read to each other; 49 bits at its default length."""
    number, signs = secrets.randbits(8 * length), []  # three bits more a sign than it takes: all are as likely
    for _ in range(length):
        number, sign = divmod(number, len(ALPHABET))
        signs.append(ALPHABET[sign])
    return "".join(signs)


_KNOWN = Prepared(
    select(t.event.c.id).where(t.event.c.connection == bindparam("connection"), t.event.c.key == bindparam("key"))
)
_EVENT = Prepared(
    upsert(t.event).on_conflict_do_nothing(index_elements=["connection", "key"]).returning(t.event.c.id),
    ("connection", "key", "name", "at", "subject", "state", "reason"),
)


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
    unconfirmed: bool = False,
) -> int | None:
    """Keep one event. Returns its id, or none if this connection's key is known already.

    `unconfirmed`: nothing comes of it before the service itself was asked whether it is so.
    """
    if _KNOWN.first(session, connection=connection, key=key):  # a repeat costs no number
        return None
    facts = {"connection": connection, "key": key, "name": name, "at": at, "subject": subject, "reason": quarantined}
    state = "quarantined" if quarantined else "unconfirmed" if unconfirmed else "new"
    new = _EVENT.do(session, {**facts, "state": state}).fetchall()
    if not new:  # another process was first, a moment ago
        return None
    made: int = new[0][0]
    if subject is None:  # our own events carry no text from outside
        kept = data.dump(dict(headers or {}))
        add(session, t.private_event, event_id=made, body=body, headers=kept, retain_until=at + RAW_KEPT)
    return made


UNCONFIRMED = "it is not confirmed: "  # before the reason of an event that its service did not know
_DOUBTED = Prepared(
    select(t.event.c.id)
    .join(t.private_event)
    .where(
        t.event.c.connection == bindparam("connection"),
        t.event.c.key == bindparam("key"),
        t.event.c.state == "quarantined",
        t.event.c.confirmed_at.is_(None),
        t.event.c.reason.like(f"{UNCONFIRMED}%"),
    )
)


def doubted(session: Connection, connection: str, key: str) -> int | None:
    """The event of this key, if it lies in quarantine because its service did not know it; the service may be late."""
    found = _DOUBTED.first(session, connection=connection, key=key)
    return found["id"] if found else None


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
    add(
        session,
        t.journal,
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


def audit(
    session: Connection,
    who: str,
    what: str,
    subject: str,
    at: datetime,
    reason: str | None = None,
    *,
    before: str | None = None,
    after: str | None = None,
) -> None:
    """Append who did what, to what, when and why, and what state it was in and came to (never customer text)."""
    facts = {"at": at, "who": who, "what": what, "subject": subject, "reason": reason}
    add(session, t.audit, **facts, before=before, after=after)


_SETTING = Prepared(select(t.setting.c.value).where(t.setting.c.name == bindparam("wanted")))
_new = upsert(t.setting)
_SET = Prepared(
    _new.on_conflict_do_update(index_elements=["name"], set_={"value": _new.excluded.value}), ("name", "value")
)


def setting(session: Connection, name: str) -> str | None:
    found = _SETTING.first(session, wanted=name)
    return found["value"] if found else None


def set_setting(session: Connection, name: str, value: str) -> None:
    _SET.do(session, {"name": name, "value": value})


def open_assignment(session: Connection, at: datetime, *, party: str | None = None, **facts: Any) -> str:
    """Open one assignment for a role; `people` names the person and tells them in the engine's next turn."""
    id = new_id()
    add(session, t.assignment, id=id, state="open", opened_at=at, next_at=at, **facts)
    add(session, t.private_assignment, assignment_id=id, party_id=party, answers="{}", retain_until=at + RAW_KEPT)
    return id


def make_effect(session: Connection, at: datetime, arguments: Mapping[str, object], **facts: Any) -> int:
    """Make one due effect with its arguments; it leaves in one of the engine's next turns."""
    effect: int = add(session, t.effect, state="due", attempt=0, made_at=at, next_at=at, **facts)
    text, party = data.dump(dict(arguments)), facts.get("party_id")
    add(session, t.private_effect, effect_id=effect, party_id=party, arguments=text, retain_until=at + RAW_KEPT)
    return effect


_a, _e = t.assignment.c, t.effect.c
_AT: BindParameter[datetime] = bindparam("at", type_=t.At())
_WITHDRAW = Prepared(
    update(t.assignment)
    .where(_a.case_id == bindparam("the_case"), or_(_a.state == "open", _a.state == "claimed"))
    .values(state="withdrawn", next_at=None, done_at=_AT, reason=bindparam("why"))
)
_MAY_HAVE_HAPPENED = and_(
    _e.unclear_since.is_not(None), or_(_e.effect_class == "keyed", _e.effect_class == "checkable")
)
_CANCEL = Prepared(
    update(t.effect)
    .where(_e.case_id == bindparam("the_case"), _e.state == "due")
    .values(
        state=either((_MAY_HAVE_HAPPENED, "in_doubt"), else_="cancelled"),
        next_at=None,
        ended_at=_AT,
        reason=bindparam("why"),
    )
)


def withdraw(session: Connection, case_id: str, at: datetime, reason: str) -> None:
    """Take back what a case still asks of people and of services that were not called yet."""
    for statement in (_WITHDRAW, _CANCEL):
        statement.do(session, {"the_case": case_id, "at": at, "why": reason})
