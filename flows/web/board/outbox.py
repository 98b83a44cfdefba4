"""Outbox: what went to whom, by which medium and with which outcome; and what was kept back, with its reason."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, or_, select, text
from starlette.responses import Response

from flows.engine.letter import USE
from flows.playbook.model import Playbook
from flows.store import data
from flows.store import tables as t
from flows.store.read import Row, first, rows
from flows.web.board.ask import Ask
from flows.web.board.people import names
from flows.web.board.words.outbox import OUTBOX
from flows.web.body import Refused

SHOWN = 40
VIEWS = ("customers", "team", "unsent")
_e, _p, _j, _c = t.effect.c, t.private_effect.c, t.journal.c, t.case.c
_MESSAGE, _NOTICE = text("message IS NOT NULL"), text("message IS NULL AND action = 'send'")  # as the indexes say it
_UNSENT = text("message IS NOT NULL AND coalesce(state, '') IN ('failed', 'cancelled', 'in_doubt', 'dropped')")
_KEPT_BACK = text("state IN ('blocked', 'dropped', 'handed')")
_TOLD_BY_EFFECT = "too late: not sent after its time"  # the message itself is in the list
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(
    r"([0-9]{1,17})(?:\.([ej])\.([0-9]{1,18}))?"
)  # an effect; or a moment, and the last one of that moment
_BAD = frozenset({"failed", "in_doubt", "blocked"})
_TITLE = 60  # signs
_MEDIUMS = ("sms", "lms", "alimtalk", "email")


@dataclass(frozen=True, slots=True)
class Line:
    """One message. `what` and `to` are private; `mark`: failed | held | assigned | outcome_done | empty."""

    at: datetime
    what: str
    to: str
    by: str
    outcome: str  # a key of the words
    mark: str
    why: str
    place: str
    effect: int | None = None  # its own page
    case: str | None = None


def get(ask: Ask, session: Connection) -> Response:
    view = ask.said("view") if ask.said("view") in VIEWS else VIEWS[0]
    found = _unsent(session, ask) if view == "unsent" else _sent(session, ask, view)
    then = found[SHOWN - 1].place if len(found) > SHOWN else None
    return ask.page("outbox.html", OUTBOX, views=VIEWS, view=view, lines=found[:SHOWN], then=then)


def one(ask: Ask, session: Connection) -> Response:
    """One message with its words."""
    number = ask.request.path_params["id"]
    row = None
    if number.isascii() and number.isdecimal() and len(number) < 19:
        asked = select(t.effect, _p.arguments).outerjoin(t.private_effect).where(_e.id == int(number))
        row = first(session, asked.where(_e.action == "send"))
    if row is None:
        raise Refused(404, ask.words()["nothing"])
    sent: dict[str, Any] = data.load(row["arguments"]) if row["arguments"] else {}
    line = _line(ask, row, names(session, [row["party_id"]]))
    return ask.page("message.html", OUTBOX, line=line, row=row, gone=row["arguments"] is None, sent=sent)


def _sent(session: Connection, ask: Ask, view: str) -> list[Line]:
    asked = select(t.effect, _p.arguments).outerjoin(t.private_effect).order_by(_e.id.desc())
    asked = asked.where(_MESSAGE if view == "customers" else _NOTICE)
    if place := _PLACE.fullmatch(ask.said("before")):
        asked = asked.where(_e.id < int(place[1]))
    found = rows(session, asked.limit(SHOWN + 1))
    known = names(session, [row["party_id"] for row in found])
    return [_line(ask, row, known) for row in found]


def _line(ask: Ask, row: Row, known: dict[str, str]) -> Line:
    sent: dict[str, Any] = data.load(row["arguments"]) if row["arguments"] else {}
    outcome = f"sent_{row['state']}"
    return Line(
        at=row["ended_at"] or row["started_at"] or row["made_at"],
        what=_title(sent) or row["message"] or f"{row['connection']}.{row['action']}",
        to=_to(ask, row, sent, known),
        by=_by(ask, str(sent.get("medium", "")), row["connection"]),
        outcome=outcome if outcome in OUTBOX else "sent_failed",
        mark=_mark(row["state"]),
        why=ask.say.why(row["reason"]) if row["state"] != "done" else "",
        place=str(row["id"]),
        effect=row["id"],
        case=row["case_id"],
    )


def _title(sent: dict[str, Any]) -> str:
    """The subject, or the first line of what was sent, cut."""
    said = str(sent.get("subject") or sent.get("text") or "").strip().partition("\n")[0]
    return said if len(said) <= _TITLE else said[:_TITLE] + "…"


def _to(ask: Ask, row: Row, sent: dict[str, Any], known: dict[str, str]) -> str:
    where = ask.say.phone(str(sent.get("to", "")))[:80]
    name = known.get(row["party_id"] or "", "")
    return " · ".join(dict.fromkeys(one for one in (name, where) if one))


def _by(ask: Ask, medium: str, connection: str) -> str:
    said = ask.words(OUTBOX).get(f"medium_{medium}", "") if medium in _MEDIUMS else ""
    return f"{said} · {connection}" if said else connection


def _mark(state: str) -> str:
    if state in _BAD:
        return "failed"
    return {"done": "outcome_done", "cancelled": "held", "dropped": "held", "handed": "assigned"}.get(state, "ready")


def _unsent(session: Connection, ask: Ask) -> list[Line]:
    """Messages that did not leave, and steps that were kept back: one list by time, the newest first."""
    place = _PLACE.fullmatch(ask.said("before"))
    at = _EPOCH + timedelta(microseconds=int(place[1])) if place and place[2] else None
    last = int(place[3]) if place and place[2] else 0
    kind = place[2] if place else None
    effects = select(t.effect, _p.arguments).outerjoin(t.private_effect).where(_UNSENT)
    effects = effects.order_by(_e.made_at.desc(), _e.id.desc())
    lines = select(t.journal).where(_KEPT_BACK, or_(_j.reason.is_(None), _j.reason != _TOLD_BY_EFFECT))
    lines = lines.order_by(_j.at.desc(), _j.id.desc())
    if at is not None:  # of one moment, messages come before steps
        same = _e.id < last if kind == "e" else _e.id < 0
        effects = effects.where(and_(_e.made_at <= at, or_(_e.made_at < at, same)))
        same = _j.id < last if kind == "j" else _j.id > 0
        lines = lines.where(and_(_j.at <= at, or_(_j.at < at, same)))
    left, back = rows(session, effects.limit(SHOWN + 1)), rows(session, lines.limit(SHOWN + 1))
    known, whose = _names_of(session, left, back)
    told = [(row["made_at"], 1, row["id"], _effect_line(ask, row, known)) for row in left]
    told += [(row["at"], 0, row["id"], _step_line(session, ask, row, whose, known)) for row in back]
    told.sort(key=lambda one: one[:3], reverse=True)
    return [one[3] for one in told[: SHOWN + 1]]


def _names_of(session: Connection, left: list[Row], back: list[Row]) -> tuple[dict[str, str], dict[str, str]]:
    """Names by party, and the party of each case of the journal's lines."""
    asked = select(_c.id, _c.party_id).where(_c.id.in_(sorted({row["case_id"] for row in back})))
    whose = {row["id"]: row["party_id"] or "" for row in rows(session, asked)} if back else {}
    return names(session, [*(row["party_id"] for row in left), *whose.values()]), whose


def _effect_line(ask: Ask, row: Row, known: dict[str, str]) -> Line:
    line = _line(ask, row, known)
    micro = (row["made_at"] - _EPOCH) // timedelta(microseconds=1)
    return Line(
        row["made_at"], line.what, line.to, line.by, line.outcome, line.mark, line.why, f"{micro}.e.{row['id']}",
        line.effect, line.case,
    )  # fmt: skip


def _step_line(session: Connection, ask: Ask, row: Row, whose: dict[str, str], known: dict[str, str]) -> Line:
    playbook = ask.context.world.pinned(session, row["version"])
    micro = (row["at"] - _EPOCH) // timedelta(microseconds=1)
    return Line(
        at=row["at"],
        what=_does(playbook, row["step"]),
        to=known.get(whose.get(row["case_id"], ""), ""),
        by=_medium_of(ask, playbook, row["step"]),
        outcome=f"was_{row['state']}",
        mark=_mark(row["state"]),
        why=ask.say.why(row["reason"]),
        place=f"{micro}.j.{row['id']}",
        case=row["case_id"],
    )


def _does(playbook: Playbook, step: str | None) -> str:
    return playbook.steps[playbook.index[step]].do if step and step in playbook.index else playbook.title


def _medium_of(ask: Ask, playbook: Playbook, id: str | None) -> str:
    """How the step would have told the customer, or what it would have called."""
    step = playbook.steps[playbook.index[id]] if id and id in playbook.index else None
    use = step.use or "" if step else ""
    named = step.arguments.get("message") if step and use == USE else None
    message = ask.context.world.book.messages.get(str(getattr(named, "source", named)))
    said = ask.words(OUTBOX)
    if use == "team.notify":
        return said["view_team"]
    return said.get(f"medium_{message.medium}", message.medium) if message else use
