"""Where the open cases of a playbook stand: at which step, how many, and how many of them failed or are held."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, false, func, or_, select

from flows.engine.world import World
from flows.playbook.model import Playbook, Step
from flows.store import tables as t
from flows.store.read import rows
from flows.web.board.states import FAILED, FEW, HELD, OPEN, WHERE

_c = t.case.c
Places = Mapping[tuple[str, int], int]  # cases by version and place among its steps


@dataclass(frozen=True, slots=True)
class Stand:
    """The cases at one step. `gone`: only an older version has that step."""

    step: str  # its id; empty behind the last one
    do: str
    cases: int
    failed: int
    held: int
    gone: bool


def standing(session: Connection, world: World, playbook: Playbook) -> list[Stand]:
    """In the order of the playbook's steps; steps of older versions stand last."""
    cases, failed, held = (_by_step(session, world, playbook, state) for state in (OPEN, FAILED, HELD))
    found = [
        Stand(step, do, count, failed[step, do], held[step, do], bool(step) and step not in playbook.index)
        for (step, do), count in cases.items()
    ]
    return sorted(found, key=lambda one: (playbook.index.get(one.step, len(playbook.steps)), one.do))


def open_by_version(session: Connection, playbook: str) -> Counter[str]:
    """How many open cases each version has."""
    found: Counter[str] = Counter()
    for (version, _), count in _counted(session, playbook, OPEN).items():
        found[version] += count
    return found


def at_step(session: Connection, world: World, playbook: str, step: str) -> ColumnElement[bool]:
    """Holds for the open cases that stand at this step, whatever their version."""
    wanted = [
        and_(_c.version == version, _c.step == place)
        for version, place in _counted(session, playbook, OPEN)
        if (found := _step(world.pinned(session, version), place)) is not None and found.id == step
    ]
    return or_(false(), *wanted)


def _counted(session: Connection, playbook: str, state: str) -> Places:
    # Few cases failed or are held: their index is to be walked, not the playbook's.
    named = func.coalesce(_c.playbook, "") if state in FEW else _c.playbook
    asked = select(_c.version, _c.step, func.count().label("cases")).where(WHERE[state], named == playbook)
    return {(row["version"], row["step"]): row["cases"] for row in rows(session, asked.group_by(_c.version, _c.step))}


def _by_step(session: Connection, world: World, playbook: Playbook, state: str) -> Counter[tuple[str, str]]:
    """Summed over versions by a step's id, and its sentence as the playbook says it now, if it still has it."""
    found: Counter[tuple[str, str]] = Counter()
    for (version, place), count in _counted(session, playbook.playbook, state).items():
        step = _step(world.pinned(session, version), place)
        if step is not None and step.id in playbook.index:
            step = playbook.steps[playbook.index[step.id]]
        found[(step.id, step.do) if step else ("", "")] += count
    return found


def _step(playbook: Playbook, place: int) -> Step | None:
    return playbook.steps[place] if place < len(playbook.steps) else None
