"""Which branches of a playbook its tests took: each condition, end, stop, awaited event and fallback, both ways."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sqlalchemy import select

from flows.ledger.parties import family
from flows.playbook.expression import Expression
from flows.playbook.load import Path_
from flows.playbook.model import Playbook, Step
from flows.store import data
from flows.store import tables as t
from flows.store.read import rows
from flows.store.store import Store


@dataclass(frozen=True, slots=True)
class Branch:
    """One way through a playbook: where it is written, what is asked there, and which way was taken."""

    path: Path_
    asks: str
    way: str


def branches(playbook: Playbook) -> Iterator[Branch]:
    """Every branch that the tests of a playbook should take."""
    for place, stop in enumerate(playbook.stop):
        path: Path_ = ("stop", place)
        asks = f"stop: {stop.when.source if stop.when else ', '.join(stop.exchange) or 'consent'}"
        yield from _both(path, asks, "stops a case", "a case ends without it")
    for place, step in enumerate(playbook.steps):
        yield from _of_step(("steps", place), step)


def _of_step(path: Path_, step: Step) -> Iterator[Branch]:
    if step.when:
        yield from _both((*path, "when"), f"{step.id}, when: {step.when.source}", "true", "false")
    for place, end in enumerate(step.ends):
        yield from _both((*path, "ends", place), f"{step.id}, ends: {end.when.source}", "true", "false")
    if getattr(step, "or_", None):
        yield from _both((*path, "or"), f"{step.id}, or", "it happened", "the time came first")
    if step.fallback:
        yield from _both((*path, "fallback"), f"{step.id}, fallback", "a person does it", "the machine does it")


def _both(path: Path_, asks: str, yes: str, no: str) -> Iterator[Branch]:
    yield Branch(path, asks, yes)
    yield Branch(path, asks, no)


def taken(playbook: Playbook, store: Store, judged: AbstractSet[tuple[int, bool]]) -> set[Branch]:
    """The branches that the cases in a store took. `judged`: each condition's id and what came out."""
    with store.read() as session:
        journal = rows(session, select(t.journal).where(t.journal.c.playbook == playbook.playbook))
        handed = set(session.execute(select(t.assignment.c.step).where(t.assignment.c.kind == "fallback")).scalars())
        c = t.private_case.c
        mine = select(c.data).join(t.case).where(t.case.c.playbook == playbook.playbook)
        results = [data.load(text)["results"] for text in session.execute(mine).scalars()]
    ended = {line["case_id"] for line in journal if line["state"] == "ended"}
    stopped = {line["reason"] or "" for line in journal if line["state"] == "stopped"}
    by_machine = {line["step"] for line in journal if line["state"] == "done" and line["by"] == "machine"}
    facts = _Facts(judged, results, handed, by_machine, stopped, bool(ended))
    return {branch for branch in branches(playbook) if _was_taken(playbook, branch, facts)}


@dataclass(frozen=True, slots=True)
class _Facts:
    judged: AbstractSet[tuple[int, bool]]
    results: list[dict[str, object]]
    handed: set[str]  # steps that a person did instead
    by_machine: set[str]
    stopped: set[str]  # reasons
    ended: bool  # a case came to its end by itself


def _was_taken(playbook: Playbook, branch: Branch, facts: _Facts) -> bool:
    match branch.path:
        case ("stop", int(place)):
            stop = playbook.stop[place]
            if branch.way == "a case ends without it":
                return facts.ended
            if stop.when:
                return f"stop: {stop.when.source}" in facts.stopped
            kinds = {reason.removeprefix("stop: ") for reason in facts.stopped}
            if not stop.exchange:
                return any("consent" in kind for kind in kinds)
            return any({kind, family(kind)} & set(stop.exchange) for kind in kinds)
        case ("steps", int(place), *rest):
            return _step_taken(playbook.steps[place], rest, branch.way, facts)
    return False


def _step_taken(step: Step, rest: list[str | int], way: str, facts: _Facts) -> bool:
    match rest:
        case ["when"] if step.when:
            return _judged(step.when, way, facts)
        case ["ends", int(place)]:
            return _judged(step.ends[place].when, way, facts)
        case ["or"]:
            found = [one[step.id] for one in facts.results if step.id in one]
            return any(isinstance(one, dict) and one.get("happened") is (way == "it happened") for one in found)
        case _:
            return step.id in (facts.handed if way == "a person does it" else facts.by_machine)


def _judged(condition: Expression, way: str, facts: _Facts) -> bool:
    return (id(condition), way == "true") in facts.judged
