"""Quarantine: what came in and nobody could act on. It is read, taken once more, or discarded with a reason."""

import json
import re
from dataclasses import dataclass

from sqlalchemy import Connection, select, text
from starlette.responses import Response

from flows.engine import operate, starting
from flows.engine.operate import OperateError
from flows.store import tables as t
from flows.store.read import Row, first, rows
from flows.web.board.ask import Ask
from flows.web.board.refusals import refused
from flows.web.board.words.quarantine import QUARANTINE
from flows.web.body import Refused
from flows.web.page import after

SHOWN = 40
VIEWS = ("quarantined", "unconfirmed", "discarded")
LONGEST = 6_000  # signs of a body: even all of them written as `&#39;` make no page of more than 60 KB
_AUDITED = 10
_TOLD = frozenset({"discarded", "opened", "noted", "taken", "asked"})
_ASIDE = text("state IN ('quarantined', 'discarded', 'unconfirmed')")  # as the index says it
_NUMBER = re.compile(r"[0-9]{1,18}")
_v, _p, _u = t.event.c, t.private_event.c, t.audit.c


@dataclass(frozen=True, slots=True)
class Wrong:
    """What was typed with an act that was refused."""

    act: str = ""
    reason: str = ""
    sentence: str = ""


def get(ask: Ask, session: Connection) -> Response:
    view = ask.said("view") if ask.said("view") in VIEWS else VIEWS[0]
    asked = select(t.event).where(_ASIDE, _v.state == view).order_by(_v.id.desc()).limit(SHOWN + 1)
    if _NUMBER.fullmatch(ask.said("before")):
        asked = asked.where(_v.id < int(ask.said("before")))
    found = rows(session, asked)
    told = ask.said("told")
    return ask.page(
        "quarantine.html",
        QUARANTINE,
        views=VIEWS,
        view=view,
        lines=found[:SHOWN],
        then=found[SHOWN - 1]["id"] if len(found) > SHOWN else None,
        told=told if told in _TOLD else None,
    )


def one(ask: Ask, session: Connection) -> Response:
    return _page(ask, session, Wrong())


async def post(ask: Ask) -> Response:
    """Take an event once more, or discard it."""
    id, act, reason = _number(ask), ask.said("_press"), ask.said("reason")[:1000]
    if act not in {"replay", "discard"}:
        raise Refused(404, ask.words()["nothing"])
    if act == "discard" and not reason:
        wrong = Wrong(act, "", ask.words(QUARANTINE)["reason_needed"])
        return await ask.read(lambda session: _page(ask, session, wrong, 422))
    try:
        if act == "discard":
            await ask.write(lambda session: operate.discard(session, id, ask.user.name, reason, ask.now))
            return after("/quarantine?told=discarded")
        told, why = await ask.write(lambda session: _replay(session, ask, id))
    except OperateError as error:
        wrong = Wrong("", reason, refused(error, ask))
        return await ask.read(lambda session: _page(ask, session, wrong, 409))
    if told == "still":
        wrong = Wrong("", "", ask.words(QUARANTINE)["still_here"].format(ask.say.why(why)))
        return await ask.read(lambda session: _page(ask, session, wrong))
    return after(f"/quarantine?told={told}")


def _replay(session: Connection, ask: Ask, id: int) -> tuple[str, str]:
    """What came of it: a key of the words, and why nothing did."""
    row = _row(session, id)
    if row is None or row["state"] not in VIEWS:
        raise OperateError(f"event {id} is not in quarantine any more; it is {row['state'] if row else 'gone'}")
    begun = starting.replay(session, ask.context.world, id, ask.user.name)
    if begun.opened or begun.noted:
        return "opened" if begun.opened else "noted", ""
    now = _row(session, id)
    match now["state"] if now else "":
        case "unconfirmed":
            return "asked", ""
        case "quarantined":
            return "still", begun.reason or ""
    return "taken", ""


def _page(ask: Ask, session: Connection, wrong: Wrong, status: int = 200) -> Response:
    id = _number(ask)
    row = _row(session, id)
    if row is None or (row["state"] not in VIEWS and not wrong.sentence):
        raise Refused(404, ask.words()["nothing"])
    kept = first(session, select(_p.body, _p.headers).where(_p.event_id == id))
    body = readable(kept["body"]) if kept else ""
    audited = select(t.audit).where(_u.subject == str(id), _u.what.in_(("replay", "discard")))
    return ask.page(
        "event.html",
        QUARANTINE,
        status,
        row=row,
        body=body[:LONGEST] if kept else None,
        cut=len(body) > LONGEST,
        longest=LONGEST,
        headers=list(json.loads(kept["headers"]).items())[:20] if kept else [],
        audited=rows(session, audited.order_by(_u.id.desc()).limit(_AUDITED)),
        aside=row["state"] in VIEWS,
        wrong=wrong,
    )


def readable(raw: bytes) -> str:
    """A body as people can read it: JSON set out in lines, anything else as it is."""
    said = raw.decode("utf-8", "replace")
    if len(raw) > 16 * LONGEST:
        return said
    try:
        return json.dumps(json.loads(said), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return said


def _row(session: Connection, id: int) -> Row | None:
    return first(session, select(t.event).where(_v.id == id))


def _number(ask: Ask) -> int:
    id = ask.request.path_params["id"]
    if not _NUMBER.fullmatch(id):
        raise Refused(404, ask.words()["nothing"])
    return int(id)
