"""Settling a doubt from the board: one press says whether it happened."""

from collections.abc import Mapping

from starlette.responses import Response

from flows.engine import doubts
from flows.engine.doubts import Doubt
from flows.engine.operate import OperateError
from flows.people.assignments import AssignmentError
from flows.web.board.ask import Ask
from flows.web.board.refusals import refused
from flows.web.body import Refused
from flows.web.page import after

Facts = tuple[tuple[str, str], ...]
_LONGEST = 500  # signs of one value


def facts(doubt: Doubt, ask: Ask) -> Facts:
    """What was sent, as far as words go, so that it can be found at the service. Private."""
    told = []
    for name, value in doubt.arguments.items():
        text = (
            str(value) if not isinstance(value, Mapping) else ", ".join(f"{key}: {one}" for key, one in value.items())
        )
        if text:
            told.append((name, text if len(text) <= _LONGEST else text[:_LONGEST] + "…"))
    return (*told, *([(ask.words()["because"], ask.say.why(doubt.reason))] if doubt.reason else ()))


async def post(ask: Ask) -> Response:
    number = ask.request.path_params["id"]
    happened = {"yes": True, "no": False}.get(ask.said("_press"))
    if happened is None or not (number.isascii() and number.isdecimal() and len(number) < 19):
        raise Refused(404, ask.words()["nothing"])
    world, who, reason = ask.context.world, ask.user.name, ask.said("reason")[:4000] or None
    try:
        await ask.write(lambda session: doubts.settle(session, world, int(number), happened, who, reason))
    except (OperateError, AssignmentError) as error:
        return ask.sentence(refused(error, ask), 409)
    return after("/?told=settled")
