"""The engine: one owner thread that takes turns; a turn is one transaction, and calls leave after its commit."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from sqlalchemy import BindParameter, Connection, and_, bindparam, exists, func, or_, select
from sqlalchemy.exc import OperationalError

from flows.engine import asking, effects, events, scheduler
from flows.engine.advance import advance
from flows.engine.asking import Asking, Asks
from flows.engine.each import Units
from flows.engine.walk import Walk
from flows.engine.world import World
from flows.people.notices import look, tell_failure
from flows.store import tables as t
from flows.store.claims import Claim
from flows.store.locks import DECIDING, try_alone
from flows.store.prepared import Prepared
from flows.store.read import Row
from flows.store.store import Store
from flows.store.write import change, journal

PERIODS = timedelta(seconds=1)  # between two looks at the schedules
AT_ONCE = 200  # events and cases of one turn: enough to share a commit, few enough to stay quick
_STANDING = frozenset({"waiting", "assigned", "parked", "in_doubt"})


class Caller(Protocol):
    """Makes calls: side by side in threads, or at once in a simulation."""

    @property
    def free(self) -> int: ...
    def submit(self, sending: effects.Sending) -> None: ...
    def answers(self) -> list[effects.Answer]: ...


class _Due(NamedTuple):
    """Whether there is anything of a kind to be done now."""

    event: bool
    case: bool
    assignment: bool
    period: bool
    effect: bool
    question: bool

    @property
    def at_once(self) -> bool:
        """What a turn can do something about: an effect or question waits for a slot, an answer, or a person."""
        return any(self[:-2])


_NOTHING = _Due(event=False, case=False, assignment=False, period=False, effect=False, question=False)


class Engine:
    """Everything that happens to cases happens in `turn`. Without `asks` it asks nothing by itself."""

    def __init__(
        self, store: Store, world: World, calls: Caller, asks: Asks | None = None, *, fires_at_once: bool = False
    ) -> None:
        self._store, self._world, self._calls = store, world, calls
        self._asking = Asking(world, asks) if asks else None
        self._grace = scheduler.GRACE * (0 if fires_at_once else 1)
        self._ahead = _NOTHING  # what the last turn saw at its end
        self._look_for_periods_at = datetime.min.replace(tzinfo=UTC)
        self._answers: list[effects.Answer] = []  # kept until they are committed: a turn may fail on a busy disk
        self._flying: set[int] = set()  # calls that left, and whose answers are not committed
        self._unsure = False  # whether the last turn was committed
        self.claim: Claim = store.claim()
        world.claimer = self.claim.id

    def recover(self) -> int:
        """Settle what was in flight when its engine ended; after a start, and each second. Returns how many calls."""
        if not self.claim.hold():
            return 0
        with self._store.read() as session:
            gone = asking.abandoned(session, self.claim)
            if not self._unsure and not gone and not effects.abandoned(session, self.claim):
                return 0
        now = self._world.clock.now()
        with self._store.write() as session:
            asking.free(session, gone)
            if self._unsure:
                effects.take_back(session, self._world, self._flying, now)
            count = effects.recover(session, now, self.claim)
        self._unsure = False
        return count

    def turn(self) -> bool:
        """One turn. Says whether there is more to do at once."""
        self._answers += self._calls.answers()
        heard = self._asking is not None and self._asking.came_back()
        due = self._ahead if self._ahead.at_once or self._answers else self._due()
        self._ahead = _NOTHING
        if not self._answers and not heard and not any(due):
            return False
        self._world.rates.begin()
        try:
            sending, ahead = self._take(due, careful=False)
        except OperationalError:  # a busy or full disk: nothing was done, and nothing is lost by coming again
            self._undone()
            self._unsure = self._store.shared  # a database may go away after it was told to commit
            raise
        except Exception:  # noqa: BLE001 - one poisoned row must not stop the others
            self._undone()
            sending, ahead = self._take(due, careful=True)
        self._flying -= {answer.effect for answer in self._answers}
        self._answers, self._ahead = [], ahead
        for one in sending:
            self._flying.add(one.effect)
            self._calls.submit(one)
        if self._asking:
            self._asking.leave()
        self._answers = self._calls.answers()
        heard = self._asking is not None and self._asking.came_back()
        return bool(self._answers) or heard or ahead.at_once

    def _undone(self) -> None:
        self._world.forget()
        self._world.rates.undo()

    def _take(self, due: _Due, *, careful: bool) -> tuple[list[effects.Sending], _Due]:
        """All that is due, in one transaction; and what is due after it, such as telling people of their work."""
        with self._store.write(beside=not careful) as session:
            units, now = Units(session, careful, self._world.forget), self._world.clock.now()
            effects.take(units, self._world, self._answers, now)
            if self._asking:
                self._asking.turn(units, now, due=due.question)
            # One engine decides at a time, in the order of what came: two would make two parties of one phone number.
            decides = (due.event or due.period) and try_alone(session, DECIDING)
            if due.period and decides:
                scheduler.start_due(session, self._world, now, self._grace)
            took = self._events(units, now) if decides else 0
            moved = self._cases(units, now) if took or due.case or self._answers else 0
            told = self._assignments(units, now) if due.assignment else 0
            mark = effects.mark_in_turn if self._store.shared else effects.mark_sending
            sending = mark(units, self._world, now, self._calls.free)
            ahead = self._look(session, now)
            if self._store.shared:  # what is due and was not to be had is in another engine's hands
                ahead = _Due(
                    event=ahead.event and (decides or not due.event),
                    case=ahead.case and (moved > 0 or not due.case),
                    assignment=ahead.assignment and (told > 0 or not due.assignment),
                    period=ahead.period and (decides or not due.period),
                    effect=ahead.effect,
                    question=ahead.question,
                )
            return sending, ahead

    def next_wake(self) -> datetime | None:
        """When something is due next, if nothing comes from outside before."""
        a, c, e = t.assignment.c, t.case.c, t.effect.c
        with self._store.read() as session:
            found = [
                session.execute(select(func.min(c.wake_at)).where(c.held.is_(None))).scalar(),
                session.execute(select(func.min(a.next_at)).where(a.state.in_(("open", "claimed")))).scalar(),
                session.execute(select(func.min(e.next_at)).where(e.state == "due")).scalar(),
            ]
        return min((at for at in found if at is not None), default=None)

    def _due(self) -> _Due:
        """What a turn would find; reading costs nothing, a write transaction a disk sync."""
        with self._store.read() as session:
            return self._look(session, self._world.clock.now())

    def _look(self, session: Connection, now: datetime) -> _Due:
        found = _DUE.the(session, now=now)
        period = now >= self._look_for_periods_at and scheduler.anything(session, self._world, now, self._grace)
        if not period:
            self._look_for_periods_at = now + PERIODS
        question = self._asking is not None and self._asking.due(session, now)
        return _Due(**found, period=period, question=question)

    def _events(self, units: Units, now: datetime) -> int:
        found = events.NEW.rows(units.session, at_once=AT_ONCE)
        units.each(
            found,
            lambda row: events.take(units.session, self._world, row, now),
            lambda row, fault: change(units.session, t.event, row["id"], state="quarantined", reason=fault),
        )
        return len(found)

    def _cases(self, units: Units, now: datetime) -> int:
        found = _DUE_CASES.rows(units.session, now=now, at_once=AT_ONCE)
        units.each(
            found,
            lambda row: self._advance(units.session, dict(row), now),
            lambda row, fault: _hold(units.session, self._world, row, fault, now),
        )
        return len(found)

    def _advance(self, session: Connection, case: Row, now: datetime) -> None:
        case["was_leg"] = case["leg"]
        case["leg"] += case["status"] in _STANDING
        advance(Walk(self._world, session, self._world.pinned(session, case["version"]), case, now))

    def _assignments(self, units: Units, now: datetime) -> int:
        found = _DUE_ASSIGNMENTS.rows(units.session, now=now, at_once=AT_ONCE)
        units.each(
            found,
            lambda row: self._tell(units.session, row, now),
            lambda row, _fault: change(units.session, t.assignment, row["id"], next_at=None),
        )
        return len(found)

    def _tell(self, session: Connection, row: Row, now: datetime) -> None:
        playbook = None
        if row["case_id"]:
            version = session.execute(select(t.case.c.version).where(t.case.c.id == row["case_id"])).scalar_one()
            playbook = self._world.pinned(session, version)
        look(session, self._world.book, playbook, row, now, self._world.links)


_a, _c, _e = t.assignment.c, t.case.c, t.effect.c
_NOW: BindParameter[datetime] = bindparam("now", type_=t.At())
_AT_ONCE: BindParameter[int] = bindparam("at_once")
_CASE_IS_DUE = and_(_c.wake_at <= _NOW, _c.held.is_(None))
# `in_` is spelled out anew at each execution, `or_` is not
_ASSIGNMENT_IS_DUE = and_(or_(_a.state == "open", _a.state == "claimed"), _a.next_at <= _NOW)
_DUE_CASES = Prepared(
    select(t.case, t.private_case.c.data)
    .join(t.private_case)
    .where(_CASE_IS_DUE)
    .order_by(_c.wake_at, _c.event_id)  # what came first goes first, also in one turn
    .limit(_AT_ONCE)
    .with_for_update(of=[t.case, t.private_case], skip_locked=True)  # both, or the data may be of an older moment
)
_DUE_ASSIGNMENTS = Prepared(
    select(t.assignment)
    .where(_ASSIGNMENT_IS_DUE)
    .order_by(_a.next_at)
    .limit(_AT_ONCE)
    .with_for_update(skip_locked=True)
)
_DUE = Prepared(
    select(
        exists().where(t.event.c.state == "new").label("event"),
        exists().where(_CASE_IS_DUE).label("case"),
        exists().where(_ASSIGNMENT_IS_DUE).label("assignment"),
        exists().where(_e.state == "due", _e.next_at <= _NOW).label("effect"),
    )
)


def _hold(session: Connection, world: World, case: Row, reason: str, now: datetime) -> None:
    change(session, t.case, case["id"], held=reason, failed=True)
    journal(session, case, None, "held", now, reason=reason)
    live = world.book.playbooks.get(case["playbook"])  # the pinned one may be what cannot be read
    if live:
        tell_failure(session, world.book, live, case["id"], None, reason, now)
