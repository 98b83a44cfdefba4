"""How far the cases of a run have come, read from the journal; nothing of Prefect in here."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import Connection, and_, select

from flows.store import tables as t
from flows.store.read import rows
from flows.store.write import PASSED, STOOD

TAKEN = "taken over"
PASSED_ON = "gone on"
_NO_REASON = "the case says why"
_TOLD = frozenset({"failed", "in_doubt", "parked"})  # whose reasons are written by ourselves, never by a person


@dataclass(slots=True)
class Trace:
    """One case's leg. `at` is the index of the step it stands at, or comes to next."""

    case: str
    leg: int
    at: int
    passed: dict[int, str] = field(default_factory=dict)
    stood: str | None = None  # the state in which it left the run; none: still on its way
    failed: bool = False  # an error that nobody has taken
    reason: str | None = None

    @property
    def standing(self) -> bool:
        """Whether it left the run at a step, not by its end."""
        return self.stood is not None and self.stood not in {"ended", "stopped"}


@dataclass(frozen=True)
class Progress:
    """All cases of one run at one moment. Steps are indices of the run's playbook version."""

    traces: Sequence[Trace]

    @property
    def over(self) -> bool:
        return all(trace.stood for trace in self.traces)

    @property
    def failed(self) -> bool:
        return any(trace.failed for trace in self.traces)

    def next(self, step: int) -> int | None:
        """The first step from `step` on that some case was at, or will come to now."""
        return min((place for place in self._touched if place >= step), default=None)

    def settled(self, step: int) -> bool:
        """Whether each case has passed the step or left the run."""
        return all(trace.stood or trace.at > step for trace in self.traces)

    def counts(self, step: int | None = None) -> Counter[str]:
        """How many cases in which state: at a step, or in the end."""
        found: Counter[str] = Counter()
        for trace in self.traces:
            if step is None:
                found[trace.stood or "at work"] += 1
            elif state := trace.passed.get(step):
                found[state] += 1
            elif trace.at == step and (trace.standing or trace.stood is None):
                found[trace.stood or "at work"] += 1
        return found

    def failures(self, step: int | None = None) -> str:
        """Our own sentences about what failed and is not taken, most frequent first."""
        reasons = Counter(trace.reason for trace in self.traces if trace.failed and step in {None, trace.at})
        if len(reasons) == 1:
            return next(iter(reasons)) or _NO_REASON
        return "; ".join(f"{reason or _NO_REASON} ({count})" for reason, count in reasons.most_common())

    @cached_property
    def _touched(self) -> frozenset[int]:
        return frozenset(
            step
            for trace in self.traces
            for step in (*trace.passed, *([trace.at] if trace.standing or trace.stood is None else []))
        )


def say(counts: Counter[str]) -> str:
    """`48 done, 2 waiting`."""
    return ", ".join(f"{count} {state}" for state, count in counts.most_common())


def read(session: Connection, run: str, steps: Sequence[str]) -> Progress:
    """The progress of a run; `steps` are the ids of its version's steps in order."""
    c, r, j = t.case.c, t.run_case.c, t.journal.c
    cases = select(c.id, c.leg, c.step, c.status, c.held, c.failed, r.leg.label("of")).join(
        t.run_case, r.case_id == c.id
    )
    traces = {}
    for row in rows(session, cases.where(r.run_id == run)):
        traces[row["id"], row["of"]] = trace = Trace(row["id"], row["of"], row["step"])
        current = row["leg"] == row["of"]
        trace.failed = current and row["failed"] and row["status"] != "ended"
        if not current:
            trace.stood = PASSED_ON  # a later leg has begun: the journal says below how this one ended
        elif row["held"]:
            trace.stood = "held"
    places = {step: place for place, step in enumerate(steps)}
    both = and_(r.case_id == j.case_id, r.leg == j.leg)
    lines = select(j.case_id, j.leg, j.step, j.state, j.reason).join(t.run_case, both)
    for line in rows(session, lines.where(r.run_id == run).order_by(j.id)):
        _follow(traces[line["case_id"], line["leg"]], places.get(line["step"]), line["state"], line["reason"])
    return Progress([_closed(trace, len(steps)) for trace in traces.values()])


def _follow(trace: Trace, place: int | None, state: str, reason: str | None) -> None:
    if state in PASSED and place is not None:
        trace.passed[place] = state
        if trace.stood not in {"held", PASSED_ON}:
            trace.stood = None
    elif state in STOOD:
        if place is not None:
            trace.at = place
        trace.stood = state if trace.stood != "failed" else "failed"  # `assigned` only says who will look at it
        trace.reason = reason if state in _TOLD else trace.reason


def _closed(trace: Trace, steps: int) -> Trace:
    if trace.stood == "failed" and not trace.failed:
        trace.stood = TAKEN
    if trace.stood in {"ended", "stopped"}:
        trace.at = steps
    elif trace.stood == PASSED_ON:
        trace.at = -1
    return trace
