"""The one table of routes, and what holds for each of them: known hosts, plain paths, safe headers, no traceback."""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flows.web import form, home, inbox, page, work
from flows.web.board import (
    assignment,
    blueprint,
    canvas,
    case,
    cases,
    connections,
    customers,
    doubt,
    exchange,
    health,
    login,
    metrics,
    metrics_day,
    metrics_one,
    outbox,
    playbook,
    playbooks,
    quarantine,
    search,
    today,
)
from flows.web.board.ask import acts, shows
from flows.web.body import Refused
from flows.web.context import Context
from flows.web.writer import StoreBusy

# Everything that is not here is a 404. Method, exact path, who may, and what answers. `open`: without a login, where
# names are found in the company's files and tokens are signed. The others are the board's: `view`, `act`, `admin`.
ROUTES: tuple[tuple[str, str, str, Any], ...] = (
    ("POST", "/in/{connection}", "open", inbox.post),
    ("POST", "/in/{connection}/{token}", "open", inbox.post),  # who does not sign
    ("GET", "/form/{connection}", "open", form.get),
    ("POST", "/form/{connection}", "open", form.post),
    ("GET", "/form/{connection}/thanks", "open", form.thanks),
    ("GET", "/work/{token}", "open", work.get),
    ("POST", "/work/{token}", "open", work.post),
    ("GET", "/healthz", "open", home.alive),
    ("GET", "/readyz", "open", home.ready),
    ("GET", "/style.css", "open", page.style),
    ("GET", "/login", "open", login.get),
    ("POST", "/login", "open", login.post),
    ("GET", "/setup", "open", login.first),
    ("POST", "/setup", "open", login.make_first),
    ("GET", "/", "view", today.get),
    ("GET", "/cases", "view", cases.get),
    ("GET", "/cases/{id}", "view", case.get),
    ("POST", "/cases/{id}", "act", case.post),
    ("GET", "/assignments/{id}", "view", assignment.get),
    ("POST", "/assignments/{id}", "act", assignment.post),
    ("POST", "/doubts/{id}", "act", doubt.post),
    ("GET", "/playbooks", "view", playbooks.get),
    ("GET", "/playbooks/{id}", "view", playbook.get),
    ("POST", "/playbooks/{id}", "admin", playbook.post),
    ("GET", "/canvas", "view", canvas.get),
    ("GET", "/blueprint", "view", blueprint.get),
    ("GET", "/metrics", "view", metrics.get),
    ("GET", "/metrics/{metric}", "view", metrics_one.get),
    ("GET", "/metrics/{metric}/{day}", "view", metrics_day.get),
    ("POST", "/metrics/{metric}/{day}", "act", metrics_day.post),
    ("GET", "/outbox", "view", outbox.get),
    ("GET", "/outbox/{id}", "act", outbox.one),
    ("GET", "/exchanges", "view", exchange.get),
    ("POST", "/exchanges", "act", exchange.post),
    ("POST", "/exchanges/{id}", "act", exchange.correct),
    ("GET", "/quarantine", "view", quarantine.get),
    ("GET", "/quarantine/{id}", "act", quarantine.one),
    ("POST", "/quarantine/{id}", "act", quarantine.post),
    ("GET", "/connections", "view", connections.get),
    ("GET", "/connections/{name}", "view", connections.one),
    ("GET", "/customers/{id}", "view", customers.get),
    ("GET", "/search", "view", search.get),
    ("GET", "/health", "view", health.get),
    ("GET", "/account", "view", login.account),
    ("POST", "/account", "view", login.change),
    ("POST", "/logout", "view", login.leave),
)
_ALSO_FROM_OUTSIDE = re.compile(rb"/(in|form|work)/.*|/healthz|/style\.css")  # through DIGILOG_PUBLIC_URL
_NEVER_FROM_OUTSIDE = frozenset({b"/readyz", b"/setup"})
_PLAIN = re.compile(rb"[A-Za-z0-9/._-]+")
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})
_PASSED_ON = frozenset({  # what a proxy or a tunnel adds; one that adds nothing must hand on Host
    b"forwarded", b"via", b"x-real-ip", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-port",
    b"x-forwarded-proto", b"x-forwarded-server", b"cf-connecting-ip", b"true-client-ip",
})  # fmt: skip
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
log = logging.getLogger(__name__)


def make_app(context: Context) -> Starlette:
    """The whole door. While it is open, `context.look` is asked each second."""
    app = Starlette(
        routes=_routes(),
        middleware=[Middleware(Guard, public_host=context.public_host, board_public=context.board_public)],
        exception_handlers={Refused: _refused, StoreBusy: _busy, DBAPIError: _busy, HTTPException: _status},
        lifespan=_watch,
    )
    app.router.redirect_slashes = False
    app.state.context = context
    return app


def _routes() -> list[Route]:
    return [Route(path, _endpoint(method, who, does), methods=[method]) for method, path, who, does in ROUTES]


def _endpoint(method: str, who: str, does: Any) -> Any:
    match who:
        case "open":
            return does
        case "view" | "act" | "admin":
            return shows(who, does) if method == "GET" else acts(who, does)
    raise ValueError(f"{who}: nobody is called that")


class Guard:
    """Refuses unknown hosts and odd paths, sets the safe headers, and turns our own faults into a sentence."""

    def __init__(self, app: ASGIApp, public_host: str | None, *, board_public: bool = False) -> None:
        self._app, self._public, self._board = app, public_host, board_public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def careful(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, careful)
            return
        try:
            await self._app(scope, receive, careful)
        except Exception as error:  # noqa: BLE001 - one request's fault must not show its inside, nor reach the log
            log.error("%s %s failed: %s", scope["method"], _kind_of(scope["path"]), _where(error))  # noqa: TRY400
            if not begun:
                request = Request(scope, receive)
                failed = page.sentence(request, 500, scope["app"].state.context.words["failed"])
                await failed(scope, receive, careful)

    def _refusal(self, scope: Scope) -> Response | None:
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        host = _name(hosts[0]) if len(hosts) == 1 else ""
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        if host not in _HERE and (not host or host != self._public):
            return PlainTextResponse("this name is not served here; see DIGILOG_PUBLIC_URL\n", 400)
        # Some proxies ask for this computer's own name, whatever name the visitor asked for.
        outside = host not in _HERE or any(name in _PASSED_ON for name, _ in scope["headers"])
        if not _PLAIN.fullmatch(path) or (outside and not self._reaches(path)):
            return PlainTextResponse("there is nothing at this address\n", 404)
        return None

    def _reaches(self, path: bytes) -> bool:
        """Whether a path is served to who comes from outside."""
        if self._board:
            return path not in _NEVER_FROM_OUTSIDE
        return _ALSO_FROM_OUTSIDE.fullmatch(path) is not None


def _name(host: str) -> str:
    """The name in a Host header, without its port."""
    found = re.fullmatch(r"\[([0-9a-fA-F:]+)\](?::\d+)?|([^:\[\]]+)(?::\d+)?", host.lower())
    return (found[1] or found[2]) if found else ""


def _kind_of(path: str) -> str:
    """A path without its token."""
    return "/" + path.split("/")[1]


def _where(error: Exception) -> str:
    """Kind and place of a fault; its words may be a customer's."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{type(error).__name__} in {trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else "unknown"


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, Refused):
        raise error
    return page.sentence(request, error.status, error.sentence, error.retry_after)


async def _busy(request: Request, error: Exception) -> Response:
    del error
    return page.sentence(request, 503, request.app.state.context.words["busy"], retry_after=5)


async def _status(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    words = request.app.state.context.words
    found = page.sentence(request, error.status_code, words["method" if error.status_code == 405 else "nothing"])
    found.headers.update(error.headers or {})
    return found


@contextlib.asynccontextmanager
async def _watch(app: Starlette) -> AsyncIterator[None]:
    watching = asyncio.create_task(_look(app.state.context))
    yield
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching


async def _look(context: Context) -> None:
    while context.look is not None:
        await asyncio.sleep(1)
        try:
            await asyncio.to_thread(context.look)
        except Exception as error:  # noqa: BLE001 - pages go on with the last good files
            log.error("looking at the files failed: %s", _where(error))  # noqa: TRY400
