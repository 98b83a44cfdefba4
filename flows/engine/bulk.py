"""Many due effects of one action as one call: itself an effect, which its members refer to and share the outcome of.

While one such call is under way the next effects gather: the first leaves at once, under load a hundred go together.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from connectors.errors import ConnectorError, NotConnected, Rejected
from flows.engine.world import World
from flows.store import data as kept
from flows.store import tables as t
from flows.store.prepared import Prepared
from flows.store.read import Row
from flows.store.write import add, change, new_id

CLASS = "bulk"  # the effect class of the call itself
MOST = 100  # effects in one call, unless its action says `at_once`
Use = tuple[str, str]  # connection and action
_e = t.effect.c
_UNDERWAY = Prepared(
    select(_e.id)
    .where(_e.state == "sending", _e.connection == bindparam("connection"), _e.action == bindparam("action"))
    .limit(1)
)
_MEMBERS = Prepared(select(t.effect).where(_e.state == "sending", _e.bulk_id == bindparam("bulk")).order_by(_e.id))


def uses(world: World, found: Iterable[Row]) -> dict[Use, str]:
    """The bulk action of each use among due effects that has one. Who was refused in company goes alone."""
    if world.simulated:  # a test pins answers to the actions that its playbook names
        return {}
    asked = {(row["connection"], row["action"]) for row in found if row["bulk_id"] is None}
    return {use: bulk for use in asked if (bulk := _bulk(world, use))}


def _bulk(world: World, use: Use) -> str | None:
    try:
        return world.action(".".join(use)).bulk
    except (NotConnected, KeyError):  # taken out of the company, or of its connector: the call will say so
        return None


def underway(session: Connection, use: Use) -> bool:
    return _UNDERWAY.first(session, connection=use[0], action=use[1]) is not None


def mark(
    session: Connection, members: list[Row], action: str, claimer: str, now: datetime
) -> tuple[int, str, list[object]]:
    """Mark the members `sending`, and make the one call. Returns its id, its key and the members' arguments."""
    members = sorted(members, key=lambda row: row["id"])  # as `_MEMBERS` reads them: results go back by place
    connection, key = members[0]["connection"], f"bulk/{new_id()}"
    facts = {"connection": connection, "action": action, "effect_class": CLASS, "attempt": 1, "claimer": claimer}
    made: int = add(session, t.effect, key=key, state="sending", made_at=now, started_at=now, **facts)
    same = {"state": "sending", "started_at": now, "next_at": None, "bulk_id": made, "claimer": claimer}
    for row in members:
        change(session, t.effect, row["id"], attempt=row["attempt"] + 1, **same)
    return made, key, [kept.load(row["arguments"]) for row in members]


def share(
    session: Connection, row: Row, result: object, error: ConnectorError | None, now: datetime
) -> list[tuple[Row, object]]:
    """End the one call. Returns each member with what is its own of the result.

    Refused: one member may be the cause, so nobody shares it; all go again, each alone.
    """
    members = _MEMBERS.rows(session, bulk=row["id"])
    state, reason = ("failed", error.reason) if error else ("done", None)
    change(session, t.effect, row["id"], state=state, ended_at=now, reason=reason)
    if error is None:
        own = result if isinstance(result, list) and len(result) == len(members) else [None] * len(members)
        return list(zip(members, own, strict=True))
    if isinstance(error, Rejected):
        alone(session, members, now)
        return []
    for member in members:  # it may go in company again
        change(session, t.effect, member["id"], bulk_id=None)
    return [(member, None) for member in members]


def split(session: Connection, row: Row, fault: str, now: datetime) -> None:
    """Its answer cannot be kept: all go again, each alone."""
    change(session, t.effect, row["id"], state="failed", ended_at=now, reason=fault)
    alone(session, _MEMBERS.rows(session, bulk=row["id"]), now)


def alone(session: Connection, members: list[Row], now: datetime) -> None:
    """Make members due again that keep the number of their call, so that they are not gathered once more."""
    for member in members:
        change(session, t.effect, member["id"], state="due", next_at=now)
