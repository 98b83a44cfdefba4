"""One case on its way: what one transaction knows of it, and how it stands still, goes on and ends."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, bindparam, select

from flows.engine.own import step_done
from flows.engine.scope import Scope
from flows.engine.world import World
from flows.ledger.call import Call
from flows.people.notices import tell_failure
from flows.playbook.expression import Expression
from flows.playbook.model import By, Playbook, Step
from flows.playbook.time import Time
from flows.store import data as kept
from flows.store import tables as t
from flows.store.prepared import Prepared
from flows.store.write import change, journal, open_assignment, withdraw


@dataclass
class Walk:
    """A case in the hands of the engine; `save` writes it back."""

    world: World
    session: Connection
    playbook: Playbook
    case: dict[str, Any]
    now: datetime
    moved: bool = False  # something was journalled on this walk

    @cached_property
    def data(self) -> dict[str, Any]:
        if "data" not in self.case:
            self.case["data"] = _DATA.the(self.session, case=self.case["id"])["data"]
        found: dict[str, Any] = kept.load(self.case["data"])
        return found

    @property
    def step(self) -> Step | None:
        place = self.case["step"]
        return self.playbook.steps[place] if place < len(self.playbook.steps) else None

    @cached_property
    def scope(self) -> Scope:
        return Scope(self.session, self.world.book, self.playbook, self.case, self.data, self.now)

    def holds(self, condition: Expression) -> bool:
        scope = self.scope
        found = bool(condition.evaluate(scope.value, scope.today, self.world.book.company.zone))
        if self.world.judged is not None:
            self.world.judged.add((id(condition), found))
        return found

    def resolve(self, time: Time, begin: datetime) -> datetime | None:
        """A written time as a moment (UTC); none when it hangs on a missing value."""
        return time.resolve(begin, self.scope.value, self.world.book.company.calendar)

    def key(self, step: Step, *more: str) -> str:
        return "/".join((self.case["id"], step.id, *more))

    def call(self, step: Step, tried: tuple[str, ...] = ()) -> Call:
        return Call(
            self.session,
            self.world.book,
            self.playbook,
            self.case,
            step.id,
            self.now,
            self.key(step),
            self.world.connection,
            tried,
        )

    def note(self, state: str, *, by: str | None = None, reason: str | None = None) -> None:
        """Write a line of the case's story, about the step it stands at."""
        step = self.step
        began = self.case["began_at"]
        journal(
            self.session, self.case, step.id if step else None, state, self.now, by=by, reason=reason, started_at=began
        )
        self.moved = True

    def go_on(self, state: str, result: object = None, *, by: str | None = None, reason: str | None = None) -> None:
        """The step is passed (`done`, `skipped`, `dropped`, `blocked`): to the next one, unless it ends the case."""
        step = self.step
        if step is None:
            raise ValueError("a case behind its last step passes nothing")
        if result is not None:
            self.data["results"][step.id] = result
        self.note(state, by=by, reason=reason)
        if state == "done":
            step_done(self.session, self.world.book, self.case, step.id, self.data, self.now)
        asked = step.ends if state != "skipped" else []  # a step that was not done has no result to ask
        ends = next((end for end in asked if self.holds(end.when)), None)
        self.case |= {"step": self.case["step"] + 1, "began_at": None, "status": "ready", "wake_at": self.now}
        self.case["failed"] = False
        if ends:
            self.end(ends.outcome, "ended")

    def stand(self, status: str, wake_at: datetime | None = None, reason: str | None = None, say: str = "") -> None:
        """Stay at this step until `wake_at`, or until someone wakes the case."""
        if self.moved or self.case["status"] != status:
            if status != "calling":  # a call in flight is the same leg
                self.note(say or status, reason=reason)
        else:
            self.case["leg"] = self.case.get("was_leg", self.case["leg"])  # woken for nothing
        self.case |= {"status": status, "wake_at": wake_at}

    def end(self, outcome: str, state: str, reason: str | None = None) -> None:
        """End the case and take back what it still asks."""
        self.case |= {"status": "ended", "outcome": outcome, "ended_at": self.now, "wake_at": None, "reason": reason}
        if state == "stopped":  # a case that came to its end by itself asks for nothing more
            withdraw(self.session, self.case["id"], self.now, reason or "the case was stopped")
        journal(self.session, self.case, None, state, self.now, reason=reason or outcome)
        self.moved = True

    def assign(self, kind: str, role: str, step: Step, reason: str | None = None, by: By | None = None) -> None:
        """Open an assignment of this step for a role (or the person an answer names)."""
        person = self.scope.value(by.who) if by and by.who else None
        due, remind, escalate = self._times(kind, step)
        open_assignment(
            self.session,
            self.now,
            party=self.case["party_id"],
            kind=kind,
            case_id=self.case["id"],
            playbook=self.playbook.playbook,
            step=step.id,
            role=role,
            person=person,
            reason=reason,
            due_at=due,
            remind_at=remind,
            escalate_at=escalate,
            escalate_to=self._above(step),
        )

    def tell_failure(self, step: Step, reason: str | None) -> None:
        """Tell whom the playbook's `on_failure` names."""
        tell_failure(self.session, self.world.book, self.playbook, self.case["id"], step, reason, self.now)

    def _times(self, kind: str, step: Step) -> tuple[datetime | None, datetime | None, datetime | None]:
        calendar = self.world.book.company.calendar
        if kind == "step":
            due = self.resolve(step.due, self.now) if step.due else None
            remind = due - step.remind.delta if due and step.remind else None
            escalate = self.resolve(step.escalate.after, due) if due and step.escalate else None
            return due, remind, escalate
        written = step.fallback.due if step.fallback and kind == "fallback" else None
        due = self.resolve(written, self.now) if written else calendar.add_business_days(self.now, 1)
        return due, None, due + timedelta(hours=1) if due else None

    def _above(self, step: Step) -> str:
        to = step.escalate.to if step.escalate else "playbook_owner"
        return self.playbook.owner if to == "playbook_owner" else to

    def save(self) -> None:
        change(self.session, t.case, self.case["id"], **{name: self.case[name] for name in _KEPT})
        if "data" in self.__dict__ and (text := kept.dump(self.data)) != self.case["data"]:
            change(self.session, t.private_case, self.case["id"], data=text)


_DATA = Prepared(select(t.private_case.c.data).where(t.private_case.c.case_id == bindparam("case")))
_KEPT = (
    "status",
    "step",
    "began_at",
    "leg",
    "wake_at",
    "held",
    "failed",
    "outcome",
    "reason",
    "ended_at",
)
