"""One assignment behind its link: whoever holds the link may do that one piece of work."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from flows.people.assignments import CHECKED, AssignmentError, find, finish, person_of, skip
from flows.playbook.form import Refusal
from flows.web.body import Answers, Refused, answers, one
from flows.web.context import Context
from flows.web.inputs import inputs
from flows.web.page import after, page
from flows.web.piece import Piece, playbook_of, read
from flows.web.words import said

CAP = 256 * 1024
SEAL, PRESS, TICKED, MINUTES, NOTE, REASON = "_seal", "_press", "_ticked", "_minutes", "_note", "_reason"
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


async def get(request: Request) -> Response:
    return _page(request, _assignment(request), Typed({}))


async def post(request: Request) -> Response:
    """Do or skip the assignment in one transaction, then show the same link, which now says thank you."""
    context: Context = request.app.state.context
    id = _assignment(request)
    found = await answers(request, CAP, context.patience)
    _same_page(request, one(found, SEAL))
    typed = _typed(found)
    skips = one(found, PRESS) == "skip"
    refused = _refused(typed, context, skips=skips)
    if refused:
        return _page(request, id, typed, refused, 422)
    try:
        refused = await context.writer.write(lambda session: _act(session, context, id, typed, skips=skips))
    except AssignmentError as error:
        return _page(request, id, typed, [Refusal("", str(error))], 409)
    return _page(request, id, typed, refused, 422) if refused else after(request.url.path)


def _act(session: Connection, context: Context, id: str, typed: Typed, *, skips: bool) -> list[Refusal]:
    book, now = context.world.book, context.world.clock.now()
    row = find(session, id)
    playbook = playbook_of(session, context, row)
    who = row["person"] or person_of(book, row["role"]) or row["role"]
    if skips:
        skip(session, playbook, id, who, typed.reason, now)
        return []
    given = {**typed.values, CHECKED: list(typed.ticked)}
    minutes = int(typed.minutes) if typed.minutes else None
    return finish(session, book, playbook, id, who, given, now, minutes=minutes, note=typed.note or None)


def _assignment(request: Request) -> str:
    """The assignment of the link. Raises Refused (404) for a link that was not made here or is too old."""
    context: Context = request.app.state.context
    id = context.world.links.assignment(request.path_params["token"], context.world.clock.now())
    if id is None:
        raise Refused(404, context.words["link_dead"])
    return id


def _typed(found: Answers) -> Typed:
    return Typed(
        values={name: values[0].strip() for name, values in found.items() if not name.startswith("_")},
        ticked=tuple(found.get(TICKED, ())),
        minutes=one(found, MINUTES).strip(),
        note=one(found, NOTE).strip()[:_LONGEST_NOTE],
        reason=one(found, REASON).strip()[:_LONGEST_NOTE],
    )


def _refused(typed: Typed, context: Context, *, skips: bool) -> list[Refusal]:
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
    site = request.headers.get("sec-fetch-site", "none")
    # With our Referrer-Policy browsers say `Origin: null` even for our own pages; the seal decides then.
    origin = request.headers.get("origin", "null")
    foreign = origin != "null" and urlsplit(origin).netloc != request.headers.get("host")
    if (
        site not in {"none", "same-origin"}
        or foreign
        or not hmac.compare_digest(_seal(request).encode(), seal.encode())
    ):
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
    return page(request, "work.html", status, **_shown(request, piece, typed, refused))


def _shown(request: Request, piece: Piece, typed: Typed, refused: Sequence[Refusal]) -> dict[str, object]:
    context: Context = request.app.state.context
    company = context.world.book.company
    wrong = {one.field: said(one.sentence, "", company.language) for one in refused}
    return {
        "piece": piece,
        "typed": typed,
        "inputs": inputs(piece.fields, typed.values, refused, company, context.words),
        "wrong": {name: wrong.get(name) for name in (CHECKED, MINUTES, REASON)},
        "notice": wrong.get("") or (context.words["correct"] if refused else None),
        "seal": _seal(request),
        "action": request.url.path,
    }
