"""What operators do to cases by hand: hold, resume, retry, stop; and exchanges recorded at the desk."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from flows.engine.walk import Walk
from flows.engine.world import World
from flows.ledger.exchanges import Exchange, record
from flows.ledger.parties import find_or_make
from flows.playbook import contact
from flows.store import tables as t
from flows.store.read import Row, first, rows
from flows.store.write import audit, journal, new_id

_HAND = "hand"  # the system of what people record


class OperateError(Exception):
    """What was asked cannot be done; the sentence says why and what to do."""


def find_case(session: Connection, id: str) -> Row:
    """The case of this id. Raises OperateError if there is none."""
    found = first(session, select(t.case).where(t.case.c.id == id))
    if found is None:
        raise OperateError(f"there is no case {id}; see: digilog cases")
    return found


def hold(session: Connection, id: str, who: str, reason: str, now: datetime) -> None:
    """Stop a case where it stands until someone resumes it."""
    case = _open_case(session, id)
    if case["held"] is not None:  # else the second reason would stand in place of the first
        raise OperateError(f"case {id} is held already; let it go on with: digilog resume {id}")
    session.execute(update(t.case).where(t.case.c.id == id).values(held=reason))
    journal(session, case, None, "held", now, by=who, reason=reason)
    audit(session, who, "hold", id, now, reason, before=case["status"], after="held")


def resume(session: Connection, id: str, who: str, now: datetime, reason: str | None = None) -> None:
    """Let a held case go on."""
    case = _open_case(session, id)
    if case["held"] is None:
        raise OperateError(f"case {id} is not held; it is {case['status']}")
    case["leg"] += 1
    values = {"held": None, "failed": False, "leg": case["leg"], "wake_at": now}
    session.execute(update(t.case).where(t.case.c.id == id).values(**values))
    journal(session, case, None, "resumed", now, by=who, reason=reason)
    audit(session, who, "resume", id, now, reason, before="held", after=case["status"])


def retry(session: Connection, id: str, who: str, now: datetime, reason: str | None = None) -> None:
    """Let the machine try the step again that failed; an unclaimed fallback is withdrawn.

    Raises OperateError if nothing failed, a person has taken it, or it may have happened already.
    """
    case, a = _open_case(session, id), t.assignment.c
    mine = rows(session, select(t.assignment).where(a.case_id == id, a.state.in_(("open", "claimed"))))
    taken = next((one for one in mine if one["state"] == "claimed"), None)
    if taken:
        raise OperateError(f"{taken['person']} has taken this step over; let them finish")
    if any(one["kind"] == "doubt" for one in mine):
        raise OperateError("it may have happened already; settle the doubt first: digilog work list")
    fallback = {one["id"]: one["step"] for one in mine if one["kind"] == "fallback"}
    if not fallback and case["status"] != "parked":
        raise OperateError(f"case {id} has no failed step; {_waits(case, mine)}")
    session.execute(
        update(t.assignment).where(a.id.in_(fallback)).values(state="withdrawn", done_at=now, reason="tried again")
    )
    _again(session, id, next(iter(fallback.values()), None), now)
    session.execute(update(t.case).where(t.case.c.id == id).values(failed=False, wake_at=now))
    journal(session, case, None, "retried", now, by=who, reason=reason)
    audit(session, who, "retry", id, now, reason, before=case["status"], after="retried")


def _waits(case: Row, asked: Sequence[Row]) -> str:
    """What a case that did not fail is at."""
    if not asked:
        return f"it is {case['status']}"
    return f"it waits for {asked[0]['person'] or asked[0]['role']} to do theirs: digilog work list"


def _again(session: Connection, case: str, step: str | None, now: datetime) -> None:
    """Make what failed in the step due (none: what a parked case waits for); what earlier steps left to people is done.

    All items of a step that has many, but of a message only its newest medium, which took over from the others.
    """
    e = t.effect.c
    mine = e.step == step if step else e.state == "due"
    found = rows(session, select(t.effect).where(e.case_id == case, mine).order_by(e.id))
    if found and found[-1]["message"]:
        found = found[-1:]
    failed = [one["id"] for one in found if one["state"] in {"failed", "due"}]
    read = [one["id"] for one in found if (one["state"], one["effect_class"]) == ("done", "read")]
    values = {"state": "due", "attempt": 0, "made_at": now, "next_at": now, "ended_at": None}
    session.execute(update(t.effect).where(e.id.in_(failed or read)).values(**values))


def stop(session: Connection, world: World, id: str, who: str, reason: str, outcome: str) -> None:
    """End a case by hand."""
    case = _open_case(session, id)
    before = case["status"]
    case["leg"] += case["status"] not in {"ready", "calling"}
    walk = Walk(world, session, world.pinned(session, case["version"]), case, world.clock.now())
    walk.end(outcome, "stopped", f"by {who}: {reason}")
    walk.save()
    audit(session, who, "stop", id, world.clock.now(), reason, before=before, after=f"ended: {outcome}")


def record_by_hand(
    session: Connection,
    world: World,
    party: str,
    exchange: Exchange,
    who: str,
    *,
    at: datetime | None = None,
    reference: str | None = None,
) -> str:
    """Record what happened outside (a purchase at the desk, a cancellation) for a phone number or e-mail.

    `at`: when it happened (aware), if not now; the same `reference` is recorded once.
    Raises OperateError for what is neither; Rejected for an unknown kind.
    """
    try:
        kind = "email" if "@" in party else "phone"
        value = contact.email(party) if kind == "email" else contact.phone(party, world.book.company.country)
    except ValueError as error:
        raise OperateError(f"{party} {error}") from None
    id = find_or_make(session, "person", kind, value, world.clock.now())
    return record_for(session, world, id, exchange, who, at=at, reference=reference)


def record_for(
    session: Connection,
    world: World,
    party: str,
    exchange: Exchange,
    who: str,
    *,
    at: datetime | None = None,
    reference: str | None = None,
) -> str:
    """Record what happened outside for a party that is known, by its id. Raises Rejected for an unknown kind."""
    now, told = world.clock.now(), {"system": _HAND, "reference": reference or new_id()}
    if known := first(session, _RECORDED.where(_x.system == _HAND, _x.reference == told["reference"])):
        return str(known["id"])
    made = record(session, world.book, party, exchange, min(at or now, now), by=who, **told)
    audit(session, who, "exchange", made, now)
    return made


def void(session: Connection, world: World, id: str, who: str, reason: str) -> str:
    """Take an exchange back that was recorded by mistake: a row that voids it, after which neither counts.

    Raises OperateError if there is none, or it is voided, or voids another itself.
    """
    row = first(session, select(t.exchange).where(_x.id == id))
    if row is None:
        raise OperateError(f"there is no exchange {id}")
    if row["voids"] is not None:
        raise OperateError(f"exchange {id} is a correction itself; record what is right instead")
    if first(session, _RECORDED.where(_x.party_id == row["party_id"], _x.voids == id)):
        raise OperateError(f"exchange {id} was taken back already")
    now = world.clock.now()
    same = {name: row[name] for name in ("kind", "direction", "amount", "quantity")}
    words = {name: row[name] or "" for name in ("channel", "shop", "currency")}
    mistake = Exchange(**same, **words, note=reason)
    told = {"by": who, "system": _HAND, "reference": f"void/{id}", "voids": id}
    made = record(session, world.book, row["party_id"], mistake, now, **told)
    audit(session, who, "void", id, now, before="counted", after="voided")
    return made


_x = t.exchange.c
_RECORDED = select(_x.id)


def discard(session: Connection, id: int, who: str, reason: str, now: datetime) -> None:
    """Put an event aside that lies in quarantine: nothing comes of it. Raises OperateError if it lies there no more."""
    state = session.execute(select(t.event.c.state).where(t.event.c.id == id)).scalar()
    if state is None:
        raise OperateError(f"there is no event {id}; see: digilog events --all")
    if state != "quarantined":
        raise OperateError(f"event {id} is not in quarantine any more; it is {state}")
    session.execute(update(t.event).where(t.event.c.id == id).values(state="discarded"))
    audit(session, who, "discard", str(id), now, reason, before=state, after="discarded")


def _open_case(session: Connection, id: str) -> Row:
    case = find_case(session, id)
    if case["status"] == "ended":
        raise OperateError(f"case {id} has ended ({case['outcome']}); nothing more can be done to it")
    return case
