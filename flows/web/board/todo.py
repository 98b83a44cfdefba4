"""Open assignments as a list shows them: the nearest due first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select, text

from flows.engine.world import World
from flows.people.assignments import sentence
from flows.store import tables as t
from flows.store.read import Row, rows
from flows.web.board.people import names

SHOWN = 40
_a, _c = t.assignment.c, t.case.c
_TO_DO = text("assignment.state IN ('open', 'claimed')")  # as the index says it


@dataclass(frozen=True, slots=True)
class Todo:
    """One line: what, for which customer (private), who, and until when (UTC)."""

    id: str
    do: str
    playbook: str
    customer: str
    person: str  # a person's or a role's id
    due: datetime | None
    kind: str
    late: bool


def todos(session: Connection, world: World, person: str | None, shown: int = SHOWN) -> list[Todo]:
    """The open assignments of a person (none: of all) but doubts; at most `shown`, those without a due time last."""
    found = [*rows(session, _asked(person, due=True).limit(shown))]
    if len(found) < shown:
        found += rows(session, _asked(person, due=False).limit(shown - len(found)))
    known = names(session, [row["party_id"] for row in found])
    return [_line(session, world, row, known) for row in found]


def open_ones(session: Connection, person: str | None) -> int:
    """How many there are."""
    counted = select(func.count()).select_from(t.assignment).where(_TO_DO, _a.kind != "doubt", *_of(person))
    return int(session.execute(counted).scalar_one())


def _asked(person: str | None, *, due: bool) -> Select[Any]:
    known = _a.due_at.is_not(None) if due else _a.due_at.is_(None)
    return (
        select(t.assignment, _c.party_id, _c.version)
        .outerjoin(t.case)
        .where(_TO_DO, _a.kind != "doubt", known, *_of(person))
        .order_by(_a.due_at, _a.id)
    )


def _of(person: str | None) -> list[Any]:
    return [] if person is None else [_a.person == person]


def _line(session: Connection, world: World, row: Row, known: dict[str, str]) -> Todo:
    playbook = world.pinned(session, row["version"]) if row["version"] else None
    return Todo(
        id=row["id"],
        do=sentence(row, playbook),
        playbook=playbook.title if playbook else "",
        customer=known.get(row["party_id"], ""),
        person=row["person"] or row["role"],
        due=row["due_at"],
        kind=row["kind"],
        late=row["due_at"] is not None and row["due_at"] < world.clock.now(),
    )


def has_work(session: Connection, person: str) -> bool:
    """Whether anything open is this person's."""
    return session.execute(select(_a.id).where(_TO_DO, _a.person == person).limit(1)).first() is not None
