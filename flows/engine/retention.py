"""Erases customers' words when their time is over, and removes what ended years ago: hourly, in small batches.

Words that belong to a case are kept while it is open, and count from its end; all others count from when they came
(`retain_until`). Both ledgers, parties with their contact points, consents and the audit stay.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)

from flows.settings import Settings
from flows.store import tables as t
from flows.store.store import Store
from flows.store.write import RAW_KEPT, set_setting, setting

EACH = timedelta(hours=1)
BATCH = 50  # rows of a kind in one transaction: some milliseconds of the engine's time
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_c, _e, _ev, _a, _x = t.case.c, t.effect.c, t.event.c, t.assignment.c, t.exchange.c


@dataclass(frozen=True, slots=True)
class Kept:
    """How long customers' words are kept, and how long the rest of a case, counted from its end."""

    words: timedelta
    cases: timedelta


@dataclass(slots=True)
class _Marks:
    """Up to where the sweep has come; ids and ends of cases only grow, so it never looks back."""

    next: str = _LONG_AGO.isoformat()
    ended: str = _LONG_AGO.isoformat()  # of the last case whose words were erased
    case: str = ""
    event: int = 0
    effect: int = 0
    old_event: int = 0
    old_effect: int = 0


class Sweep:
    """`turn` does one batch when its time has come."""

    def __init__(self, store: Store, kept: Kept) -> None:
        self._store, self._kept = store, kept
        with store.read() as session:
            self._next = next_sweep(session)

    def turn(self, now: datetime) -> bool:
        """Erase one batch. Says whether there may be more to do at once."""
        if now < self._next:
            return False
        with self._store.write() as session:
            marks = _marks(session)
            count = _words(session, marks, now - self._kept.words) + _whole(session, marks, now - self._kept.cases)
            count += _answers(session, now)
            if not count:
                _runs(session, now - self._kept.cases)
                marks.next = (now + EACH).isoformat()
            set_setting(session, "retention", json.dumps(asdict(marks)))
        self._next = datetime.fromisoformat(marks.next)
        return bool(count)

    def put_off(self, now: datetime) -> None:
        """It failed: tried again in an hour, or after a start."""
        self._next = now + EACH


def kept_for(settings: Settings) -> Kept:
    return Kept(timedelta(days=settings.retain_raw_days), timedelta(days=settings.retain_cases_days))


def next_sweep(session: Connection) -> datetime:
    """When the next sweep is due (UTC); long ago where none has been."""
    return datetime.fromisoformat(_marks(session).next)


def _marks(session: Connection) -> _Marks:
    return _Marks(**json.loads(setting(session, "retention") or "{}"))


def _words(session: Connection, marks: _Marks, until: datetime) -> int:
    """Erase customers' words of what ended or came up to `until`. Returns how many rows were looked at."""
    last = datetime.fromisoformat(marks.ended)
    behind = or_(_c.ended_at > last, and_(_c.ended_at == last, _c.id > marks.case))
    asked = select(_c.id, _c.ended_at).where(_c.ended_at >= last, behind, _c.ended_at <= until)
    ended = session.execute(asked.order_by(_c.ended_at, _c.id).limit(BATCH)).all()
    if ended:
        _erase(session, [row.id for row in ended])
        marks.ended, marks.case = ended[-1].ended_at.isoformat(), ended[-1].id
    retained = until + RAW_KEPT  # as `retain_until` was written, before anybody set another length
    new = _ev.state == literal_column("'new'")  # a bound value would not use the index
    fresh = select(func.min(_ev.id)).where(new).scalar_subquery()
    p = t.private_event.c
    events = _ripe(session, p.event_id, p.retain_until, marks.event, retained, func.coalesce(fresh, 2**62))
    of_case = exists().where(_c.event_id == p.event_id)
    session.execute(delete(t.private_event).where(p.event_id.in_(events), ~of_case))
    p = t.private_effect.c
    effects = _ripe(session, p.effect_id, p.retain_until, marks.effect, retained)
    alone = select(_e.id).where(_e.id.in_(effects), _e.case_id.is_(None), _e.state.not_in(("due", "sending")))
    session.execute(delete(t.private_effect).where(p.effect_id.in_(alone)))
    marks.event, marks.effect = max([marks.event, *events]), max([marks.effect, *effects])
    return len(ended) + len(events) + len(effects) + _alone(session, retained)


def _alone(session: Connection, retained: datetime) -> int:
    """Assignments and exchanges without a case: few, so they are simply asked for."""
    p = t.private_assignment.c
    closed = select(_a.id).where(_a.case_id.is_(None), _a.state.not_in(("open", "claimed")))
    gone = delete(t.private_assignment).where(p.assignment_id.in_(closed), p.retain_until <= retained)
    count = session.execute(gone).rowcount
    n = t.private_exchange.c
    notes = delete(t.private_exchange).where(
        n.exchange_id.in_(select(_x.id).where(_x.case_id.is_(None))), n.retain_until <= retained
    )
    return count + session.execute(notes).rowcount


def _answers(session: Connection, now: datetime) -> int:
    """Raw answers of sources, which are kept to be read again."""
    n = t.private_answer.c
    gone = list(session.execute(select(n.id).where(n.retain_until <= now).limit(BATCH)).scalars())
    _delete(session, t.private_answer, n.id.in_(gone))
    return len(gone)


def _erase(session: Connection, cases: list[str]) -> None:
    """Every private row of these cases."""
    ids = _c.id.in_(cases)
    also = t.case.alias()
    shared = exists().where(also.c.event_id == _c.event_id, also.c.ended_at.is_(None))
    _delete(session, t.private_case, t.private_case.c.case_id.in_(cases))
    _delete(session, t.private_event, t.private_event.c.event_id.in_(select(_c.event_id).where(ids, ~shared)))
    of: list[tuple[Table, ColumnElement[Any], Table]] = [
        (t.private_effect, t.private_effect.c.effect_id, t.effect),
        (t.private_assignment, t.private_assignment.c.assignment_id, t.assignment),
        (t.private_exchange, t.private_exchange.c.exchange_id, t.exchange),
    ]
    for private, key, table in of:
        _delete(session, private, key.in_(select(table.c.id).where(table.c.case_id.in_(cases))))


def _whole(session: Connection, marks: _Marks, until: datetime) -> int:
    """Remove cases that ended up to `until` with their journal, and events and notices of that time."""
    asked = select(_c.id, _c.event_id).where(_c.ended_at <= until).order_by(_c.ended_at).limit(BATCH)
    cases = session.execute(asked).all()
    ids = [row.id for row in cases]
    if ids:
        _erase(session, ids)
        for table in (t.run_case, t.journal, t.effect, t.assignment):
            _delete(session, table, table.c.case_id.in_(ids))
        session.execute(update(t.exchange).where(_x.case_id.in_(ids)).values(case_id=None))
        _delete(session, t.case, _c.id.in_(ids))
    events = _ripe(session, _ev.id, _ev.at, marks.old_event, until)
    _events(session, {*events, *(row.event_id for row in cases if row.event_id)})
    effects = _ripe(session, _e.id, _e.made_at, marks.old_effect, until)
    notices = select(_e.id).where(_e.id.in_(effects), _e.case_id.is_(None), _e.state.not_in(("due", "sending")))
    _delete(session, t.private_effect, t.private_effect.c.effect_id.in_(notices))
    gone = list(session.execute(notices).scalars())
    session.execute(update(t.effect).where(_e.bulk_id.in_(gone)).values(bulk_id=None))
    _delete(session, t.effect, _e.id.in_(gone))
    marks.old_event, marks.old_effect = max([marks.old_event, *events]), max([marks.old_effect, *effects])
    return len(cases) + len(events) + len(effects)


def _events(session: Connection, ids: set[int]) -> None:
    """Remove events that no case needs; ledgers and consents keep their rows, and forget the event."""
    waits, needed = _ev.state.in_(("new", "unconfirmed")), exists().where(_c.event_id == _ev.id)
    free = select(_ev.id).where(_ev.id.in_(ids), ~waits, ~needed)
    gone = list(session.execute(free).scalars())
    for table in (t.exchange, t.consent):
        session.execute(update(table).where(table.c.event_id.in_(gone)).values(event_id=None))
    _delete(session, t.private_event, t.private_event.c.event_id.in_(gone))
    _delete(session, t.event, _ev.id.in_(gone))


def _runs(session: Connection, until: datetime) -> None:
    of_case = exists().where(t.run_case.c.run_id == t.run.c.id)
    _delete(session, t.run, (t.run.c.ended_at <= until) & ~of_case)


def _ripe(session: Connection, key: Any, at: Any, after: int, until: datetime, before: Any = None) -> list[int]:
    """The next ids behind `after` whose time is over. Ids grow with time: a look at the oldest few is enough."""
    inner = select(key.label("id"), at.label("at")).where(key > after).order_by(key).limit(BATCH)
    oldest = (inner if before is None else inner.where(key < before)).subquery()
    ripe: Select[Any] = select(oldest.c.id).where(oldest.c.at <= until)
    return list(session.execute(ripe).scalars())


def _delete(session: Connection, table: Table, where: ColumnElement[bool]) -> None:
    session.execute(delete(table).where(where))
