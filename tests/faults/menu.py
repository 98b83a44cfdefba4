"""The menu: what a service can do wrong, and what each call must be told then."""

import gzip
import json
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from connectors.errors import NotConnected, Rejected, Unavailable, Uncertain
from tests.faults.server import Good, Talk, drip, endless, whole

WELL = "well"
CANARY = "customer 010-1234-5678"  # stands in bodies of errors; may stand in no reason
TWICE = 60_000_000  # bytes that a bomb unpacks to

Outcome = type[Exception] | str


@dataclass(frozen=True, slots=True)
class Fault:
    """`read` and `write`: what may come of a call. `body`: whole and 2xx, only its content is wrong."""

    name: str
    serve: Callable[[Talk], None]
    read: frozenset[Outcome]
    write: frozenset[Outcome]
    body: bool = False
    slow: bool = False  # holds the call until its deadline
    heavy: bool = False  # wants memory or the processor


def _of(*outcomes: Outcome) -> frozenset[Outcome]:
    return frozenset(outcomes)


LOST = (_of(Unavailable), _of(Uncertain))  # the answer did not come
UNREAD = (_of(Rejected), _of(Uncertain))  # an answer came that nobody can read
BROKEN = (_of(Unavailable, Rejected), _of(Uncertain))  # something between
LATER = (_of(Unavailable), _of(Unavailable))
REFUSED = (_of(Rejected), _of(Rejected))
FINE = (_of(WELL), _of(WELL))
LOGIN = (_of(NotConnected), _of(NotConnected))


def _status(line: str, *more: str, body: bytes = json.dumps({"message": CANARY}).encode()) -> Callable[[Talk], None]:
    return lambda talk: talk.send(whole(line, body, "application/json", *more))


def _said(body: bytes, *more: str, kind: str = "application/json") -> Callable[[Talk], None]:
    return lambda talk: talk.send(whole("200 OK", body, kind, *more))


def _good(change: Callable[[Good], bytes], *more: str) -> Callable[[Talk], None]:
    """The right answer, changed."""
    return lambda talk: talk.send(whole(f"{talk.good.status} OK", change(talk.good), talk.good.kind, *more))


def _reset(talk: Talk) -> None:
    talk.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _reset_inside(talk: Talk) -> None:
    talk.send(whole("200 OK", b'{"a": ' + b"1" * 40, "application/json")[:-20])
    talk.wait(0.05)  # or the reset overtakes the bytes
    _reset(talk)


def _early(talk: Talk) -> None:
    """An answer before the request was read, and no end."""
    talk.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
    talk.wait()


def _hints(talk: Talk) -> None:
    talk.send(b"HTTP/1.1 100 Continue\r\n\r\n" + b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * 5)
    talk.good_answer()


def _with(good: Good, text: str) -> bytes:
    """The right answer with one more value, written as `text`."""
    before, brace, behind = good.content.decode().partition("{")
    if before not in {"", "["}:
        return good.content
    return f'{before}{brace}"zz_more": {text}, {behind}'.replace(", }", "}").encode() if brace else good.content


def _date(**off: int) -> str:
    return f"date: {format_datetime(datetime.now(UTC) + timedelta(**off), usegmt=True)}"


_HINT = b"HTTP/1.1 103 Early Hints\r\n\r\n"
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
_DATE = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
_TO = "location: http://169.254.169.254/latest/meta-data/"
_PACKED = "content-encoding: gzip"
_BOMB = gzip.compress(bytes(TWICE))
_PAGE = f"<html><body>{CANARY}: please log in</body></html>".encode()

MENU = [
    # comes later
    Fault("429 in 7 seconds", _status("429 Too Many Requests", "retry-after: 7"), *LATER),
    Fault("429 at a date", _status("429 Too Many Requests", f"retry-after: {_DATE}"), *LATER),
    Fault("429 with an absurd time", _status("429 Too Many Requests", "retry-after: 9e999"), *LATER),
    Fault("429 with a negative time", _status("429 Too Many Requests", "retry-after: -3"), *LATER),
    Fault("429 without a time", _status("429 Too Many Requests"), *LATER),
    Fault("503", _status("503 Service Unavailable", "retry-after: 120"), *LATER),
    Fault("408", _status("408 Request Timeout"), *LATER),
    Fault("425", _status("425 Too Early"), *LATER),
    # fails
    Fault("500", _status("500 Internal Server Error"), *LOST),
    Fault("501", _status("501 Not Implemented"), *LOST),
    Fault("502 with a page", _status("502 Bad Gateway", body=_PAGE), *LOST),
    Fault("504", _status("504 Gateway Timeout"), *LOST),
    Fault("599", _status("599 Whatever"), *LOST),
    # refuses
    Fault("400", _status("400 Bad Request"), *REFUSED),
    Fault("403", _status("403 Forbidden"), *REFUSED),
    Fault("404", _status("404 Not Found"), *REFUSED),
    Fault("409, a duplicate", _status("409 Conflict"), *REFUSED),
    Fault("413", _status("413 Content Too Large"), *REFUSED),
    Fault("422", _status("422 Unprocessable Content"), *REFUSED),
    Fault("401, an expired token", _status("401 Unauthorized"), *LOGIN),
    Fault(
        "401, a revoked token", _status("401 Unauthorized", 'www-authenticate: Bearer error="invalid_token"'), *LOGIN
    ),
    Fault("301 inside", _status("301 Moved Permanently", _TO), *REFUSED),
    Fault("302 inside", _status("302 Found", _TO), *REFUSED),
    Fault("307 inside", _status("307 Temporary Redirect", _TO), *REFUSED),
    Fault("308 elsewhere", _status("308 Permanent Redirect", "location: https://evil.example/"), *REFUSED),
    # breaks off
    Fault("reset before a byte", _reset, *LOST),
    Fault("reset inside the body", _reset_inside, *LOST),
    Fault("closed before a byte", lambda talk: None, *LOST),
    Fault("closed inside the status", lambda talk: talk.send(b"HTTP/1.1 20"), *LOST),
    Fault("closed inside the headers", lambda talk: talk.send(_HEAD), *LOST),
    Fault("closed inside the body", lambda talk: talk.send(_HEAD + b"content-length: 1000\r\n\r\n{}"), *LOST),
    Fault("no HTTP", lambda talk: talk.send(b"\x00\x01\x02 what\r\n\r\n"), *LOST),
    Fault("another protocol", lambda talk: talk.send(b"ICY 200 OK\r\n\r\n{}"), *BROKEN),
    Fault(
        "two lengths",
        lambda talk: talk.send(_HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}"),
        *BROKEN,
    ),
    Fault("broken chunks", lambda talk: talk.send(_HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n"), *BROKEN),
    # takes its time
    Fault("silent before the commit", lambda talk: talk.wait(), *LOST, slow=True),
    Fault("silent after the commit", lambda talk: talk.wait(), *LOST, slow=True),
    Fault("silent inside the body", _early, *BROKEN, slow=True),
    Fault("a dripping head", lambda talk: drip(talk, _HEAD * 50), *BROKEN, slow=True),
    Fault(
        "a dripping body",
        lambda talk: drip(talk, b" " * 900, _HEAD + b"content-length: 900\r\n\r\n"),
        *UNREAD,
        slow=True,
    ),
    Fault("hints without end", lambda talk: endless(talk, _HINT, pause=0.001), *BROKEN, heavy=True),
    Fault("hints, then the answer", _hints, *FINE),
    # too much
    Fault("a bomb", _said(_BOMB, _PACKED), *UNREAD, heavy=True),
    Fault(
        "a body without end",
        lambda talk: endless(talk, b" " * 65536, _HEAD + b"connection: close\r\n\r\n"),
        *UNREAD,
        heavy=True,
    ),
    Fault(
        "a head without end", lambda talk: endless(talk, b"x-more: " + b"y" * 900 + b"\r\n", _HEAD), *BROKEN, heavy=True
    ),
    Fault("too long", _said(b'"' + b"a" * 6_000_000 + b'"'), *UNREAD, heavy=True),
    # wrong wrapping
    Fault("broken gzip", _said(b"\x1f\x8b\x08nothing", _PACKED), *UNREAD),
    Fault("half a gzip", _said(gzip.compress(b'{"a": 1}' + bytes(range(256)))[:60], _PACKED), *UNREAD),
    Fault("packed otherwise", _said(b"xx", "content-encoding: br"), *UNREAD),
    Fault("a length too short", _good(lambda good: good.content[: len(good.content) // 2]), *UNREAD, body=True),
    Fault("another charset", _good(lambda good: _with(good, '"한글"').decode().encode("cp949")), *UNREAD, body=True),
    Fault("a mark before the text", _good(lambda good: b"\xef\xbb\xbf" + good.content), *FINE),
    Fault("a clock of last year", lambda talk: talk.good_answer(_date(days=-400)), *FINE),
    Fault("a clock of next year", lambda talk: talk.good_answer(_date(days=400)), *FINE),
    # wrong content
    Fault("no JSON", _said(b'{"a": '), *UNREAD, body=True),
    Fault("a page", _said(_PAGE, kind="text/html"), *UNREAD, body=True),
    Fault("a page that says JSON", _said(_PAGE), *UNREAD, body=True),
    Fault("not a number", _good(lambda good: _with(good, "NaN")), *UNREAD, body=True),
    Fault("infinity", _good(lambda good: _with(good, "-Infinity")), *UNREAD, body=True),
    Fault("a number of 9,000 digits", _good(lambda good: _with(good, "9" * 9000)), *UNREAD, body=True),
    Fault("a huge number", _good(lambda good: _with(good, "1e400")), *FINE),
    Fault("too deep", _said(b"[" * 200_000), *UNREAD, body=True),
    Fault("deep", _said(b"[" * 200 + b"]" * 200), *UNREAD, body=True),
    Fault("a list", _said(b"[1, 2]"), *UNREAD, body=True),
    Fault("an empty list", _said(b"[]"), *UNREAD, body=True),
    Fault("null", _said(b"null"), *UNREAD, body=True),
    Fault("a number", _said(b"7"), *UNREAD, body=True),
    Fault("a text", _said(b'"fine"'), *UNREAD, body=True),
    Fault("an empty object", _said(b"{}"), *UNREAD, body=True),
    Fault("another object", _said(json.dumps({"ok": "yes", "data": [CANARY]}).encode()), *UNREAD, body=True),
    Fault("empty", _said(b""), *UNREAD, body=True),
    Fault("204", lambda talk: talk.send(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"), *UNREAD, body=True),
]
FAULTS = {one.name: one for one in MENU}
assert len(FAULTS) == len(MENU) >= 30
