"""Reading what was sent: never more than a cap, never longer than the patience, and only what is text."""

import asyncio
import contextlib
import re
from urllib.parse import parse_qsl

from starlette.requests import Request

FORM = "application/x-www-form-urlencoded"
_DRAIN = 1024 * 1024  # bytes still taken off a sender that is too long, so that it can hear our answer
_FIELDS = 300
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # breaks and tabs stay

Answers = dict[str, list[str]]


class Refused(Exception):  # noqa: N818 - it becomes an answer, not a fault
    """A request that is answered with a status and one sentence."""

    def __init__(self, status: int, sentence: str, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.retry_after = status, sentence, retry_after


async def read(request: Request, cap: int, patience: float) -> bytes:
    """The raw body. Raises Refused: 413 past `cap` bytes received, 408 past `patience` seconds, 400 when cut off."""
    raw, more = bytearray(), True
    try:
        async with asyncio.timeout(patience):
            while more and len(raw) <= cap:
                piece, more = await _piece(request)
                raw += piece
    except TimeoutError:
        raise Refused(408, "the request took too long; send it again") from None
    if len(raw) > cap:
        await _drain(request, more=more)
        raise Refused(413, f"the request is longer than {cap // 1024} KiB")
    return bytes(raw)


async def _piece(request: Request) -> tuple[bytes, bool]:
    """The next bytes, and whether more will come."""
    message = await request.receive()
    if message["type"] != "http.request":
        raise Refused(400, "the request was cut off")
    return message.get("body", b""), message.get("more_body", False)


async def _drain(request: Request, *, more: bool) -> None:
    taken = 0
    with contextlib.suppress(TimeoutError, Refused):
        async with asyncio.timeout(1):
            while more and taken < _DRAIN:
                piece, more = await _piece(request)
                taken += len(piece)


async def answers(request: Request, cap: int, patience: float) -> Answers:
    """The fields of a posted form, by name. Raises Refused for anything but an ordinary form in UTF-8."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Refused(415, "send the form from its own page")
    raw = await read(request, cap, patience)
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS)
    except ValueError:
        raise Refused(400, "the form could not be read; open its page again") from None
    found: Answers = {}
    for name, value in pairs:
        found.setdefault(name, []).append(_CONTROL.sub("", value))
    return found


def one(found: Answers, name: str) -> str:
    """The first value of a field; empty when it was not sent."""
    return found.get(name, [""])[0]


def foreign(request: Request) -> bool:
    """Whether a browser says that another site's page sent this. Whoever says nothing is judged by a seal or token."""
    site = request.headers.get("sec-fetch-site", "none")
    # With our Referrer-Policy browsers say `Origin: null` even for our own pages.
    origin = request.headers.get("origin", "null")
    return site not in {"none", "same-origin"} or (
        origin != "null" and origin.partition("://")[2] != request.headers.get("host")
    )
