"""The people of a history: customers who ask and buy, an operator who holds and stops, a team that does its work."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, or_, select

from flows.engine import operate
from flows.ledger.exchanges import Exchange
from flows.people.assignments import AssignmentError, claim, finish, skip
from flows.store import tables as t
from flows.store.prepared import Prepared
from flows.store.read import Row, rows
from flows.store.write import emit
from tests.simulation import company
from tests.simulation.world import Wrong

if TYPE_CHECKING:
    from tests.simulation.history import History

OPEN = ("open", "claimed")
_ASKED = Prepared(select(t.assignment.c.id).where(or_(*(t.assignment.c.state == state for state in OPEN))))
_ONE = Prepared(select(t.assignment).where(t.assignment.c.id == bindparam("one")))
_CASE = Prepared(select(t.case).where(t.case.c.id == bindparam("one")))


def plan(history: "History") -> None:
    """What will come from outside, and when."""
    chance, later = history.chance, history.later
    phones = [f"010-1234-{number:04d}" for number in range(chance.randint(1, 3))]
    forms = [name for name in history.names if name != "day"]
    horizon = chance.choice((3, 60, 600, 3 * 24 * 60))
    moments = [timedelta(minutes=chance.randrange(horizon)) for _ in range(chance.randint(1, 6))]

    def soon() -> timedelta:  # when something is likely under way
        return chance.choice(moments) + timedelta(seconds=chance.choice((0, 1, 3, 10, 70, 600, 9000, 90_000)))

    for number, at in enumerate(moments):
        name, phone, n = chance.choice(forms), chance.choice(phones), chance.choice((None, *range(10)))
        later(at, lambda key=f"k{number}", name=name, phone=phone, n=n: _asks(history, key, name, phone, n))
        if chance.random() < 0.2:
            again = at + timedelta(minutes=chance.randrange(300))
            later(again, lambda key=f"k{number}", name=name, phone=phone: _asks(history, key, name, phone, 1))
    for _ in range(chance.choice((0, 0, 1, 3))):
        kind, phone = chance.choice(("purchase_card", "cancel", "review")), chance.choice(phones)
        later(soon(), lambda kind=kind, phone=phone: _buys(history, kind, phone))
    for _ in range(chance.choice((0, 0, 0, 1, 4))):
        later(soon(), lambda: _operates(history))
    for do in (_new_version, _new_state):
        if chance.random() < 0.15:
            later(soon(), lambda do=do: do(history))
    if "day" in history.names:
        for day in range(3):
            later(timedelta(days=day, minutes=chance.randrange(24 * 60)), lambda: None)


def _asks(history: "History", key: str, name: str, phone: str, n: int | None) -> None:
    body = json.dumps({"phone": phone} | ({} if n is None else {"n": n})).encode()
    with history.store.write() as session:
        id = emit(session, f"form-{name}", key, "form.submitted", history.clock.now(), body)
    history.tell(f"{phone} asks {name} ({key}, n={n}){'' if id else ' again'}")
    if id:
        history.came(id, name, n)


def _buys(history: "History", kind: str, phone: str) -> None:
    with history.store.write() as session:
        operate.record_by_hand(session, history.wire.world, phone, Exchange(kind=kind), "han")
    history.tell(f"{phone}: {kind} at the desk")


def _operates(history: "History") -> None:
    with history.store.read() as session:
        found = rows(session, select(t.case).where(t.case.c.status != "ended").order_by(t.case.c.opened_at))
    if not found:
        return
    case, now = history.chance.choice(found), history.clock.now()
    what = history.chance.choice(("hold", "stop", "retry", "resume"))
    try:
        with history.store.write() as session:
            match what:
                case "hold":
                    operate.hold(session, case["id"], "han", "wait", now)
                case "resume":
                    operate.resume(session, case["id"], "han", now)
                case "retry":
                    operate.retry(session, case["id"], "han", now)
                case _:
                    operate.stop(session, history.wire.world, case["id"], "han", "moved away", "lost")
        history.tell(f"{what} {case['id']}")
    except operate.OperateError as error:
        history.tell(f"{what} {case['id']}: {error}")


def _new_version(history: "History") -> None:
    name = history.chance.choice(history.names)
    history.publish(name)
    history.tell(f"a new version of {name}")


def _new_state(history: "History") -> None:
    name = history.chance.choice(history.names)
    history.state(name, history.chance.choice(("design", "trial", "complete", "expand")))
    history.later(timedelta(minutes=history.chance.randrange(600)), lambda: history.state(name, "operate"))


class People:
    """The team: each assignment is seen, and done, skipped or forgotten after a while."""

    def __init__(self, history: "History") -> None:
        self.history, self.chance = history, history.chance
        self.planned: set[str] = set()  # assignments that somebody has seen

    def look(self) -> None:
        with self.history.store.read() as session:
            asked = _ASKED.rows(session)
        for row in asked:
            if row["id"] not in self.planned:
                self.planned.add(row["id"])
                slow = 1 if self.history.healed else self.chance.choice((0, 1, 30, 600, 3000))
                self.history.later(timedelta(minutes=slow), lambda mine=row["id"]: self._does(mine))

    def _does(self, id: str) -> None:
        history, now = self.history, self.history.clock.now()
        if not history.healed and self.chance.random() < 0.1:
            return  # forgotten, until all is well
        with history.store.write() as session:
            row = _ONE.the(session, one=id)
            if row["state"] not in OPEN:
                return
            if row["state"] == "open" and self.chance.random() < 0.3:
                claim(session, id, "yoon", now)
            if row["kind"] == "reconnect":
                history.vendor.refused.discard(row["connection"])
                history.tell(f"{row['connection']} is connected again")
                finish(session, history.book, None, id, "han", {}, now)
                return
            how, answers = self._of_case(session, row)
        history.seen.hand[row["case_id"], row["step"]].append((row["kind"], how, answers))
        history.tell(f"{row['kind']} {row['case_id']}/{row['step']} is {how} {answers}")

    def _of_case(self, session: Connection, row: Row) -> tuple[str, dict[str, Any]]:
        history, now = self.history, self.history.clock.now()
        case = _CASE.the(session, one=row["case_id"])
        answers = self._answers(session, row, history.seen.versions[case["version"]])
        playbook = history.wire.world.pinned(session, case["version"])
        if row["kind"] != "doubt" and self.chance.random() < 0.15:
            try:
                skip(session, playbook, row["id"], "yoon", "not needed", now)
            except AssignmentError:
                pass
            else:
                return "skipped", answers
        if refused := finish(session, history.book, playbook, row["id"], "yoon", answers, now):
            raise Wrong(f"a form refused {refused}")
        return "done", answers

    def _answers(self, session: Connection, row: Row, plan: company.Plan) -> dict[str, Any]:
        if row["kind"] == "doubt":  # people look at the service, and tell the truth
            mine = select(t.effect.c.key).where(t.effect.c.case_id == row["case_id"], t.effect.c.step == row["step"])
            key = session.execute(mine.where(t.effect.c.state == "in_doubt")).scalars().all()[-1]
            return {"happened": "yes" if self.history.vendor.did[key] else "no"}
        step = next(one for one in plan.steps if one.id == row["step"])
        asks = row["kind"] == "step" and "form" in step.written
        return {"score": self.chance.randrange(10)} if asks else {}
