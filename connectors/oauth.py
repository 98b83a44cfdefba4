"""OAuth 2: a person's consent becomes tokens in the vault, and a token that ends is renewed before it does."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Never
from urllib.parse import urlencode, urlsplit

from pydantic import Field, PrivateAttr, SecretStr

from connectors.answers import Answer
from connectors.base import Connector
from connectors.errors import ConnectorError, NotConnected, Rejected, Unavailable, Uncertain

_LEFT = timedelta(seconds=60)  # a token that lives shorter is not begun with
_UNSAID = 3600  # seconds that a token lives whose service does not say so
_LONGEST = 366 * 86400
# RFC 6749, 5.2: what a token endpoint may answer with status 400 or 401
_ENDED = frozenset({"invalid_grant"})
_WRONG_APP = frozenset({"invalid_client", "unauthorized_client"})


@dataclass(frozen=True, slots=True)
class Consent:
    """The page on which a person says yes; `state` and `verifier` (PKCE) prove that the answer is to this question."""

    url: str
    state: str
    verifier: str
    redirect: str


class OAuth(Connector):
    """What connectors share whose service wants a person's consent; `access_token` is always fresh."""

    authorize_url: ClassVar[str] = ""
    token_url: ClassVar[str] = ""
    authorize_more: ClassVar[Mapping[str, str]] = {}  # what this service wants beside the standard's words

    client_id: str = ""
    client_secret: SecretStr | None = Field(
        None, description="the service's console shows it beside the client id, where apps (OAuth clients) are listed"
    )

    _token: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def by_consent(self) -> bool:
        """Whether this connection's tokens come from a person's consent."""
        return True

    @property
    def consented_before(self) -> bool:
        """Whether tokens are kept; they may have been withdrawn since. Raises NotConnected or Unavailable."""
        return bool(self._vault.load(self.name))

    def access_token(self, *, fresh: bool = False) -> str:
        """A token that lives for a minute at least; `fresh`: the last one was refused before its time.

        Raises NotConnected when nobody consented or the consent was withdrawn, Unavailable when the service is away.
        """
        refused = self._token.get("access_token") if fresh else None
        if not fresh and _lives(self._token):
            return str(self._token["access_token"])
        with self._vault.locked(self.name):
            kept = self._vault.load(self.name)
            if not kept:
                raise self._unconsented("nobody has given consent yet")
            if not _lives(kept) or kept.get("access_token") == refused:  # else another thread or engine was faster
                kept = self._renewed(kept)
            self._token = kept
        return str(kept["access_token"])

    def consent(self, redirect: str) -> Consent:
        """The question to the person. `redirect`: where the service sends the answer. Raises NotConnected."""
        self._client()
        state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": redirect,
            "scope": " ".join(self.scopes),
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
            **self.authorize_more,
        }
        return Consent(f"{self.authorize_url}?{urlencode(asked)}", state, verifier, redirect)

    def consented(self, consent: Consent, code: str) -> None:
        """Turn the service's code into tokens and keep them. Raises NotConnected, Rejected or Unavailable."""
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": consent.redirect,
            "code_verifier": consent.verifier,
        }
        token = self._ask(asked, {})
        if not token["refresh_token"]:
            raise Rejected(
                "the service gave no token to come back with",
                next_step="remove the app's access in the account's settings at the service, then connect again",
            )
        with self._vault.locked(self.name):
            self._vault.save(self.name, token)
        self._token = token

    def _renewed(self, kept: Mapping[str, Any]) -> dict[str, Any]:
        refresh = kept.get("refresh_token")
        if not refresh:
            raise self._unconsented("the consent has ended")
        token = self._ask({"grant_type": "refresh_token", "refresh_token": refresh}, kept)
        # First kept, then used: a refresh token that replaced another is the only one that still works.
        self._vault.save(self.name, token)
        return token

    def _ask(self, asked: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
        """A token from its endpoint, asked once: a code or a refresh token may be good for one use only."""
        from connectors.http import Http

        http = Http(self._tokens_at(), allow_loopback=self.allow_loopback, proxy=self.proxy)
        try:
            answer = http.post("", form={**asked, **self._client()}, accept=(400, 401, 403))
            if answer.status >= 400:
                self._refused(answer)
            return _token(answer.json(), before)
        except Uncertain as error:  # it is not the step's own call that is uncertain: that one never left
            raise Unavailable(error.reason, connection=self.name) from None
        except Rejected as error:  # nor is anything wrong with what the step asks for
            raise NotConnected(error.reason, connection=self.name, next_step=self._next_step()) from None
        except ConnectorError as error:
            error.connection = self.name
            raise
        finally:
            http.close()

    def _tokens_at(self) -> str:
        """Where tokens are made; whoever sends its calls to this machine must not send the secret elsewhere."""
        base = urlsplit(self.base_url)
        if self.allow_loopback and base.scheme == "http":
            return f"{base.scheme}://{base.netloc}{urlsplit(self.token_url).path}"
        return self.token_url

    def _client(self) -> dict[str, str]:
        if not self.client_id or self.client_secret is None:
            raise NotConnected(
                "client_id and client_secret are needed before anybody can consent",
                connection=self.name,
                next_step="write client_id beside connector in company.yaml and set the secret's variable",
            )
        return {"client_id": self.client_id, "client_secret": self.client_secret.get_secret_value()}

    def _refused(self, answer: Answer) -> Never:
        try:
            said = answer.json().get("error")
        except (ConnectorError, AttributeError):
            said = None
        if said in _ENDED:
            raise self._unconsented("the consent has ended or was withdrawn")
        if said in _WRONG_APP or answer.status == 401:
            raise NotConnected("the service does not know this client_id and client_secret")
        raise NotConnected(f"the service gives no token ({answer.status})", next_step=self._next_step())

    def _unconsented(self, reason: str) -> NotConnected:
        return NotConnected(reason, connection=self.name, next_step=self._next_step())

    def _next_step(self) -> str:
        return f"run: digilog connect {self.name}"


def _lives(token: Mapping[str, Any]) -> bool:
    """Whether it has a minute left by the machine's own clock: a demo's clock moves no service's."""
    try:
        return datetime.fromisoformat(str(token["until"])) - datetime.now(UTC) >= _LEFT and bool(token["access_token"])
    except (KeyError, ValueError, TypeError):
        return False


def _token(answer: object, before: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept: access_token, until (ISO 8601, UTC), refresh_token (the last one if there is no new one)."""
    found = answer if isinstance(answer, dict) else {}
    access, refresh = found.get("access_token"), found.get("refresh_token")
    if not isinstance(access, str) or not access.isascii() or not access.isprintable() or not access:
        raise Unavailable("the service's answer holds no token")
    said = found.get("expires_in")
    try:
        lives = min(max(int(said), 0), _LONGEST) if isinstance(said, int | float | str) else _UNSAID
    except (ValueError, OverflowError):
        lives = _UNSAID
    return {
        "access_token": access,
        "until": (datetime.now(UTC) + timedelta(seconds=lives)).isoformat(),
        "refresh_token": refresh if isinstance(refresh, str) and refresh else before.get("refresh_token"),
    }
