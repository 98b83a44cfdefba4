"""The company's own form pages: one page for each playbook that starts by an own form."""

import json
import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response

from connectors.forms import SUBMITTED
from flows.playbook.form import Refusal, typed
from flows.playbook.model import Book, FormField, Playbook
from flows.store import tables as t
from flows.store.write import emit
from flows.web.body import Answers, Refused, answers, one
from flows.web.context import Context
from flows.web.inputs import inputs
from flows.web.page import after, page

CONNECTOR = "own_form"
CAP = 256 * 1024  # 10,000 Korean letters are 90 KB as browsers send them
KEY, HONEYPOT = "_key", "_homepage"  # no field of a playbook begins with a line
_KEY = re.compile(r"[A-Za-z0-9_-]{24}")
Kept = Literal["kept", "known", "changed"]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page holds besides its fields."""

    values: Mapping[str, str]
    refused: tuple[Refusal, ...] = ()
    notice: str | None = None
    key: str | None = None


def starts(book: Book) -> dict[str, Playbook]:
    """Playbooks by the own form that starts them."""
    own = {name for name, entry in book.company.connections.items() if entry.connector == CONNECTOR}
    return {
        playbook.start.connection: playbook
        for playbook in book.playbooks.values()
        if playbook.start.event == SUBMITTED and playbook.start.connection in own
    }


async def get(request: Request) -> Response:
    playbook = _playbook(request)
    return _page(request, playbook, Shown({}))


async def thanks(request: Request) -> Response:
    _playbook(request)
    return page(request, "thanks.html")


async def post(request: Request) -> Response:
    """Keep the answers as one event, then lead to the thank-you page."""
    context: Context = request.app.state.context
    playbook = _playbook(request)
    name: str = request.path_params["connection"]
    if not context.rate.allows(request.client.host if request.client else ""):
        raise Refused(429, context.words["often"], retry_after=60)
    found = await answers(request, CAP, context.patience)
    if one(found, HONEYPOT):
        log.info("%s: a form with a filled trap was dropped", name)
        return after(f"/form/{name}/thanks")
    values = _values(playbook, found)
    key = one(found, KEY)
    if not _KEY.fullmatch(key):
        return _page(request, playbook, Shown(values, notice=context.words["stale"]), 400)
    _, refused = typed(playbook.fields, values, context.world.book.company)
    refused += _unconsented(playbook.fields, values, context.words["consent_first"])
    if refused:
        return _page(request, playbook, Shown(values, tuple(refused), context.words["correct"], key), 422)
    if await _keep(context, name, key, values) == "changed":
        return _page(request, playbook, Shown(values, notice=context.words["again"]), 409)
    return after(f"/form/{name}/thanks")


async def _keep(context: Context, name: str, key: str, values: Mapping[str, str]) -> Kept:
    body = json.dumps(values, ensure_ascii=False).encode()
    at = context.world.clock.now()

    def work(session: Connection) -> Kept:
        if emit(session, name, key, SUBMITTED, at, body) is not None:
            return "kept"
        before = (
            select(t.private_event.c.body)
            .join(t.event, t.event.c.id == t.private_event.c.event_id)
            .where(t.event.c.connection == name, t.event.c.key == key)
        )
        return "known" if session.execute(before).scalar() in {None, body} else "changed"

    return await context.writer.write(work)


def _playbook(request: Request) -> Playbook:
    """The playbook that this form starts. Raises Refused (404) if there is none, or it is a design."""
    context: Context = request.app.state.context
    playbook = starts(context.world.book).get(request.path_params["connection"])
    if playbook is None:
        raise Refused(404, context.words["no_form"])
    if context.world.state(playbook.playbook) == "design":
        raise Refused(404, context.words["form_closed"])
    return playbook


def _values(playbook: Playbook, found: Answers) -> dict[str, str]:
    """Raw answers by field name; what no field asks for is left out."""
    return {name: one(found, name).strip() for name in playbook.fields if name in found}


def _unconsented(fields: Mapping[str, FormField], values: Mapping[str, str], words: str) -> list[Refusal]:
    """Sensitive answers that came without the consent that the form asks for them."""
    consents = {name: field for name, field in fields.items() if field.purpose == "sensitive"}
    if any(values.get(name) for name in consents):
        return []
    wording = " / ".join(field.label for field in consents.values())
    return [
        Refusal(name, f"{field.label or name}: {words.format(wording)}")
        for name, field in fields.items()
        if field.sensitive and values.get(name)
    ]


def _page(request: Request, playbook: Playbook, shown: Shown, status: int = 200) -> Response:
    context: Context = request.app.state.context
    company = context.world.book.company
    return page(
        request,
        "form.html",
        status,
        title=playbook.title,
        action=request.url.path,
        inputs=inputs(playbook.fields, shown.values, shown.refused, company, context.words),
        notice=shown.notice,
        key=shown.key or secrets.token_urlsafe(18),
    )
