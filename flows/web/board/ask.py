"""Who asks for a page of the board, whether they may, and what a page is made with.

A page is `get(ask, session) -> Response`: it runs in a reader's thread and sees one moment of the store.
An act is `async post(ask) -> Response`: its form is read and its token checked; it writes with `await ask.write(...)`.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from flows.people import users
from flows.people.users import Role, User
from flows.store.write import setting
from flows.web import page as pages
from flows.web.board import words
from flows.web.board.nav import NAV
from flows.web.board.saying import Saying
from flows.web.board.words import Pairs
from flows.web.board.words.layout import LAYOUT
from flows.web.body import Answers, Refused, answers, foreign, one
from flows.web.context import Context

COOKIE = "digilog"
TOKEN = "_token"  # noqa: S105 - the name of a form's field
CAP = 256 * 1024
T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of a user who may make it."""

    request: Request
    context: Context
    user: User
    token: str  # what each form of a page carries
    prefect: str | None  # where Prefect shows its runs
    form: Answers

    @property
    def now(self) -> datetime:
        """The company's time (UTC), which may be simulated."""
        return self.context.world.clock.now()

    @property
    def say(self) -> Saying:
        return Saying(self.context.world.book, self.now)

    def said(self, name: str) -> str:
        """The first value of the form's or the address's field, without spaces around; empty if there is none."""
        return (one(self.form, name) or self.request.query_params.get(name, "")).replace("\0", "").strip()

    def words(self, *pairs: Pairs) -> dict[str, str]:
        return {**self.context.words, **words.of(self.context.world.book.company.language, LAYOUT, *pairs)}

    def page(self, template: str, pairs: Pairs, status: int = 200, **values: object) -> Response:
        """A page of `templates/board/` in the board's layout."""
        shared = {
            "w": self.words(pairs),
            "user": self.user,
            "user_name": self.say.who(self.user.name),
            "may_act": self.user.may("act"),
            "token": self.token,
            "path": self.request.url.path,
            "nav": [(path, word) for path, word in NAV if path in _there(self.request)],
            "prefect": self.prefect,
            "say": self.say,
        }
        return pages.page(self.request, f"board/{template}", status, **(shared | values))

    def sentence(self, text: str, status: int) -> Response:
        """One sentence in the board's layout."""
        return self.page("sentence.html", {}, status, text=text)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, once it is on disk; the engine is woken. Raises StoreBusy, or what `work` raised."""
        return await self.context.writer.write(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, in a reader's thread."""
        return await read(self.context, work)


async def read(context: Context, work: Callable[[Connection], T]) -> T:
    """Read the store beside the loop, so that no page keeps a webhook waiting."""

    def reads() -> T:
        with context.store.read() as session:
            return work(session)

    return await asyncio.get_running_loop().run_in_executor(context.readers, reads)


def shows(role: Role, get: Callable[[Ask, Connection], Response]) -> Endpoint:
    """The endpoint of a page that takes a role: without a login it leads there, and back."""

    async def endpoint(request: Request) -> Response:
        def look(session: Connection) -> tuple[Response | None, bool]:
            ask, due = _ask(request, session, {})
            if ask is None:
                return None, False
            return _kept(ask, role) or _tried(ask, lambda: get(ask, session)), due

        found, due = await read(request.app.state.context, look)
        if due:
            await _seen(request)
        return found or _to_login(request)

    return endpoint


def acts(role: Role, post: Callable[[Ask], Awaitable[Response]]) -> Endpoint:
    """The endpoint of an act that takes a role and its page's token."""

    async def endpoint(request: Request) -> Response:
        context: Context = request.app.state.context
        form = await answers(request, CAP, context.patience)
        ask, due = await read(context, lambda session: _ask(request, session, form))
        if ask is None:
            return _to_login(request)
        if foreign(request) or not hmac.compare_digest(ask.token.encode(), one(form, TOKEN).encode()):
            return ask.sentence(context.words["not_here"], 403)
        if due:
            await _seen(request)
        refused = _kept(ask, role)
        if refused:
            return refused
        try:
            return await post(ask)
        except Refused as error:
            return ask.sentence(error.sentence, error.status)

    return endpoint


def _ask(request: Request, session: Connection, form: Answers) -> tuple[Ask | None, bool]:
    """The user of the request's cookie, and whether their session's last look is to be written down."""
    secret = request.cookies.get(COOKIE, "")
    found = users.find_session(session, secret, datetime.now(UTC)) if secret else None
    if found is None:
        return None, False
    context: Context = request.app.state.context
    prefect = setting(session, "prefect_url") or ""
    safe = prefect if prefect.startswith(("http://", "https://")) else None
    return Ask(request, context, found[0], users.csrf(secret), safe, form), found[1]


def _kept(ask: Ask, role: Role) -> Response | None:
    """What keeps a user out."""
    if ask.user.may(role):
        return None
    said = ask.words()
    return ask.sentence(said["not_yours"].format(said[f"role_{role}"]), 403)


def _tried(ask: Ask, make: Callable[[], Response]) -> Response:
    try:
        return make()
    except Refused as error:
        return ask.sentence(error.sentence, error.status)


async def _seen(request: Request) -> None:
    context: Context = request.app.state.context
    secret, now = request.cookies.get(COOKIE, ""), datetime.now(UTC)
    await context.writer.write(lambda session: users.seen(session, secret, now))


def _to_login(request: Request) -> Response:
    if request.method != "GET":
        return RedirectResponse("/login?told=session_over", 303)
    path = request.url.path
    return RedirectResponse("/login" if path == "/" else f"/login?next={path}", 303)


def _there(request: Request) -> frozenset[str]:
    """The paths that have a page, so that the navigation names no other."""
    return frozenset(getattr(route, "path", "") for route in request.app.routes)
