"""Cases: by playbook, state and customer, the newest first, a page at a time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select
from starlette.responses import Response

from flows.playbook.model import Playbook, Step
from flows.store import tables as t
from flows.store.read import Row, rows
from flows.web.board.ask import Ask
from flows.web.board.finding import customers
from flows.web.board.people import names
from flows.web.board.standing import at_step
from flows.web.board.states import ALL, FEW, OPEN, STATES, WHERE
from flows.web.board.words.cases import CASES

SHOWN = 40
_c = t.case.c
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"([0-9]{1,17})\.([a-z0-9]{1,40})")  # where a page ends: microseconds and id


@dataclass(frozen=True, slots=True)
class Line:
    """One case of a list; `customer` is private."""

    id: str
    customer: str
    playbook: str
    stands: str  # the step it is at, or how it ended
    state: str  # a key of the words
    opened: datetime


def get(ask: Ask, session: Connection) -> Response:
    state = ask.said("state") if ask.said("state") in STATES else OPEN
    playbook, sought = ask.said("playbook"), ask.said("q")[:100]
    known = ask.context.world.book.playbooks
    if sought and not ask.said("state"):
        state = ALL  # who looks for a customer wants all that they have
    step = _step(ask.said("step"), known.get(playbook))
    where = None
    if step is not None:
        state, where = OPEN, at_step(session, ask.context.world, playbook, step.id)
    playbook = playbook if playbook in known else ""
    found, then = lines(session, ask, state, playbook=playbook, sought=sought, where=where)
    return ask.page(
        "cases.html",
        CASES,
        lines=found,
        then=then,
        states=STATES,
        state=state,
        playbooks=[(name, one.title) for name, one in sorted(known.items())],
        playbook=playbook,
        sought=sought,
        step=step,
    )


def _step(id: str, playbook: Playbook | None) -> Step | None:
    return playbook.steps[playbook.index[id]] if playbook and id in playbook.index else None


def lines(
    session: Connection,
    ask: Ask,
    state: str,
    *,
    playbook: str = "",
    sought: str = "",
    shown: int = SHOWN,
    where: ColumnElement[bool] | None = None,
) -> tuple[list[Line], str | None]:
    """A page of cases, and where the next one begins. `where`: a further condition."""
    asked = _asked(state, playbook)
    if where is not None:
        asked = asked.where(where)
    if sought:
        country = ask.context.world.book.company.country
        asked = asked.where(or_(_c.id == sought, _c.party_id.in_(customers(session, sought, country))))
    if place := _PLACE.fullmatch(ask.said("before")):
        at = _EPOCH + timedelta(microseconds=int(place[1]))
        asked = asked.where(and_(_c.opened_at <= at, or_(_c.opened_at < at, _c.id < place[2])))
    found = rows(session, asked.limit(shown + 1))
    known = names(session, [row["party_id"] for row in found[:shown]])
    then = found[shown - 1] if len(found) > shown else None
    return [_line(session, ask, row, known) for row in found[:shown]], _place(then) if then else None


def of_parties(session: Connection, ask: Ask, id: str, parties: Sequence[str], shown: int) -> list[Line]:
    """The newest cases of some parties, and the case of this id."""
    asked = select(t.case).where(or_(_c.id == id, _c.party_id.in_(parties)))
    found = rows(session, asked.order_by(_c.opened_at.desc(), _c.id.desc()).limit(shown))
    known = names(session, [row["party_id"] for row in found])
    return [_line(session, ask, row, known) for row in found]


def _asked(state: str, playbook: str) -> Select[Any]:
    asked = select(t.case).order_by(_c.opened_at.desc(), _c.id.desc())
    if state in WHERE:
        asked = asked.where(WHERE[state])
    if playbook:
        # Few cases failed or are held, many have this playbook: the first index is to be walked, not the second.
        named = func.coalesce(_c.playbook, "") if state in FEW else _c.playbook
        asked = asked.where(named == playbook)
    return asked


def _line(session: Connection, ask: Ask, row: Row, known: dict[str, str]) -> Line:
    playbook = ask.context.world.pinned(session, row["version"])
    at_step = row["status"] != "ended" and row["step"] < len(playbook.steps)
    return Line(
        id=row["id"],
        customer=known.get(row["party_id"], row["period"] or ""),
        playbook=playbook.title,
        stands=playbook.steps[row["step"]].do if at_step else "",
        state=state_of(row),
        opened=row["opened_at"],
    )


def state_of(row: Row) -> str:
    """What a case's chip says: a key of the words."""
    if row["status"] == "ended":
        return f"outcome_{row['outcome']}" if row["outcome"] in {"done", "won", "lost"} else "ended"
    if row["held"] is not None:
        return "held"
    return "failed" if row["failed"] else str(row["status"])


def _place(row: Row) -> str:
    return f"{(row['opened_at'] - _EPOCH) // timedelta(microseconds=1)}.{row['id']}"
