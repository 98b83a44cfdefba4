"""The one door out: one deadline, a size cap, listed hosts, checked addresses, and every failure as one of four errors.

Reads are tried again (few, short, inside the deadline); writes never: what to do with them the engine knows.
"""

import json
import os
import re
import ssl
import time
from base64 import b64encode
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from typing import Any, Never
from urllib.parse import quote, unquote, urlsplit

import httpx
import tenacity

from connectors.addresses import named_inside
from connectors.answers import Answer, Meaning, Refusal, raise_for, raise_refusal, unreadable
from connectors.errors import ConnectorError, NotConnected, Rejected, Unavailable, Uncertain
from connectors.wire import Late, Wire, unpacked

DEADLINE = 20.0  # seconds for one call, tries and waits included
CAP = 5 * 1024 * 1024  # decoded bytes of one answer
_LONGEST_KEY = 200  # Stripe takes 255
_STRAYS = re.compile(r"[\\\x00-\x1f\x7f]|(^|/)\.{1,2}(/|$)")  # also decoded twice, as some servers do
_ERROR_CAP = 64 * 1024  # of a refusal's body, which is read for its code alone
_PAUSE = tenacity.wait_random_exponential(multiplier=0.1, max=1)

__all__ = ["CAP", "DEADLINE", "Answer", "Http", "Meaning", "Refusal", "local"]


class Http:
    """Calls to one service. `hosts` are allowed beside the host of `base_url`; `deadline` in seconds."""

    def __init__(
        self,
        base_url: str,
        *,
        hosts: Collection[str] = (),
        allow_loopback: bool = False,
        proxy: str | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        key_header: str = "Idempotency-Key",
        deadline: float = DEADLINE,
        cap: int = CAP,
        refusal: Refusal | None = None,
    ) -> None:
        self._loopback = allow_loopback
        self._base = self._fit(base_url.rstrip("/"), frozenset(), NotConnected)
        self._hosts = frozenset(hosts) | {urlsplit(self._base).hostname or ""}
        self._proxy = proxy
        self._headers = {"accept-encoding": "gzip", "user-agent": "digilog"} | dict(headers or {}) | _login(auth)
        self._key_header = key_header
        self._deadline = deadline
        self._cap = cap
        self.refusal = refusal  # finds the error inside an answer of status 200
        self._idle: deque[tuple[httpx.HTTPTransport, Wire]] = deque()

    def get(self, path: str, params: Mapping[str, Any] | None = None, **more: Any) -> Answer:
        """Read. `more`: headers, accept (statuses to return instead of raising)."""
        return self.send("GET", path, params=params, write=False, **more)

    def post(self, path: str, body: object = None, *, write: bool = True, **more: Any) -> Answer:
        """Send JSON (or `form=`, `content=`). `key` travels in the key header; `write=False` for a query."""
        return self.send("POST", path, body=body, write=write, **more)

    def put(self, path: str, body: object = None, **more: Any) -> Answer:
        """Replace."""
        return self.send("PUT", path, body=body, **more)

    def delete(self, path: str, **more: Any) -> Answer:
        """Remove."""
        return self.send("DELETE", path, **more)

    def send(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        form: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
        write: bool = True,
        accept: Collection[int] = (),
        meaning: Meaning | None = None,
    ) -> Answer:
        """One call. A status from 300 on is raised as one of the four errors, unless `accept` names it.

        `meaning`: what this vendor documents for a status, or for a status and the code in its answer.
        """
        until = time.monotonic() + self._deadline
        sent = dict(self._headers) | dict(headers or {})
        if key is not None:
            sent[self._key_header] = _portable(key)
        if body is not None:
            content = json.dumps(body, ensure_ascii=False, default=str).encode()
            sent.setdefault("content-type", "application/json")
        try:
            request = httpx.Request(
                method, self._url(path), params=params or None, headers=sent, content=content, data=form
            )
        except (httpx.InvalidURL, ValueError, TypeError):
            raise Rejected("the call cannot be written as an HTTP request") from None
        if write:
            return self._checked(request, until, accept, meaning, write=True)
        return _tries(until)(self._checked, request, until, accept, meaning, write=False)

    def close(self) -> None:
        """Close idle connections."""
        while self._idle:
            self._idle.pop()[0].close()

    def _checked(
        self, request: httpx.Request, until: float, accept: Collection[int], meaning: Meaning | None, *, write: bool
    ) -> Answer:
        answer = self._once(request, until, accept, write=write)
        if answer.status >= 300 and answer.status not in accept:
            raise_for(answer, meaning)
        if answer.status < 300 and self.refusal is not None:
            raise_refusal(answer, self.refusal)
        return answer

    def _once(self, request: httpx.Request, until: float, accept: Collection[int], *, write: bool) -> Answer:
        with self._line() as (line, wire):
            wire.begin(until, silence=self._deadline * 0.75)
            try:
                answer = line.handle_request(request)
                try:
                    status = answer.status_code
                    refused = status >= 300 and status not in accept
                    content = _refused(answer) if refused else _whole(answer, self._cap)
                finally:
                    answer.close()
            except Late:
                unreadable("the service did not finish its answer in time", write=write)
            except ValueError:
                unreadable("the service's answer is too long or broken", write=write)
            except (httpx.LocalProtocolError, httpx.UnsupportedProtocol):
                raise Rejected("the call cannot be written as an HTTP request") from None
            except httpx.TransportError:
                _raise_lost(sent=wire.sent, write=write)
        return Answer(status, {name.lower(): value for name, value in answer.headers.items()}, content, write)

    @contextmanager
    def _line(self) -> Iterator[tuple[httpx.HTTPTransport, Wire]]:
        """Connections of its own, for one call at a time: shared ones cost 20 x under 64 threads.

        Without httpx's client around it, which takes a quarter of a call's processor time: what it would add
        (cookies, redirects, logins of .netrc) no call of ours may have.
        """
        try:
            line = self._idle.pop()
        except IndexError:
            line = self._open()
        try:
            yield line
        finally:
            self._idle.append(line)

    def _open(self) -> tuple[httpx.HTTPTransport, Wire]:
        wire = Wire(loopback=self._loopback, proxy=self._proxy is not None)
        try:
            transport = httpx.HTTPTransport(verify=_tls(os.environ.get("SSL_CERT_FILE")), proxy=self._proxy)
        except (ImportError, ValueError):
            raise NotConnected("proxy: this address cannot be used as a proxy") from None
        # The pool takes a network backend, httpx (0.28) does not pass one on.
        transport._pool._network_backend = wire
        return transport, wire

    def _url(self, path: str) -> str:
        if path.startswith(("https://", "http://")):
            return self._fit(path, self._hosts, Rejected)
        if re.search(r"[?# ]|//", path) or any(map(_STRAYS.search, (path, unquote(path), unquote(unquote(path))))):
            raise Rejected("the path leaves the service's address or has forbidden characters")
        return f"{self._base}/{path.lstrip('/')}" if path else self._base

    def _fit(self, url: str, hosts: frozenset[str], error: type[ConnectorError]) -> str:
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            raise error("base_url: this is no web address") from None
        if parts.scheme != "https" and not (parts.scheme == "http" and self._loopback and _here(host)):
            raise error("base_url: it must begin with https:// (http:// only on this machine, with allow_loopback)")
        if not host or re.search(r"[@%\\]", parts.netloc) or parts.fragment:
            raise error("base_url: it needs a plain host, and neither a login nor a # part")
        if hosts and host not in hosts:
            raise error("the address lies outside this service's hosts")
        if named_inside(host, loopback=self._loopback):
            raise error("the service's address lies inside a private network or on this machine")
        return url


def local(base_url: str, *, headers: Mapping[str, str] | None = None, deadline: float = DEADLINE) -> Http:
    """The way to a port of our own (demo, health checks). Raises ValueError for an address that is not loopback."""
    if not _here(urlsplit(base_url).hostname or ""):
        raise ValueError("only 127.0.0.1, ::1 and localhost are local")
    return Http(base_url, allow_loopback=True, headers=headers, deadline=deadline)


def _here(host: str) -> bool:
    return host in {"localhost", "::1"} or bool(re.fullmatch(r"127(\.\d{1,3}){3}", host))


def _login(auth: tuple[str, str] | None) -> dict[str, str]:
    """The header of a name and a password."""
    return {"authorization": f"Basic {b64encode(':'.join(auth).encode()).decode()}"} if auth else {}


def _portable(key: str) -> str:
    safe = quote(key, safe="/:._-~")
    return safe if len(safe) <= _LONGEST_KEY else sha256(key.encode()).hexdigest()


@lru_cache(maxsize=4)
def _tls(cert_file: str | None) -> ssl.SSLContext:
    """One context for all: each costs 20 ms and 0.8 MB."""
    try:
        return httpx.create_ssl_context()
    except OSError:
        raise NotConnected(f"SSL_CERT_FILE: {cert_file} cannot be read as certificates") from None


def _tries(until: float) -> tenacity.Retrying:
    def again(error: BaseException) -> bool:
        return isinstance(error, Unavailable) and (error.retry_after or 0) <= 1 and time.monotonic() + 1 < until

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(again), stop=tenacity.stop_after_attempt(3), wait=_PAUSE, reraise=True
    )


def _whole(answer: httpx.Response, cap: int) -> bytes:
    return unpacked(answer.iter_raw(), answer.headers.get("content-encoding", ""), cap)


def _refused(answer: httpx.Response) -> bytes:
    """The body of a refusal as far as it can be had: its status alone says enough."""
    try:
        return _whole(answer, _ERROR_CAP)
    except (Late, ValueError, httpx.TransportError):
        return b""


def _raise_lost(*, sent: bool, write: bool) -> Never:
    if not sent:
        raise Unavailable("the service cannot be reached") from None
    raise (Uncertain if write else Unavailable)("the service's answer was lost") from None
