"""Cases: by playbook, state and customer, the newest first, a page at a time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select, text
from starlette.responses import Response

from flows.playbook import contact
from flows.store import tables as t
from flows.store.read import Row, rows
from flows.web.board.ask import Ask
from flows.web.board.people import names
from flows.web.board.words.cases import CASES

SHOWN = 40
OPEN, FAILED, HELD, ENDED, ALL = "open", "failed", "held", "ended", "all"
STATES = (OPEN, FAILED, HELD, ENDED, ALL)
_c, _k = t.case.c, t.private_contact.c
_WHERE = {
    OPEN: text("status <> 'ended'"),  # as the indexes say it
    FAILED: text("failed"),
    HELD: text("held IS NOT NULL"),
    ENDED: text("status = 'ended'"),
}
_FEW = frozenset({FAILED, HELD})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"(\d{1,18})\.([a-z0-9]{1,40})")  # where a page ends: microseconds and id
_PARTIES = 50  # found by a search


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
    found, then = lines(session, ask, state, playbook=playbook if playbook in known else "", sought=sought)
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
    )


def lines(
    session: Connection, ask: Ask, state: str, *, playbook: str = "", sought: str = "", shown: int = SHOWN
) -> tuple[list[Line], str | None]:
    """A page of cases, and where the next one begins."""
    asked = _asked(state, playbook)
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


def customers(session: Connection, sought: str, country: str) -> Sequence[str]:
    """Ids of parties whose name begins so, or whose phone or e-mail it is (of a phone, its beginning will do)."""
    kinds = _k.party_kind.in_(("person", "company", "candidate", "employee"))
    ways = [and_(kinds, _k.kind == "name", _k.value >= sought, _k.value < sought + "\U0010ffff")]
    digits = re.sub(r"[\s()-]", "", sought)
    if "@" in sought:
        ways = [and_(kinds, _k.kind == "email", _k.value == sought.casefold())]
    elif re.fullmatch(r"\+?\d{3,15}", digits):
        begins = _phone(digits, country)
        ways = [and_(kinds, _k.kind == "phone", _k.value >= begins, _k.value < begins + "~")]
    found = select(_k.party_id).where(*ways).distinct().limit(_PARTIES)
    return [row["party_id"] for row in rows(session, found)]


def _phone(digits: str, country: str) -> str:
    """The beginning of a number in its one form."""
    try:
        return contact.phone(digits, country)
    except ValueError:
        return f"+82{digits[1:]}" if country == "KR" and digits[0] == "0" else digits


def _asked(state: str, playbook: str) -> Select[Any]:
    asked = select(t.case).order_by(_c.opened_at.desc(), _c.id.desc())
    if state in _WHERE:
        asked = asked.where(_WHERE[state])
    if playbook:
        # Few cases failed or are held, many have this playbook: the first index is to be walked, not the second.
        named = func.coalesce(_c.playbook, "") if state in _FEW else _c.playbook
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
