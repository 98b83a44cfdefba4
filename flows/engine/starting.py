"""What a person begins by hand: a case of a playbook, the cases that wait to be let go, an old event once more."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, select, update

from connectors.registry import UnknownConnector, find
from flows.engine import events, scheduler
from flows.engine.decide import BY_HAND, RECORDED
from flows.engine.operate import OperateError, resume
from flows.engine.own import HAND, tell
from flows.engine.world import World
from flows.playbook.form import typed
from flows.playbook.model import Playbook
from flows.playbook.schedule import Schedule
from flows.store import tables as t
from flows.store.read import Row, first, rows
from flows.store.write import audit, new_id

_ROW = select(t.event, t.private_event.c.body, t.private_event.c.party_id).outerjoin(t.private_event)


@dataclass(frozen=True, slots=True)
class Begun:
    """What came of an event: cases opened, cases that it was noted on, or why nobody could act on it."""

    opened: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()
    reason: str | None = None


def start(session: Connection, world: World, playbook: Playbook, answers: Mapping[str, str], who: str) -> Begun:
    """Open a case as the start of the playbook would; whoever starts it by hand has let it go.

    Raises OperateError for a design, for answers that cannot be taken, and for starts that hang on something
    that must happen first.
    """
    now, name = world.clock.now(), playbook.playbook
    if world.state(name) == "design":
        raise OperateError(f"{name} is in state design, which is tried with `digilog test` only; set its state first")
    if playbook.start.schedule:
        id = _period(session, world, playbook, now)
    elif playbook.start.event is None and playbook.start.hand is None:
        raise OperateError(_after(playbook))
    else:
        id = _asked(session, world, playbook, answers, now)
    begun = _take(session, world, id, now, {name})
    if begun.opened:
        let_go(session, name, who, now, among=begun.opened)
    audit(session, who, "start", name, now)
    return begun


def _period(session: Connection, world: World, playbook: Playbook, now: datetime) -> int:
    period = Schedule.parse(playbook.start.schedule or "").period(now, world.book.company.zone)
    if not scheduler.start(session, playbook.playbook, period, now):
        raise OperateError(f"the period {period} of {playbook.playbook} was started before; see: digilog cases --all")
    e = t.event.c
    mine = select(e.id).where(e.connection == scheduler.CONNECTION, e.key == f"{playbook.playbook}/{period}")
    return int(session.execute(mine).scalar_one())


def _asked(session: Connection, world: World, playbook: Playbook, answers: Mapping[str, str], now: datetime) -> int:
    """Keep the answers as an event of their own, which begins this playbook alone."""
    words = {word for id, field in playbook.fields.items() for word in (id, field.label, field.source) if word}
    unknown = [word for word in answers if word not in words]
    _, refused = typed(playbook.fields, answers, world.book.company)
    if unknown or refused:
        wrong = [f"{word}: {playbook.playbook} asks no such answer" for word in unknown]
        asks = " ".join(f"{id}=..." for id, field in playbook.fields.items() if field.required)
        wrong += [one.sentence for one in refused]
        raise OperateError(f"nothing was started: {'; '.join(wrong)}; it asks: {asks}")
    key = f"{playbook.playbook}/{new_id()}"
    id = tell(session, HAND, key, BY_HAND, playbook.playbook, answers, now)
    if id is None:
        raise OperateError("this start was made already")
    return id


def _after(playbook: Playbook) -> str:
    start = playbook.start
    for way in ("exchange", "stage", "step"):
        if found := getattr(start, way):
            then = "; record it: digilog exchange" if way == "exchange" else ""
            return f"{playbook.playbook} starts by itself, after {way} {found}, since its case is about that{then}"
    return f"{playbook.playbook} cannot be started by hand"


def let_go(
    session: Connection, playbook: str, who: str, now: datetime, among: tuple[str, ...] | None = None
) -> list[str]:
    """Let cases go that wait for it (state complete): all of a playbook, or those of `among`. Returns their ids."""
    c = t.case.c
    waiting = select(c.id).where(c.playbook == playbook, c.status != "ended", c.held == events.HELD_UNTIL_LET_GO)
    if among is not None:
        waiting = waiting.where(c.id.in_(among))
    found = list(session.execute(waiting.order_by(c.opened_at)).scalars())
    for id in found:
        resume(session, id, who, now)
    return found


def replay(session: Connection, world: World, id: int, who: str) -> Begun:
    """Decide an event once more, by the playbooks as they are now; what it opened before stays the only one.

    So no effect is made again: effects belong to a case, and a playbook has one case of an event.
    Raises OperateError where that cannot be kept, or nothing is left of the event.
    """
    now = world.clock.now()
    row = first(session, _ROW.where(t.event.c.id == id))
    if row is None:
        raise OperateError(f"there is no event {id}; see: digilog events --all")
    if row["state"] == "new":
        raise OperateError(f"event {id} has not been decided yet; the engine does it as soon as it is at work")
    _refuse_stale(session, row)
    if row["state"] == "unconfirmed" or (row["confirmed_at"] is None and _is_asked_about(world, row)):
        session.execute(update(t.event).where(t.event.c.id == id).values(state="unconfirmed", reason=None))
        audit(session, who, "replay", str(id), now)
        return Begun(reason="the service is asked once more whether it is so; see: digilog events --all")
    had = rows(session, select(t.case.c.playbook, t.case.c.id).where(t.case.c.event_id == id))
    left = {name for name, one in world.book.playbooks.items() if _begins(one, row)} - {one["playbook"] for one in had}
    audit(session, who, "replay", str(id), now)
    if had and not left:
        return Begun(noted=(), reason=f"its case stands already: {', '.join(one['id'] for one in had)}")
    begun = _take(session, world, id, now, left)
    if row["state"] == "decided" and begun.reason:  # it was decided once, and stays so
        session.execute(update(t.event).where(t.event.c.id == id).values(state="decided", reason=None))
    return begun


def _refuse_stale(session: Connection, row: Row) -> None:
    if row["subject"] is None and row["body"] is None:
        raise OperateError(f"what event {row['id']} brought was erased after its time; nothing is left to replay")
    if row["name"] != RECORDED or row["subject"] is None:
        return
    c, x = t.case.c, t.exchange.c
    party = select(x.party_id).where(x.id == row["subject"]).scalar_subquery()
    since = select(c.id).where(c.party_id == party, c.status != "ended", c.opened_at > row["at"])
    if row["state"] == "decided" or session.execute(since.limit(1)).first():
        raise OperateError(f"event {row['id']} did its work when it came; once more, it could end cases begun since")


def _is_asked_about(world: World, row: Row) -> bool:
    """Whether nothing may come of an event before its service was asked: then a person's word is not enough either."""
    entry = world.book.company.connections.get(row["connection"]) if row["subject"] is None else None
    try:
        return entry is not None and find(entry.connector).confirms
    except UnknownConnector:
        return False


def _begins(playbook: Playbook, row: Row) -> bool:
    """Whether a playbook can begin by an event; of one in quarantine that is asked once more, whole."""
    start, subject = playbook.start, row["subject"]
    if row["state"] != "decided":
        return True
    if subject is None:
        return (start.connection, start.event) == (row["connection"], row["name"])
    return bool(start.step == subject if start.step else subject.partition("/")[0] == playbook.playbook)


def _take(session: Connection, world: World, id: int, now: datetime, playbooks: set[str]) -> Begun:
    """Decide one event now, as the engine would, with no playbooks but these. The engine sees it when all is kept."""
    row = first(session, _ROW.where(t.event.c.id == id))
    if row is None:
        raise OperateError(f"there is no event {id}")
    before = _newest_line(session)
    only = {name: one for name, one in world.book.playbooks.items() if name in playbooks}
    session.execute(update(t.event).where(t.event.c.id == id).values(state="new", reason=None))
    events.take(session, replace(world, book=replace(world.book, playbooks=only)), row, now)
    j, e = t.journal.c, t.event.c
    lines = rows(session, select(j.case_id, j.state).where(j.id > before, j.state.in_(("opened", "noted"))))
    reason = session.execute(select(e.reason).where(e.id == id)).scalar()
    by_state = {state: tuple(one["case_id"] for one in lines if one["state"] == state) for state in ("opened", "noted")}
    return Begun(by_state["opened"], by_state["noted"], reason)


def _newest_line(session: Connection) -> int:
    found = session.execute(select(t.journal.c.id).order_by(t.journal.c.id.desc()).limit(1)).scalar()
    return int(found or 0)
