"""What must be true after a kill: nothing lost, nothing twice where that matters, and doubt is shown."""

import json
import subprocess
import sys
from dataclasses import dataclass

from tests.sweep.company import CONNECTION, STEPS
from tests.sweep.house import House


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out: `ended`, or `in doubt`; and what is wrong about it."""

    state: str
    wrong: tuple[str, ...] = ()


def audit(house: House, id: str, *, answered: bool) -> Outcome:
    """Compare the store and the sink, after one event under `id` was answered (or not) and has settled."""
    cases = house.rows('SELECT c.id, c.status, c.outcome FROM "case" c JOIN event e ON e.id = c.event_id '
                       "WHERE e.connection = ? AND e.key = ?", CONNECTION, id)  # fmt: skip
    if len(cases) != 1:
        return Outcome("lost", (f"answered 2xx: {answered}, cases: {len(cases)}",))
    case, doubt = cases[0]["id"], cases[0]["status"] == "in_doubt"
    wrong = [*_steps(house, case, doubt=doubt), *_ledger(house, case), *_effects(house, case, id)]
    if not answered:
        wrong.append("the webhook was never answered 2xx")
    if doubt:
        wrong += _shown(house, case)
    elif cases[0]["status"] != "ended" or cases[0]["outcome"] != "done":
        wrong.append(f"the case stands {cases[0]['status']} with outcome {cases[0]['outcome']}")
    return Outcome("in doubt" if doubt else "ended", tuple(wrong))


def _steps(house: House, case: str, *, doubt: bool) -> list[str]:
    lines = house.rows("SELECT step, state FROM journal WHERE case_id = ? ORDER BY id", case)
    done = [line["step"] for line in lines if line["state"] == "done"]
    wanted = [step for step, kind in STEPS.items() if not (doubt and kind == "once")]
    return [] if done == wanted else [f"steps done: {done}"]


def _ledger(house: House, case: str) -> list[str]:
    count = len(house.rows("SELECT id FROM exchange WHERE case_id = ?", case))
    return [] if count == 1 else [f"recorded {count} times in the ledger"]


def _effects(house: House, case: str, id: str) -> list[str]:
    """The sink's own file against what each class promises."""
    wrong = []
    for step, kind in STEPS.items():
        asked = [one for one in house.sink.asked(step) if json.loads(one["body"]) == {"what": f"order {id}"}]
        if kind in {"repeat", "keyed"} and not asked:
            wrong.append(f"{step} never arrived")
        if len(different := {(one["key"], one["path"], one["body"]) for one in asked}) > 1:
            wrong.append(f"{step} arrived as different requests: {sorted(map(str, different))}")
        if kind == "keyed" and any(one["key"] != f"{case}/{step}" for one in asked):
            wrong.append(f"{step} arrived without its key")
        if kind == "once" and len(asked) > 1:
            wrong.append(f"{step} arrived {len(asked)} times")
        state = [row[0] for row in house.rows("SELECT state FROM effect WHERE case_id = ? AND step = ?", case, step)]
        if kind == "once" and state == ["done"] and len(asked) != 1:
            wrong.append(f"{step} is written down as done and arrived {len(asked)} times")
    left = house.rows("SELECT key FROM effect WHERE state IN ('sending', 'due')")
    return wrong + [f"effect {row['key']} was left behind" for row in left if row["key"].startswith(case)]


def _shown(house: House, case: str) -> list[str]:
    """A doubt is an open assignment, and people can see it."""
    open_ = house.rows("SELECT id FROM assignment WHERE case_id = ? AND kind = 'doubt' AND state = 'open'", case)
    if len(open_) != 1:
        return [f"{len(open_)} assignments show the doubt"]
    command = [sys.executable, "-m", "flows.cli", "work", "list", "--home", str(house.home)]
    command += ["--playbooks", str(house.home / "company")]
    said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return [] if open_[0]["id"] in said.stdout else [f"digilog work list does not show it: {said.stderr.strip()}"]
