"""One assignment behind its link: whoever holds the link may do that one piece of work."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from flows.people.assignments import CHECKED, AssignmentError, find, finish, person_of, skip
from flows.playbook.form import Refusal
from flows.web.body import Answers, Refused, answers, foreign, one
from flows.web.context import Context
from flows.web.inputs import inputs
from flows.web.page import after, page
from flows.web.piece import Piece, playbook_of, read
from flows.web.words import said

CAP = 256 * 1024
SEAL, PRESS, TICKED, MINUTES, NOTE, REASON = "_seal", "_press", "_ticked", "_minutes", "_note", "_reason"
AS_WRITTEN = "_as_written"
_LONGEST_NOTE = 4_000
_DAY = 1440  # minutes


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed into the page, kept when it is shown again."""

    values: Mapping[str, str]
    ticked: Sequence[str] = ()
    minutes: str = ""
    note: str = ""
    reason: str = ""
    as_written: str = ""  # yes | no


async def get(request: Request) -> Response:
    return _page(request, _assignment(request), Typed({}))


async def post(request: Request) -> Response:
    """Do or skip the assignment in one transaction, then show the same link, which now says thank you."""
    context: Context = request.app.state.context
    id = _assignment(request)
    found = await answers(request, CAP, context.patience)
    _same_page(request, one(found, SEAL))
    typed = typed_of(found)
    skips = one(found, PRESS) == "skip"
    refused = refused_of(typed, context, skips=skips)
    if refused:
        return _page(request, id, typed, refused, 422)
    try:
        refused = await context.writer.write(lambda session: act(session, context, id, typed, skips=skips))
    except AssignmentError as error:
        return _page(request, id, typed, [Refusal("", str(error))], 409)
    return _page(request, id, typed, refused, 422) if refused else after(request.url.path)


def act(
    session: Connection, context: Context, id: str, typed: Typed, *, skips: bool, who: str | None = None
) -> list[Refusal]:
    """Do or skip it. `who` acts; none: whoever the link was sent to. Raises AssignmentError."""
    book, now = context.world.book, context.world.clock.now()
    row = find(session, id)
    playbook = playbook_of(session, context, row)
    who = who or row["person"] or person_of(book, row["role"]) or row["role"]
    if skips:
        skip(session, playbook, id, who, typed.reason, now)
        return []
    given = {**typed.values, CHECKED: list(typed.ticked)}
    minutes = int(typed.minutes) if typed.minutes else None
    told, note = {"yes": True, "no": False}.get(typed.as_written), typed.note or None
    return finish(session, book, playbook, id, who, given, now, minutes=minutes, note=note, as_written=told)


def _assignment(request: Request) -> str:
    """The assignment of the link. Raises Refused (404) for a link that was not made here or is too old."""
    context: Context = request.app.state.context
    id = context.world.links.assignment(request.path_params["token"], context.world.clock.now())
    if id is None:
        raise Refused(404, context.words["link_dead"])
    return id


def typed_of(found: Answers) -> Typed:
    return Typed(
        values={name: values[0].strip() for name, values in found.items() if not name.startswith("_")},
        ticked=tuple(found.get(TICKED, ())),
        minutes=one(found, MINUTES).strip(),
        note=one(found, NOTE).strip()[:_LONGEST_NOTE],
        reason=one(found, REASON).strip()[:_LONGEST_NOTE],
        as_written=one(found, AS_WRITTEN),
    )


def refused_of(typed: Typed, context: Context, *, skips: bool) -> list[Refusal]:
    refused = []
    if skips and not typed.reason:
        refused.append(Refusal(REASON, context.words["skip_needed"]))
    if typed.minutes and not (
        typed.minutes.isascii() and typed.minutes.isdecimal() and len(typed.minutes) < 5 and int(typed.minutes) <= _DAY
    ):
        refused.append(Refusal(MINUTES, context.words["minutes_wrong"]))
    return refused


def _seal(request: Request) -> str:
    """What only a page that we made for this link holds."""
    context: Context = request.app.state.context
    told = f"page {request.path_params['token']}".encode()
    return hmac.new(context.world.links.key, told, hashlib.sha256).hexdigest()[:32]


def _same_page(request: Request, seal: str) -> None:
    """Raises Refused (403) for a form that another site's page sent."""
    context: Context = request.app.state.context
    if foreign(request) or not hmac.compare_digest(_seal(request).encode(), seal.encode()):
        raise Refused(403, context.words["not_here"])


def _page(request: Request, id: str, typed: Typed, refused: Sequence[Refusal] = (), status: int = 200) -> Response:
    context: Context = request.app.state.context
    try:
        with context.store.read() as session:
            piece = read(session, context, id)
    except AssignmentError:
        raise Refused(404, context.words["link_dead"]) from None
    if not piece.open:
        return page(request, "closed.html", status, piece=piece, told=context.words[f"was_{piece.row['state']}"])
    return page(
        request, "work.html", status, **shown(context, piece, typed, refused, (SEAL, _seal(request)), request.url.path)
    )


def shown(
    context: Context,
    piece: Piece,
    typed: Typed,
    refused: Sequence[Refusal],
    hidden: tuple[str, str],
    action: str,
) -> dict[str, object]:
    """What the template of a piece of work is filled with; `hidden`: name and value of what keeps other sites out."""
    company = context.world.book.company
    wrong = {one.field: said(one.sentence, "", company.language) for one in refused}
    return {
        "piece": piece,
        "typed": typed,
        "inputs": inputs(piece.fields, typed.values, refused, company, context.words),
        "wrong": {name: wrong.get(name) for name in (CHECKED, MINUTES, REASON)},
        "notice": wrong.get("") or (context.words["correct"] if refused else None),
        "hidden": hidden,
        "action": action,
    }
