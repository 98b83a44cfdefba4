"""What must be true of a history: where a case may stand, and a second reading of its way through its playbook."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text

from flows.playbook.hours import Calendar
from flows.playbook.time import Time
from flows.store import tables as t
from flows.store.prepared import Prepared
from flows.store.read import Row
from flows.store.write import PASSED
from tests.simulation.company import Plan, StepPlan, holds
from tests.simulation.service import number_of
from tests.simulation.world import Wrong

if TYPE_CHECKING:
    from tests.simulation.history import History

Lines = list[Row]
OPEN = ("open", "claimed")
CAREFUL = frozenset({"keyed", "checkable", "once"})


def _all(history: "History", table: Any) -> Lines:
    with history.store.read() as session:
        return _every(table).rows(session)


@cache
def _every(table: Any) -> Prepared:
    return Prepared(select(table).order_by(text("rowid")))


def _must(claim: object, sentence: str) -> None:
    if not claim:
        raise Wrong(sentence)


def check_standing(history: "History") -> None:
    """Between two turns: each open case stands somewhere that it will come away from, and what is sent is in flight."""
    cases = {row["id"]: row for row in _all(history, t.case)}
    effects, asked = defaultdict(list), defaultdict(set)
    flying = set(history.wire.flying) | {answer.effect for answer in history.engine._answers}
    for row in _all(history, t.effect):
        effects[row["case_id"]].append(row)
        going = row["state"] == "sending" and (row["bulk_id"] or row["id"]) not in flying and row["id"] not in flying
        _must(not going, f"{row['key']} is marked sending, and nobody calls")
    for row in _all(history, t.assignment):
        if row["state"] in OPEN:
            asked[row["case_id"]].add(row["kind"])
    now = history.clock.now()
    for id, case in cases.items():
        states = {row["state"] for row in effects[id]}
        mine, woken = asked[id], case["wake_at"] is not None
        match case["status"]:
            case "ended":
                stands = not woken and not mine
            case "waiting":
                stands = woken
            case "assigned":
                stands = woken or mine & {"step", "fallback"}
            case "in_doubt":
                stands = woken or "doubt" in mine
            case "parked" | "calling":
                stands = woken or states & {"due", "sending"}
            case "ready":
                stands = woken
            case other:
                raise Wrong(f"case {id} is {other}")
        _must(stands, f"case {id} is {case['status']}, and nothing will ever wake it ({now})")


def check(history: "History") -> None:
    """At the end, when services were well and people did all that they were asked."""
    cases, journal, effects = (_all(history, table) for table in (t.case, t.journal, t.effect))
    lines: dict[str, Lines] = defaultdict(list)
    for line in journal:
        lines[line["case_id"]].append(line)
    for row in cases:
        _must(row["status"] == "ended", f"case {row['id']} is still {row['status']}")
    for effect in effects:
        _must(effect["state"] not in {"due", "sending"}, f"{effect['key']} is still {effect['state']}")
    for asked in _all(history, t.assignment):
        _must(asked["state"] not in OPEN, f"the {asked['kind']} of {asked['case_id']}/{asked['step']} is still open")
    _events(history, cases, lines)
    _services(history, effects)
    _by_hand(history, effects)
    _stops(history, cases)
    bodies = {row["case_id"]: row["data"] for row in _all(history, t.private_case)}
    _must(len(bodies) == len(cases), "a case has lost its fields")
    done = Counter((row["case_id"], row["step"]) for row in effects if row["state"] == "done")
    for case in cases:
        _story(case, lines[case["id"]])
        Way(history, case, lines[case["id"]], done).follow()


def _events(history: "History", cases: Lines, lines: Mapping[str, Lines]) -> None:
    """Each accepted start is decided exactly once: it opens one case, or is noted, or its `where` says no."""
    opened, events = Counter(case["event_id"] for case in cases), _all(history, t.event)
    noted: Counter[str] = Counter()
    for event in events:
        decided = event["state"] == "decided" or (event["state"] == "quarantined" and history.seen.designed)
        _must(decided, f"event {event['key']} is {event['state']}")
        _must(opened[event["id"]] <= 1, f"event {event['key']} opened {opened[event['id']]} cases")
    outside = [event for event in events if event["id"] in history.seen.came]
    _must(len(outside) == len(history.seen.came), "an accepted event is lost")
    for case in cases:
        noted[case["playbook"]] += sum(line["state"] == "noted" for line in lines[case["id"]])
    for name in {one.playbook for one in history.seen.came.values()}:
        plans = [plan for plan in history.seen.versions.values() if plan.name == name]
        mine = [event for event in outside if history.seen.came[event["id"]].playbook == name]
        come = [one for one in mine if one["state"] == "decided"]
        passing = [
            [holds(plan.where, {"n": history.seen.came[one["id"]].n}) for plan in plans] for one in come
        ]  # fmt: skip
        found = sum(opened[one["id"]] for one in come) + noted[name]
        least, most = sum(map(all, passing)), sum(map(any, passing))
        _must(least <= found <= most, f"{name}: {len(come)} starts, {found} cases and notes")
        if all(plan.single for plan in plans):
            _one_at_a_time([case for case in cases if case["playbook"] == name])
    periods = Counter((case["playbook"], case["period"]) for case in cases if case["period"])
    _must(all(count == 1 for count in periods.values()), "a period was started twice")


def _one_at_a_time(cases: Lines) -> None:
    last: dict[str, Row] = {}
    for case in cases:
        earlier = last.get(case["party_id"])
        _must(not earlier or earlier["ended_at"] <= case["opened_at"], f"case {case['id']} opened beside another")
        last[case["party_id"]] = case


def _services(history: "History", effects: Lines) -> None:
    """What the service's own log says of each key, by its class."""
    did = history.vendor.did
    for effect in effects:
        key, times = effect["key"], did[effect["key"]]
        if effect["effect_class"] not in CAREFUL:
            continue
        _must(times <= 1, f"{key} ({effect['effect_class']}) happened {times} times")
        if effect["state"] == "done":
            _must(times == 1, f"{key} is done, and the service knows nothing of it")
        if effect["state"] in {"failed", "dropped", "cancelled"}:
            _must(times == 0, f"{key} is {effect['state']}, and the service did it")


def _by_hand(history: "History", effects: Lines) -> None:
    """What a person was given to do, the service had not done; but for an answer that failed its check."""
    steps = {version: {one.id: one for one in plan.steps} for version, plan in history.seen.versions.items()}
    versions = {case["id"]: case["version"] for case in _all(history, t.case)}
    for effect in effects:
        if effect["effect_class"] in CAREFUL and effect["case_id"] and effect["state"] != "done":
            hand = history.seen.hand[effect["case_id"], effect["step"]]
            step = steps[versions[effect["case_id"]]][effect["step"]]
            twice = hand and hand[-1][0] == "fallback" and step.check is None and history.vendor.did[effect["key"]]
            _must(not twice, f"{effect['key']} happened, and was given to a person to do")


def _stops(history: "History", cases: Lines) -> None:
    """An exchange ends the open cases of its party whose playbook says so, but for the case that recorded it."""
    for exchange in _all(history, t.exchange):
        for case in cases:
            plan = history.seen.versions[case["version"]]
            names = {exchange["kind"], exchange["kind"].partition("_")[0]} & set(plan.stops)
            if not names or case["party_id"] != exchange["party_id"] or case["id"] == exchange["case_id"]:
                continue
            if case["opened_at"] < exchange["at"] < case["ended_at"]:
                # it may be decided some turns later, and the case may come to its end before
                late = case["ended_at"] - exchange["at"]
                stopped = (case["reason"] or "").startswith(("stop: ", "by "))
                _must(stopped or late < timedelta(hours=12), f"case {case['id']} went on after {exchange['kind']}")


def _story(case: Row, lines: Lines) -> None:
    """The journal of one case, read by itself."""
    states = [line["state"] for line in lines]
    _must(states[:1] == ["opened"] and states.count("opened") == 1, f"case {case['id']} opened {states}")
    _must(sum(state in {"ended", "stopped"} for state in states) == 1, f"case {case['id']} ended {states}")
    last = [line for line in lines if line["state"] != "noted"][-1]
    _must(last["state"] in {"ended", "stopped"}, f"case {case['id']} went on after its end: {states}")
    for before, line in pairwise(lines):
        _must(before["leg"] <= line["leg"], f"case {case['id']}: a leg goes back")
        _must(before["at"] <= line["at"], f"case {case['id']}: time goes back")
    passed = Counter(line["step"] for line in lines if line["step"] and line["state"] in PASSED)
    _must(all(count == 1 for count in passed.values()), f"case {case['id']} passed a step twice: {passed}")


class Way:
    """One case's way as a second, small reading of its playbook says it, beside what the journal says."""

    def __init__(self, history: "History", case: Row, lines: Lines, done: Counter[tuple[str, str]]) -> None:
        self.history, self.case, self.done = history, case, done
        self.plan: Plan = history.seen.versions[case["version"]]
        self.passed = [line for line in lines if line["step"] and line["state"] in PASSED]
        came = history.seen.came.get(case["event_id"])
        self.values: dict[str, Any] = {"n": came.n} if came else {}

    def follow(self) -> None:
        stopped = (self.case["reason"] or "").startswith(("stop: ", "by "))
        for step in self.plan.steps:
            if not self.passed:
                _must(stopped, f"case {self.case['id']} ended before {step.id}")
                return
            line = self.passed.pop(0)
            _must(line["step"] == step.id, f"case {self.case['id']} passed {line['step']} where {step.id} stands")
            state, by = line["state"], line["by"]
            expected = self._expected(step, line)
            said = f"case {self.case['id']}: {step.id} is {state} by {by}"
            _must(state in expected, f"{said}; expected {' or '.join(sorted(expected))}")
            if state != "skipped" and step.ends and holds(step.ends[0], self.values):
                _must(not self.passed, f"{said}, and went on though {step.ends[0]} ends it")
                _must(self.case["outcome"] == step.ends[1], f"{said}, outcome {self.case['outcome']}")
                return
        _must(not self.passed, f"case {self.case['id']} passed more than there is")
        _must(stopped or self.case["outcome"] == "done", f"case {self.case['id']} came to {self.case['outcome']}")

    def _expected(self, step: StepPlan, line: Row) -> set[str]:
        """States that this step may be passed in; its result becomes known."""
        if not holds(step.when, self.values):
            return {"skipped"}
        hand = [
            one
            for one in self.history.seen.hand[self.case["id"], step.id]
            if one[0] != "doubt" or one[2] == {"happened": "yes"}
        ]
        late = (
            {"dropped"}
            if "valid_for" in step.written and line["at"] - line["started_at"] >= timedelta(minutes=20)
            else set()
        )
        if step.kind == "wait":
            self._waited(step, line)
            return {"done"}
        if step.kind == "record":
            return {"done"}
        if step.kind == "person":
            self._know(step, hand[-1][2] if hand and hand[-1][1] == "done" else {})
            return {hand[-1][1]} if hand else late
        return self._by_machine(step, hand, late)

    def _by_machine(self, step: StepPlan, hand: list[tuple[str, str, Any]], late: set[str]) -> set[str]:
        if step.written.get("with", {}).get("message") == "ad" and not hand:
            return {"blocked"} | late
        answered = self.done[self.case["id"], step.id]
        number = number_of(self._key(step)) if answered else None
        good = answered and (step.check is None or holds(step.check, {f"{step.id}.number": number}))
        if not hand:
            self._know(step, {"number": number} if answered else {})
            return ({"done"} if good else set()) | late
        kind, how, answers = hand[-1]
        if kind == "fallback" and good:
            raise Wrong(f"{self._key(step)} is done, and a person did it as well")
        # a result that failed its check stays known until a person's takes its place
        self._know(step, answers if how == "done" else {"number": number} if answered else {})
        return {how}

    def _key(self, step: StepPlan) -> str:
        return f"{self.case['id']}/{step.id}"

    def _know(self, step: StepPlan, result: Mapping[str, Any]) -> None:
        for name in ("number", "score"):
            self.values.pop(f"{step.id}.{name}", None)
            if name in result:
                self.values[f"{step.id}.{name}"] = result[name]

    def _waited(self, step: StepPlan, line: Row) -> None:
        calendar: Calendar = self.history.book.company.calendar
        until = Time.parse(step.written["wait"]).resolve(line["started_at"], lambda _: None, calendar)
        _must(until and line["at"] >= until, f"case {self.case['id']}: {step.id} did not wait until {until}")
