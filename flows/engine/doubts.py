"""Calls of which nobody knows whether they happened: listed with what is known, settled by a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, or_, select

from flows.engine.operate import OperateError
from flows.engine.world import World
from flows.people import assignments
from flows.store import data as kept
from flows.store import tables as t
from flows.store.read import Row, first, rows
from flows.store.write import audit, change

_a, _e, _c = t.assignment.c, t.effect.c, t.case.c
_settled = t.assignment.alias().c


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is known of one call.

    `asked`: the assignment that asks it too; none for a notice to the own people, or when the case has ended.
    """

    effect: int
    use: str
    what: str
    case: str | None
    asked: str | None
    person: str | None
    sent: datetime
    reason: str
    arguments: Mapping[str, Any]


def doubts(session: Connection, world: World, limit: int | None = None) -> list[Doubt]:
    """All that nobody has settled yet, the oldest first; or the first of them."""
    return [_told(session, world, row) for row in rows(session, _open().limit(limit))]


def find(session: Connection, world: World, id: int) -> Doubt:
    """The doubt of this number. Raises OperateError if there is none, or it is settled."""
    row = first(session, _open().where(_e.id == id))
    if row is None:
        raise OperateError(f"there is no doubt {id}, or it is settled; see: digilog doubt")
    return _told(session, world, row)


def settle(session: Connection, world: World, id: int, happened: bool, who: str, reason: str | None) -> Doubt:
    """Write down what a person found at the service; never sends anything. The way is that of the assignment's page.

    Raises OperateError or AssignmentError if there is nothing to settle any more.
    """
    doubt, now = find(session, world, id), world.clock.now()
    if doubt.asked:
        row = assignments.find(session, doubt.asked)
        answers = {"happened": "yes" if happened else "no"}
        assignments.finish(session, world.book, None, row["id"], who, answers, now, note=reason)
    else:
        change(session, t.effect, id, state="done" if happened else "failed", reason=f"settled by {who}")
    what, after = ("happened", "done") if happened else ("did not happen", "failed")
    audit(session, who, what, f"effect {id}", now, reason, before="in_doubt", after=after)
    return doubt


def _open() -> Select[Any]:
    asked = and_(
        _a.case_id == _e.case_id, _a.step == _e.step, _a.kind == "doubt", _a.state.in_(assignments.OPEN)
    )  # fmt: skip
    settled = exists().where(
        _settled.case_id == _e.case_id, _settled.step == _e.step, _settled.kind == "doubt", _settled.state == "done"
    )
    ended = and_(_c.status == "ended", ~settled)  # a case that was stopped asks nobody any more
    return (
        select(t.effect, t.private_effect.c.arguments, _a.id.label("asked"), _a.person, _c.version)
        .select_from(t.effect.outerjoin(t.private_effect).outerjoin(t.case).outerjoin(t.assignment, asked))
        .where(_e.state == "in_doubt", or_(_e.case_id.is_(None), _a.id.is_not(None), ended))
        .order_by(_e.id)
    )


def _told(session: Connection, world: World, row: Row) -> Doubt:
    return Doubt(
        effect=row["id"],
        use=f"{row['connection']}.{row['action']}",
        what=_what(session, world, row),
        case=row["case_id"],
        asked=row["asked"],
        person=row["person"],
        sent=row["unclear_since"] or row["started_at"] or row["made_at"],
        reason=row["reason"] or "",
        arguments=kept.load(row["arguments"]) if row["arguments"] else {},  # erased when their time is over
    )


def _what(session: Connection, world: World, row: Row) -> str:
    if row["case_id"] is None:
        return "a notice to your own people"
    playbook = world.pinned(session, row["version"])
    return str(playbook.steps[playbook.index[row["step"]]].do)
