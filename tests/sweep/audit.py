"""What must be true after a kill: nothing lost, nothing twice where that matters, and doubt is shown."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.sweep.company import CONNECTION, STEPS
from tests.sweep.house import House

Request = Mapping[str, str | None]


@dataclass(slots=True)
class Outcome:
    """What came out: how many cases ended or stand in doubt, and each thing that is wrong, by its kind.

    `arrived`: effects of each class that came to the sink; `again`: requests that repeated one, as its class may.
    """

    ended: int = 0
    doubts: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    arrived: Counter[str] = field(default_factory=Counter)
    again: Counter[str] = field(default_factory=Counter)

    @property
    def wrong(self) -> list[str]:
        return [*self.lost, *self.twice, *self.other]

    def __str__(self) -> str:
        return "; ".join(self.wrong) or ("in doubt" if self.doubts else "ended")


@dataclass(frozen=True, slots=True)
class _Seen:
    """Store and sink, read once."""

    cases: Mapping[tuple[str, str], Sequence[Mapping[str, str]]]  # by event key and playbook
    done: Mapping[str, Sequence[str]]  # steps by case
    ledger: Mapping[str, int]
    effects: Mapping[tuple[str, str], str]  # state by case and step
    doubts: Mapping[str, Sequence[str]]  # open assignments by case
    arrived: Mapping[tuple[str, str], Sequence[Request]]  # by step and case


def audit(house: House, *ids: str, answered: bool = True) -> Outcome:
    """Compare the store and the sink, after the events under these ids were answered (or not) and have settled."""
    seen, found = _read(house), Outcome()
    if not answered:
        found.other.append("a webhook was never answered 2xx")
    for id in ids:
        for playbook, steps in STEPS.items():
            cases = seen.cases.get((id, playbook), ())
            if len(cases) != 1:
                (found.twice if cases else found.lost).append(f"{id}: {len(cases)} cases of {playbook}")
            for case in cases:
                _case(seen, found, case, steps, f"order {id}")
    if found.doubts:
        _shown(house, seen, found)
    return found


def _read(house: House) -> _Seen:
    cases, done, doubts = defaultdict(list), defaultdict(list), defaultdict(list)
    told = 'SELECT e.key, c.* FROM "case" c JOIN event e ON e.id = c.event_id WHERE e.connection = ?'
    for row in house.rows(told, CONNECTION):
        cases[row["key"], row["playbook"]].append(dict(row))
    for row in house.rows("SELECT case_id, step FROM journal WHERE state = 'done' ORDER BY id"):
        done[row["case_id"]].append(row["step"])
    for row in house.rows("SELECT case_id, id FROM assignment WHERE kind = 'doubt' AND state = 'open'"):
        doubts[row["case_id"]].append(row["id"])
    ledger = Counter(row[0] for row in house.rows("SELECT case_id FROM exchange"))
    states = house.rows("SELECT case_id, step, state FROM effect WHERE case_id IS NOT NULL")
    effects = {(row["case_id"], row["step"]): row["state"] for row in states}
    return _Seen(cases, done, ledger, effects, doubts, house.sink.arrived())


def _case(seen: _Seen, found: Outcome, row: Mapping[str, str], steps: Mapping[str, str], what: str) -> None:
    case, doubt = row["id"], row["status"] == "in_doubt"
    found.ended += not doubt
    found.doubts += doubt
    if not doubt and (row["status"], row["outcome"]) != ("ended", "done"):
        found.other.append(f"{what}: the case stands {row['status']} with outcome {row['outcome']}")
    done = list(seen.done.get(case, ()))
    wanted = [step for step, kind in steps.items() if not (doubt and kind == "once")]
    if done != wanted:
        missing = len(done) < len(wanted)
        (found.lost if missing else found.twice).append(f"{what}: steps done: {done}")
    for step, kind in steps.items():
        if kind == "inside":
            count = seen.ledger.get(case, 0)
            found.arrived[kind] += count
            if count != 1:
                (found.twice if count else found.lost).append(f"{what}: recorded {count} times in the ledger")
        else:
            _effect(seen, found, case, step, kind, what)
    if doubt and len(seen.doubts.get(case, ())) != 1:
        found.other.append(f"{what}: {len(seen.doubts.get(case, ()))} assignments show the doubt")


def _effect(seen: _Seen, found: Outcome, case: str, step: str, kind: str, what: str) -> None:
    """The sink's own file against what the class promises."""
    asked, state = seen.arrived.get((step, case), ()), seen.effects.get((case, step))
    found.arrived[kind] += bool(asked)
    found.again[kind] += max(0, len(asked) - 1)
    if not asked and (kind != "once" or state == "done"):
        found.lost.append(f"{what}: {step} stands {state} and never arrived")
    if kind in {"once", "checkable"} and len(asked) > 1:
        found.twice.append(f"{what}: {step} arrived {len(asked)} times")
    if kind == "keyed" and any(one["key"] != f"{case}/{step}" for one in asked):
        found.twice.append(f"{what}: {step} arrived without its key")
    if any(one["what"] != what for one in asked):
        found.other.append(f"{what}: {step} arrived with other words")
    if state in {"sending", "due"}:
        found.other.append(f"{what}: effect {step} was left {state}")


def _shown(house: House, seen: _Seen, found: Outcome) -> None:
    """A doubt is an open assignment, and people can see it."""
    said = house.command("work", "list")
    found.other += [f"digilog work list does not show {id}" for id in _all(seen.doubts) if id not in said]


def _all(doubts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    return (id for ids in doubts.values() for id in ids)
