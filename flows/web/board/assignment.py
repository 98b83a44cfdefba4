"""One assignment on the board: done, skipped or handed over by whoever is logged in."""

from collections.abc import Sequence

from sqlalchemy import Connection
from starlette.responses import Response

from flows.people.assignments import AssignmentError, find
from flows.people.notices import hand_over
from flows.playbook.form import Refusal
from flows.store.read import Row
from flows.web.board.ask import TOKEN, Ask
from flows.web.board.refusals import refused
from flows.web.board.words.assignment import ASSIGNMENT
from flows.web.body import Refused
from flows.web.page import after
from flows.web.piece import finding_of, page_of, playbook_of, read
from flows.web.work import PRESS, Typed, act, refused_of, shown, typed_of

_TOLD = {"skip": "skipped", "hand": "handed"}


def get(ask: Ask, session: Connection) -> Response:
    return _page(ask, session, Typed({}))


async def post(ask: Ask) -> Response:
    """One act on it. Who comes late or presses twice is told kindly who was first."""
    press, typed = ask.said(PRESS), typed_of(ask.form)
    wrong = _wrong(ask, press, typed)
    if not wrong:
        try:
            wrong = await ask.write(lambda session: _do(session, ask, press, typed))
        except AssignmentError as error:
            told = [Refusal("", refused(error, ask))]
            return await ask.read(lambda session: _page(ask, session, typed, told, 409))
    if wrong:
        return await ask.read(lambda session: _page(ask, session, typed, wrong, 422))
    return after(f"/?told={_TOLD.get(press, 'done')}")


def _wrong(ask: Ask, press: str, typed: Typed) -> list[Refusal]:
    if press == "hand":
        known = ask.context.world.book.company.people
        missing = not typed.reason or ask.said("_to") not in known
        return [Refusal("_to", ask.words(ASSIGNMENT)["hand_needed"])] if missing else []
    return refused_of(typed, ask.context, skips=press == "skip")


def _do(session: Connection, ask: Ask, press: str, typed: Typed) -> list[Refusal]:
    id, context = ask.request.path_params["id"], ask.context
    if press == "hand":
        playbook, world = playbook_of(session, context, find(session, id)), context.world
        hand_over(session, world.book, playbook, id, ask.user.name, ask.said("_to"), typed.reason, ask.now, world.links)
        return []
    return act(session, context, id, typed, skips=press == "skip", who=ask.user.name)


def _page(ask: Ask, session: Connection, typed: Typed, wrong: Sequence[Refusal] = (), status: int = 200) -> Response:
    id = ask.request.path_params["id"]
    try:
        piece = read(session, ask.context, id)
    except AssignmentError as error:
        raise Refused(404, refused(error, ask)) from None
    said = ask.words(ASSIGNMENT)
    told = said[f"was_{piece.row['state']}"] if not piece.open else None
    values = shown(ask.context, piece, typed, wrong, (TOKEN, ask.token), ask.request.url.path)
    people = [(id, one.name) for id, one in ask.context.world.book.company.people.items() if id != piece.row["person"]]
    handing = next((one.sentence for one in wrong if one.field == "_to"), None)
    return ask.page("assignment.html", ASSIGNMENT, status, **values, told=told, people=people, handing=handing,
                    to=ask.said("_to"), late=status == 409, numbers=_numbers(ask, session, piece.row))  # fmt: skip


def _numbers(ask: Ask, session: Connection, row: Row) -> str:
    """The page of what an alert is about; empty for other work."""
    finding = finding_of(session, row)
    return page_of(ask.context.world.book, finding) if finding else ""
