"""One assignment behind its link."""

from starlette.requests import Request
from starlette.responses import Response

from flows.web.body import Refused


async def get(request: Request) -> Response:
    raise Refused(404, request.app.state.context.words["link_dead"])


post = get
