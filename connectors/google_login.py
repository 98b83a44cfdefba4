"""Google's way in: tokens of a service account by google-auth, and calls that bring them."""

import json
import re
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Never, Protocol

from google.auth.exceptions import GoogleAuthError, RefreshError
from google.auth.transport import Request, Response
from google.oauth2.service_account import Credentials

from connectors.answers import Answer, codes
from connectors.errors import NotConnected, Rejected, Unavailable
from connectors.http import Http

_LEFT = timedelta(seconds=60)  # a token that lives shorter is not begun with
_NO_TOKEN = "Google's answer to the login is no token"  # noqa: S105 - a sentence
_BUSY = frozenset({"internal_failure", "server_error", "temporarily_unavailable"})
_BROKEN = (GoogleAuthError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)  # it trusts answers
# https://cloud.google.com/apis/design/errors and google/api/error_reason.proto; the older APIs' words beside them
_MANY = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"})
_MANY_TOLD = re.compile(r"(?i)rate limit|quota")  # some say it in the message alone
_OFF = frozenset({"SERVICE_DISABLED", "accessNotConfigured"})
_NARROW = frozenset({"ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions"})


class Account:
    """A service account: its key signs for tokens, which are kept while they live."""

    def __init__(
        self, key: str, scopes: Collection[str], *, tokens_at: Callable[[], str], loopback: bool, proxy: str | None
    ) -> None:
        """`key`: the JSON text. Raises NotConnected when it is none."""
        self._door = _Door(tokens_at(), loopback=loopback, proxy=proxy)
        self._lock = threading.Lock()
        try:
            self._key = Credentials.from_service_account_info(json.loads(key), scopes=scopes)  # type: ignore[no-untyped-call]
        except _BROKEN:
            raise NotConnected(
                "service_account: this is no key of a Google service account",
                next_step="download the key again as JSON",
            ) from None

    @property
    def email(self) -> str:
        """The address with which documents are shared."""
        return str(self._key.service_account_email)

    def token(self, *, fresh: bool) -> str:
        """A token that lives for a minute at least; `fresh`: the last one was refused. Raises ConnectorError."""
        with self._lock:
            if fresh or not self._lives():
                self._renew()
            return str(self._key.token)

    def close(self) -> None:
        """Let go of open connections."""
        self._door.close()

    def _lives(self) -> bool:
        # google-auth counts by the machine's own clock, in UTC without saying so
        return bool(self._key.token) and self._key.expiry.replace(tzinfo=UTC) - datetime.now(UTC) >= _LEFT

    def _renew(self) -> None:
        self._key.token = None
        try:
            self._key.refresh(self._door)
            token, until = self._key.token, self._key.expiry
        except RefreshError as error:
            said = error.args[1] if len(error.args) > 1 else None
            if not isinstance(said, dict) or not isinstance(said.get("error"), str):
                raise Unavailable(_NO_TOKEN) from None
            raise NotConnected(
                "Google refused the service account's key",
                next_step="is the key deleted, or this computer's clock wrong? otherwise make a new key",
            ) from None
        except _BROKEN:
            raise Unavailable(_NO_TOKEN) from None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or until is None:
            self._key.token = None
            raise Unavailable(_NO_TOKEN)


class _Door(Request):
    """google-auth's way out is ours: its own knows no deadline, no proxy of the connection, no size."""

    def __init__(self, url: str, *, loopback: bool, proxy: str | None) -> None:
        self._http = Http(url, allow_loopback=loopback, proxy=proxy)

    def close(self) -> None:
        self._http.close()

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **more: Any,
    ) -> "_Told":
        """One call; where to, the key's file does not decide. Raises ConnectorError."""
        del url, timeout, more
        answer = self._http.send(method, "", content=body, headers=headers, write=False, accept=(400, 401, 403))
        if answer.status >= 400 and _BUSY.intersection(codes(answer.content)):  # google-auth would sleep and ask again
            raise Unavailable("Google's login asks to come later")
        try:
            answer.json()
        except Rejected:
            raise Unavailable(_NO_TOKEN) from None
        return _Told(answer)


class _Told(Response):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    @property
    def status(self) -> int:
        return self._answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._answer.headers

    @property
    def data(self) -> bytes:
        return self._answer.content.removeprefix(b"\xef\xbb\xbf")  # a proxy's mark of UTF-8, no part of the JSON


class _Owner(Protocol):
    api: ClassVar[str]
    document: ClassVar[str]

    @property
    def who(self) -> str: ...

    def bearer(self, *, fresh: bool = False) -> str: ...


class GoogleHttp(Http):
    """Calls with a token of `owner`; one that is refused is renewed once, since a refused call changed nothing."""

    def __init__(self, base_url: str, owner: _Owner, **more: Any) -> None:
        super().__init__(base_url, **more)
        self._owner = owner

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (),
        **more: Any,
    ) -> Answer:
        """One call, as `Http.send`. Raises NotConnected where the account may not come in, or the API is off."""
        for fresh in (False, True):
            token = {"authorization": f"Bearer {self._owner.bearer(fresh=fresh)}"}
            heard = {401, 403, 404, *accept}
            answer = super().send(method, path, headers={**(headers or {}), **token}, accept=heard, **more)
            if answer.status != 401:
                break
        if answer.status in {401, 403, 404} and answer.status not in accept:
            self._raise_refused(answer)
        return answer

    def _raise_refused(self, answer: Answer) -> Never:
        owner, reasons = self._owner, set(codes(answer.content))
        if answer.status == 401:
            raise NotConnected("Google refused the credentials (401)", next_step="make a new key, or consent again")
        if reasons & _MANY or _MANY_TOLD.search(answer.text):
            raise Unavailable("Google asks to come later (403)")
        if reasons & _OFF:
            where = f"Google Cloud console > APIs & Services > Library: enable {owner.api}"
            raise NotConnected(f"{owner.api} is not enabled in the project", next_step=where)
        if reasons & _NARROW:
            raise NotConnected("what was consented to does not allow this call", next_step="consent again")
        share = f"share it with {owner.who}"
        if answer.status == 404:
            raise NotConnected(f"Google finds no such {owner.document}", next_step=f"correct its address, or {share}")
        raise NotConnected(f"Google does not let this account do that with the {owner.document}", next_step=share)
