"""Calls to services: marked `sending` before they leave, sorted by their answer afterwards; doubt is never guessed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, exists, or_, select, update

from connectors.errors import ConnectorError, NotConnected, Unavailable, Uncertain
from flows.engine import bulk
from flows.engine.each import Units
from flows.engine.world import OUTGOING_STATES, World
from flows.ledger.messages import gate
from flows.people import reconnect
from flows.people.assignments import CONFIRM
from flows.store import data as kept
from flows.store import tables as t
from flows.store.claims import Claim
from flows.store.locks import SENDING, alone
from flows.store.prepared import Prepared
from flows.store.read import Row, rows
from flows.store.write import change

REPEATABLE = frozenset({"read", "repeat", "keyed", "checkable"})  # a second call does no harm, or is asked about first
_DOUBTED = frozenset({"keyed", "checkable"})  # it may have happened: then nobody does it by hand unasked
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0  # seconds between tries
BACK_RATE = 50  # calls a second, of those that waited for a service that was down
_e, _c = t.effect.c, t.case.c


@dataclass(frozen=True, slots=True)
class Sending:
    """One call that is marked `sending` and may leave once that is committed. `ask`: first whether it happened."""

    effect: int
    key: str
    case: str | None
    connection: str
    action: str
    arguments: Mapping[str, object]
    ask: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a result, or the error that says what is next."""

    effect: int
    result: object = None
    error: ConnectorError | None = None


_earlier, _its = t.effect.alias().c, t.case.alias().c
_NOW = bindparam("now", type_=t.At())
_PAUSED = select(t.connection.c.name).where(t.connection.c.paused.is_not(None))
_due = (
    select(t.effect, _c.held, _c.status, _c.playbook, _c.version, t.private_effect.c.arguments)
    .select_from(t.effect.outerjoin(t.case).join(t.private_effect))
    .where(
        _e.state == "due",
        _e.next_at <= _NOW,
        or_(_e.case_id.is_(None), _c.held.is_(None), _c.status == "ended"),  # what is ended leaves to be cancelled
        _e.connection.not_in(_PAUSED),
        ~exists().where(
            _earlier.party_id == _e.party_id,
            _earlier.connection == _e.connection,
            _earlier.id < _e.id,
            or_(
                _earlier.state == "sending",
                and_(
                    _earlier.state == "due",
                    or_(_earlier.next_at <= _NOW, _earlier.attempt > 0),
                    ~exists().where(_its.id == _earlier.case_id, _its.held.is_not(None)),
                ),
            ),
        ),
    )
    .order_by(_e.next_at, _e.id)
    .limit(bindparam("free"))
    .with_for_update(of=t.effect, skip_locked=True)
)
_DUE = Prepared(_due)
_PARKED = Prepared(
    select(_e.id, _e.next_at)
    .where(_e.state == "due", _e.connection == bindparam("its"), _e.attempt > 0, _e.next_at > _NOW)
    .order_by(_e.id)
)
_SOONER = Prepared(  # another engine may have taken it meanwhile
    update(t.effect).where(_e.id == bindparam("its"), _e.state == "due").values(next_at=bindparam("then", type_=t.At()))
)
_ANY_DUE = Prepared(select(_e.id).where(_e.state == "due", _e.next_at <= _NOW).limit(1))
_BY_HAND = and_(_e.attempt == 0, _e.started_at.is_not(None))  # a person wants it tried now
_DUE_ELSEWHERE = _due.where(or_(_e.connection.not_in(bindparam("held", expanding=True)), _BY_HAND))
_COMPANY = Prepared(
    _due.where(_e.connection == bindparam("connection"), _e.action == bindparam("action"), _e.bulk_id.is_(None))
)


def mark_in_turn(units: Units, world: World, now: datetime, free: int) -> list[Sending]:
    """`mark_sending` where several engines share the connections: one chooses at a time, and all keep one count."""
    session = units.session
    if free <= 0 or _ANY_DUE.first(session, now=now) is None:
        return []
    alone(session, SENDING)
    world.rates.read(session)
    sending = mark_sending(units, world, now, free)
    world.rates.write(session, now)
    return sending


def mark_sending(units: Units, world: World, now: datetime, free: int) -> list[Sending]:
    """Mark as many due effects as there are free slots; each is checked once more, at this moment.

    Effects of one party leave a connection in order: a due or parked one holds back the later ones, a deferred
    one does not. One call may carry many effects, but not in a turn that is replayed.
    """
    session, held = units.session, world.rates.held(now, world.rate)
    found = _leaving(session, now, free, held)
    gathered = {} if units.careful else bulk.uses(world, found)
    if under_way := {use for use in gathered if bulk.underway(session, use)}:
        found = _leaving(session, now, free, held | {connection for connection, _ in under_way})
        gathered = bulk.uses(world, found)

    def mark(row: Row) -> Sending | None:
        leaves = _may_send(session, world, row, now) and _in_rate(session, world, row, now)
        return _mark(session, world, row, now) if leaves else None

    def fail(row: Row, fault: str) -> None:
        _end(session, row, "failed", fault, now)

    singly = [row for row in found if row["bulk_id"] or (row["connection"], row["action"]) not in gathered]
    sent = [one for one in units.each(singly, mark, fail) if one]
    return sent + [one for use, name in gathered.items() for one in _together(session, world, use, name, now)]


def _leaving(session: Connection, now: datetime, free: int, held: frozenset[str]) -> list[Row]:
    if held:
        return rows(session, _DUE_ELSEWHERE, now=now, free=free, held=sorted(held))
    return _DUE.rows(session, now=now, free=free)


def _together(session: Connection, world: World, use: bulk.Use, name: str, now: datetime) -> list[Sending]:
    """All due effects of one action as one call; one by itself goes as it is."""
    most = world.action(".".join(use)).at_once or bulk.MOST
    found = _COMPANY.rows(session, now=now, free=most, connection=use[0], action=use[1])
    members = [row for row in found if _may_send(session, world, row, now)]
    if not members or not _in_rate(session, world, members[0], now):
        return []
    if len(members) == 1:
        return [_mark(session, world, members[0], now)]
    made, key, arguments = bulk.mark(session, members, name, world.claimer, now)
    (parameter,) = world.action(f"{use[0]}.{name}").parameters
    return [Sending(made, key, None, use[0], name, {parameter: arguments})]


def _in_rate(session: Connection, world: World, row: Row, now: datetime) -> bool:
    calls = 1 + _asks(row)  # to ask is a call too
    return world.rates.take(session, row["connection"], world.rate(row["connection"]), now, calls)


def _mark(session: Connection, world: World, row: Row, now: datetime) -> Sending:
    values = {"attempt": row["attempt"] + 1, "started_at": now, "next_at": None, "claimer": world.claimer}
    _change(session, row, state="sending", **values)
    arguments = kept.load(row["arguments"])
    return Sending(row["id"], row["key"], row["case_id"], row["connection"], row["action"], arguments, _asks(row))


def _asks(row: Row) -> bool:
    """Whether the service is asked first, since it may have happened."""
    return row["unclear_since"] is not None and row["effect_class"] == "checkable"


def _may_send(session: Connection, world: World, row: Row, now: datetime) -> bool:
    """The door. What may not leave any more is dropped, put off, or given to a person, and said."""
    if closed := _closed(session, world, row, now):
        _end(session, row, *closed, now)
        return False
    if row["case_id"] and row["effect_class"] != "read" and (opens := _closed_until(session, world, row, now)):
        _change(session, row, next_at=opens)
        return False
    return True


def _closed(session: Connection, world: World, row: Row, now: datetime) -> tuple[str, str] | None:
    """The state and the reason of an effect that may not leave any more."""
    if row["status"] == "ended":  # it was under way when its case ended
        return "cancelled", "its case has ended"
    if row["effect_class"] == "read":
        return None
    if row["unclear_since"] and _forgotten(world, row, now):
        return "in_doubt", "it may have happened, and the service drops a repeated key no longer"
    if row["case_id"] is None:
        return None
    state = world.state(row["playbook"])
    if state not in OUTGOING_STATES and not (state == "trial" and _let_go(session, row)):
        return "failed", f"the playbook is in state {state}"
    if row["valid_until"] and now > row["valid_until"]:
        return "dropped", "too late: not sent after its time"
    if row["message"] and (blocked := gate(world.book.messages[row["message"]])):
        return "failed", blocked.reason
    return None


_CONFIRMED = Prepared(
    select(t.assignment.c.id).where(
        t.assignment.c.case_id == bindparam("case"), t.assignment.c.step == bindparam("step"),
        t.assignment.c.kind == CONFIRM, t.assignment.c.state == "done",
    )
)  # fmt: skip


def _let_go(session: Connection, row: Row) -> bool:
    """Whether a person let go what was prepared in state trial; with a no there is no effect."""
    return _CONFIRMED.first(session, case=row["case_id"], step=row["step"]) is not None


def _forgotten(world: World, row: Row, now: datetime) -> bool:
    """Whether the service may have forgotten the key: its window, from the first sending that may have happened."""
    try:
        window = world.action(f"{row['connection']}.{row['action']}").window
    except NotConnected:  # the call will say so
        return False
    return row["effect_class"] == "keyed" and window is not None and now - row["unclear_since"] >= window


def _closed_until(session: Connection, world: World, row: Row, now: datetime) -> datetime | None:
    playbook = world.pinned(session, row["version"])
    between = playbook.steps[playbook.index[row["step"]]].between
    opens = between.next(now, world.book.company.zone) if between else now
    return opens if opens > now else None


_EFFECT = Prepared(select(t.effect).where(_e.id == bindparam("effect")))


def take(units: Units, world: World, answers: list[Answer], now: datetime) -> None:
    """Write down what came back, and wake the cases. What cannot be kept leaves its effect uncertain."""
    session = units.session

    def one(answer: Answer) -> None:
        row = _EFFECT.the(session, effect=answer.effect)
        if row["state"] != "sending" or row["claimer"] != world.claimer:
            return  # others took us for dead, and have settled it
        if row["effect_class"] == bulk.CLASS:
            for member, result in bulk.share(session, row, answer.result, answer.error, now):
                _take(session, world, member, Answer(member["id"], result, answer.error), now)
        else:
            _take(session, world, row, answer, now)

    def fail(answer: Answer, fault: str) -> None:
        row = _EFFECT.the(session, effect=answer.effect)
        if row["effect_class"] == bulk.CLASS:
            bulk.split(session, row, fault, now)
            return
        _end(session, row, "failed" if row["effect_class"] == "read" else "in_doubt", fault, now)

    units.each(answers, one, fail)


def _take(session: Connection, world: World, row: Row, answer: Answer, now: datetime) -> None:
    match answer.error:
        case None:
            _change(session, row, state="done", ended_at=now, reason=None)
            change(session, t.private_effect, row["id"], result=kept.dump(answer.result))
            if world.rates.worked(row["connection"]):
                is_back(session, row["connection"], now)
        case NotConnected() as error:
            _change(session, row, state="due", next_at=now, reason=error.reason)
            reconnect.pause(session, row["connection"], error, now)
        case Unavailable() as error:
            _later(session, world, row, error, now)
        case Uncertain() as error if row["effect_class"] in REPEATABLE:
            _later(session, world, _unclear(session, row), error, now)
        case Uncertain() as error:
            _change(session, row, state="in_doubt", ended_at=now, reason=error.reason)
        case error:  # refused under a repeated key, or after asking: then the first sending did not happen either
            _change(session, row, state="failed", ended_at=now, reason=error.reason)
    _wake(session, row, now)


def _unclear(session: Connection, row: Row) -> Row:
    """Keep since when it may have happened."""
    since = row["unclear_since"] or row["started_at"]
    _change(session, row, unclear_since=since)
    return row | {"unclear_since": since}


def _later(session: Connection, world: World, row: Row, error: ConnectorError, now: datetime) -> None:
    """Repeat later: exponential with jitter, or when the service said; after `give_up` a person takes over."""
    world.rates.failed(row["connection"], now)
    pause = min(FIRST_PAUSE * 2 ** min(row["attempt"] - 1, 20), LONGEST_PAUSE) * world.chance.uniform(0.75, 1.25)
    if isinstance(error, Unavailable) and error.retry_after is not None:
        pause = max(error.retry_after, 0.1)
        world.rates.rest(row["connection"], now, timedelta(seconds=pause))
    then = now + timedelta(seconds=pause)
    if then - row["made_at"] > world.give_up:
        _end(session, row, "failed", f"{error.reason}; given up after long trying", now)
    else:
        _change(session, row, state="due", next_at=then, reason=error.reason)


def is_back(session: Connection, connection: str, now: datetime) -> None:
    """What waits for a service that was down need not wait out its pauses; it comes in a line, not all at once."""
    for place, row in enumerate(_PARKED.rows(session, its=connection, now=now)):
        if (then := now + timedelta(seconds=place / BACK_RATE)) < row["next_at"]:
            _SOONER.do(session, {"its": row["id"], "then": then})


_CLAIMERS = Prepared(select(_e.claimer).where(_e.state == "sending").distinct())
_MINE = Prepared(select(t.effect).where(_e.state == "sending", _e.claimer == bindparam("claimer")))


def abandoned(session: Connection, claim: Claim) -> set[str | None]:
    """Who is calling in the store's eyes, and is gone."""
    found = {row["claimer"] for row in _CLAIMERS.rows(session)} - {claim.id}
    if not found:
        return set()
    named = {one for one in found if one is not None}
    return (found - named) | claim.dead(session, named)


def recover(session: Connection, now: datetime, claim: Claim) -> int:
    """What was `sending` when its engine ended is repeated if that is harmless, else in doubt."""
    gone = abandoned(session, claim)
    named = [one for one in gone if one is not None]
    unnamed = [_e.claimer.is_(None)] if None in gone else []  # of a store from before engines had names
    asked = select(t.effect).where(_e.state == "sending", or_(_e.claimer.in_(named), *unnamed))
    found = rows(session, asked) if gone else []
    for row in found:
        if row["effect_class"] in REPEATABLE:
            _unclear(session, row)
            _change(session, row, state="due", next_at=now, bulk_id=None)
        elif row["effect_class"] == bulk.CLASS:  # its members go again
            _change(session, row, state="failed", ended_at=now, reason="digilog stopped while it was being sent")
        else:
            _end(session, row, "in_doubt", "digilog stopped while it was being sent", now)
    return len(found)


def take_back(session: Connection, world: World, flying: set[int], now: datetime) -> None:
    """After a commit of which nobody knows whether it came about: what is marked as ours, but never left, is due."""
    for row in _MINE.rows(session, claimer=world.claimer):
        if row["id"] in flying or row["bulk_id"] in flying:
            continue
        if row["effect_class"] == bulk.CLASS:
            _change(session, row, state="failed", ended_at=now, reason="the store went away before it was sent")
        else:
            _change(session, row, state="due", next_at=now, bulk_id=None, attempt=row["attempt"] - 1)


def _end(session: Connection, row: Row, state: str, reason: str, now: datetime) -> None:
    """It leaves no more. What may have happened already is in doubt, whatever else there is to say."""
    if row["unclear_since"] and row["effect_class"] in _DOUBTED:
        state, reason = "in_doubt", reason if state == "in_doubt" else f"it may have happened; {reason}"
    _change(session, row, state=state, ended_at=now, next_at=None, reason=reason)
    _wake(session, row, now)


def _change(session: Connection, row: Row, **values: Any) -> None:
    change(session, t.effect, row["id"], **values)


_WAKE = Prepared(update(t.case).where(_c.id == bindparam("case"), _c.status != "ended"), ("wake_at",))


def _wake(session: Connection, row: Row, now: datetime) -> None:
    if row["case_id"]:
        _WAKE.do(session, {"case": row["case_id"], "wake_at": now})
