"""The inbox: verify, keep, answer. Nothing else happens before the answer."""

import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from connectors.base import Connector, Greeting, Incoming
from connectors.errors import Forged, NotConnected, Odd
from connectors.registry import UnknownConnector, find
from flows.engine.incoming import own_key, usable
from flows.store import tables as t
from flows.store.write import change, doubted, emit
from flows.web.body import Refused, read
from flows.web.context import Context

CAP = 256 * 1024
KEPT_HEADERS = ("content-type", "user-agent", "webhook-id", "webhook-timestamp")  # never signatures or logins
_LONGEST_HEADER = 300
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is written of one webhook."""

    key: str
    name: str
    quarantined: str | None = None


async def post(request: Request) -> Response:
    """202, or what the vendor wants, once the event is on disk, or was there before."""
    context: Context = request.app.state.context
    name = request.path_params["connection"]
    kind = _receiver(context, name, request.path_params.get("token"))
    raw = await read(request, CAP, context.patience)
    headers = dict(request.headers)
    kept = _verified(context, name, kind, headers, raw)
    if isinstance(kept, Greeting):
        return PlainTextResponse(kept.body, 200)
    at = context.world.clock.now()
    chosen = {one: headers[one][:_LONGEST_HEADER] for one in KEPT_HEADERS if one in headers}

    def work(session: Connection) -> int | None:
        odd, unconfirmed = kept.quarantined, kind.confirms
        made = emit(session, name, kept.key, kept.name, at, raw, chosen, quarantined=odd, unconfirmed=unconfirmed)
        if made is None and unconfirmed and (event := doubted(session, name, kept.key)):
            # told again, by the service itself or by a forger before it: it is asked again
            change(session, t.private_event, event, body=raw)
            change(session, t.event, event, state="unconfirmed", reason=None)
        return made

    made = await context.writer.write(work)
    if made is not None and kept.quarantined:
        log.warning("event %s of %s lies in quarantine: %s", made, name, kept.quarantined)
    return PlainTextResponse("accepted\n" if made is not None else "known already\n", kind.answer)


def _receiver(context: Context, name: str, token: str | None) -> type[Connector]:
    """The connector of a connection that takes events. Raises Refused (404) for all others.

    Who signs comes to the plain path; who does not has a path that only the service was told, and is asked again.
    """
    entry = context.world.book.company.connections.get(name)
    try:
        kind = find(entry.connector) if entry else None
    except UnknownConnector:
        kind = None
    if entry is None or kind is None or not kind.sends(entry.settings) or not _may_enter(context, name, kind, token):
        raise Refused(404, "nothing is received here")
    return kind


def _may_enter(context: Context, name: str, kind: type[Connector], token: str | None) -> bool:
    if kind.signed or token is None:
        return kind.signed and token is None
    return kind.confirms and hmac.compare_digest(
        context.world.links.door(name).encode(), token.encode("utf-8", "replace")
    )


def _verified(
    context: Context, name: str, kind: type[Connector], headers: Mapping[str, str], raw: bytes
) -> _Kept | Greeting:
    try:
        found = context.world.connection(name).receive(headers, raw)
    except Forged:
        raise Refused(401, "the signature is missing, wrong or too old") from None
    except NotConnected as error:
        log.warning("%s cannot receive: %s", name, error)
        raise Refused(503, "this connection is not set up yet", retry_after=60) from None
    except Odd as error:
        sends = kind.sends(context.world.book.company.connections[name].settings)
        return _Kept(own_key(headers, raw), sends[0], error.reason)
    except Exception as error:  # noqa: BLE001 - another's connector must not end in a 500; the sender repeats
        log.error("%s: the connector failed on a webhook (%s)", name, type(error).__name__)  # noqa: TRY400
        raise Refused(503, "this connection cannot read webhooks at the moment", retry_after=60) from None
    return found if isinstance(found, Greeting) else _kept(found, headers, raw)


def _kept(found: Incoming, headers: Mapping[str, str], raw: bytes) -> _Kept:
    if not usable(found.key):
        return _Kept(own_key(headers, raw), found.name, "the sender's key is no text")
    return _Kept(found.key, found.name)
