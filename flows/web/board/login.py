"""Logging in and out, the first admin, and one's own account."""

import asyncio
import hashlib
import hmac
import re
from datetime import UTC, datetime

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from flows.people import users
from flows.people.users import UserError
from flows.store.write import audit
from flows.web.board import words
from flows.web.board.ask import CAP, COOKIE, Ask, read
from flows.web.board.words.login import LOGIN
from flows.web.body import Answers, Refused, answers, foreign, one
from flows.web.context import Context
from flows.web.page import after, page

_SEAL = "_seal"
_OWN = re.compile(r"/(?!/)[A-Za-z0-9/._-]*")  # a path of ours to come back to
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_TOLD = frozenset({"signed_out", "changed", "session_over"})


async def get(request: Request) -> Response:
    context: Context = request.app.state.context
    has_admin = await read(context, users.has_admin)
    told = request.query_params.get("told", "")
    return _login(request, told=told if told in _TOLD else None, has_admin=has_admin)


async def post(request: Request) -> Response:
    """Open a session. The answer and its time are the same for an unknown name and a wrong password."""
    context: Context = request.app.state.context
    form = await _form(request)
    name, password = one(form, "name").strip().lower()[:80], one(form, "password")
    if not (context.logins.allows(f"address {_address(request)}") and context.names.allows(name)):
        return _login(request, form, "slow_down", 429)
    hashed = await read(context, lambda session: users.password_of(session, name))
    right = await _matches(context, hashed, password)
    now = datetime.now(UTC)
    secret = (
        await context.writer.write(lambda session: users.open_session(session, name, hashed, now)) if right else None
    )
    if secret is None:
        return _login(request, form, "wrong", 401)
    back = one(form, "next")
    return _with_cookie(request, after(back if _OWN.fullmatch(back) else "/"), secret)


async def first(request: Request) -> Response:
    """The page of the first admin, which is gone once there is one."""
    await _no_admin_yet(request)
    return _setup(request)


async def make_first(request: Request) -> Response:
    """Make the first admin of the terminal's code, and log in."""
    context: Context = request.app.state.context
    await _no_admin_yet(request)
    form = await _form(request)
    if not context.logins.allows("setup"):
        return _setup(request, form, "slow_down", 429)
    name, password, now = one(form, "name").strip().lower(), one(form, "password"), datetime.now(UTC)
    wrong = _not_fitting(name, password)
    if wrong:
        return _setup(request, form, wrong, 422)

    def make(session: Connection) -> str | None:
        users.take_code(session, one(form, "code"), name, password, now)
        return users.open_session(session, name, users.password_of(session, name), now)

    try:
        secret = await context.writer.write(make)
    except UserError:
        return _setup(request, form, "code_wrong", 422)
    return _with_cookie(request, after("/"), secret or "")


async def leave(ask: Ask) -> Response:
    secret, name, now = ask.request.cookies[COOKIE], ask.user.name, datetime.now(UTC)

    def end(session: Connection) -> None:
        users.end_session(session, secret)
        audit(session, name, "logout", name, now)

    await ask.write(end)
    return _gone("signed_out")


def account(ask: Ask, session: Connection) -> Response:
    del session
    return _account(ask)


async def change(ask: Ask) -> Response:
    """Sign out everywhere, or give oneself a new password, which does so too."""
    name, now = ask.user.name, datetime.now(UTC)
    if ask.said("_press") == "everywhere":

        def end(session: Connection) -> None:
            users.end_sessions(session, name)
            audit(session, name, "signed out everywhere", name, now)

        await ask.write(end)
        return _gone("signed_out")
    old, new = one(ask.form, "old"), one(ask.form, "new")
    if not ask.context.names.allows(name):
        return _account(ask, "slow_down", 429)
    hashed = await ask.read(lambda session: users.password_of(session, name))
    right = await _matches(ask.context, hashed, old)
    wrong = _not_fitting(name, new) if right else "old_wrong"
    if wrong:
        return _account(ask, wrong, 422)

    def give(session: Connection) -> bool:  # unless the user was shut out, or somebody was first, meanwhile
        same = users.password_of(session, name) == hashed
        if same:
            users.set_password(session, name, new, name, now)
        return same

    return _gone("changed" if await ask.write(give) else "session_over")


def _account(ask: Ask, wrong: str | None = None, status: int = 200) -> Response:
    return ask.page("account.html", LOGIN, status, wrong=wrong)


def _login(
    request: Request,
    form: Answers | None = None,
    wrong: str | None = None,
    status: int = 200,
    *,
    told: str | None = None,
    has_admin: bool = True,
) -> Response:
    back = one(form, "next") if form else request.query_params.get("next", "")
    shown = {"back": back if _OWN.fullmatch(back) else "", "typed": one(form or {}, "name"), "told": told}
    return _bare(request, "login.html", status, wrong=wrong, has_admin=has_admin, **shown)


def _setup(request: Request, form: Answers | None = None, wrong: str | None = None, status: int = 200) -> Response:
    typed = {name: one(form or {}, name) for name in ("code", "name")}
    return _bare(request, "setup.html", status, wrong=wrong, typed=typed)


def _bare(request: Request, template: str, status: int, **values: object) -> Response:
    """A page without navigation: nobody has logged in yet."""
    context: Context = request.app.state.context
    said = {**context.words, **words.of(context.world.book.company.language, LOGIN)}
    people = ", ".join(context.world.book.company.people)
    return page(request, f"board/{template}", status, w=said, seal=_seal(context), people=people, **values)


async def _form(request: Request) -> Answers:
    """What was typed into our own page. Raises Refused (403) for another site's."""
    context: Context = request.app.state.context
    form = await answers(request, CAP, context.patience)
    if foreign(request) or not hmac.compare_digest(_seal(context).encode(), one(form, _SEAL).encode()):
        raise Refused(403, context.words["not_here"])
    return form


def _seal(context: Context) -> str:
    return hmac.new(context.world.links.key, b"login", hashlib.sha256).hexdigest()[:32]


async def _no_admin_yet(request: Request) -> None:
    context: Context = request.app.state.context
    if await read(context, users.has_admin):
        raise Refused(404, context.words["nothing"])


async def _matches(context: Context, hashed: str, password: str) -> bool:
    """In a reader's thread: there are two, so that many tries at once do not fill the memory."""
    return await asyncio.get_running_loop().run_in_executor(context.readers, users.matches, hashed, password)


def _not_fitting(name: str, password: str) -> str | None:
    if not _NAME.fullmatch(name):
        return "name_wrong"
    fits = users.SHORTEST_PASSWORD <= len(password) <= users.LONGEST_PASSWORD
    return None if fits else "password_wrong"


def _with_cookie(request: Request, response: Response, secret: str) -> Response:
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(users.LONGEST.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",  # a proxy says so by X-Forwarded-Proto
    )
    return response


def _gone(told: str) -> Response:
    response = RedirectResponse(f"/login?told={told}", 303)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
