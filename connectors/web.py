"""Any JSON service that has no connector yet."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from connectors.actions import duration
from connectors.base import Action, Connector, action
from connectors.errors import Rejected, Uncertain
from connectors.http import Answer


class Reply(BaseModel):
    """What the service answered: JSON as data, other text as text, nothing as None."""

    model_config = ConfigDict(frozen=True)

    status: int
    data: Any = None


class Web(Connector):
    """Calls a web service by its own paths. Where it drops repeated keys, name that header: `idempotency_header`,
    and for how long it does: `idempotency_window`.
    """

    service: ClassVar[str] = "web"
    room: ClassVar[str] = "web"

    base_url: str
    headers: Mapping[str, str] = Field(default_factory=dict)
    idempotency_header: str | None = Field(None, pattern=r"^[A-Za-z0-9-]+$")
    idempotency_window: str | None = Field(None, pattern=r"^[1-9]\d*[smhd]$")
    token_header: str = "Authorization"  # noqa: S105 - a header's name
    token: SecretStr | None = Field(None, description="the service shows it as API key or access token")

    @classmethod
    def actions(cls, settings: Mapping[str, object] | None = None) -> Mapping[str, Action]:
        found = dict(super().actions())
        if settings and settings.get("idempotency_header"):
            window = settings.get("idempotency_window")
            found["post"] = replace(found["post"], effect="keyed", window=duration(str(window)) if window else None)
        return found

    @action
    def get(self, path: str, params: dict[str, str] | None = None) -> Reply:
        """Read a path."""
        return _reply(self.http.get(_path(path), params))

    @action(effect="once")
    def post(self, path: str, body: Any = None, *, key: str) -> Reply:
        """Send data to a path; sent again under the same key only where the service drops repeated keys."""
        return _reply(self.http.post(_path(path), body, key=key if self.idempotency_header else None))

    @action(effect="repeat")
    def put(self, path: str, body: Any = None) -> Reply:
        """Replace what a path names."""
        return _reply(self.http.put(_path(path), body))

    @action(effect="repeat")
    def delete(self, path: str) -> Reply:
        """Remove what a path names; what is gone already counts as removed."""
        return _reply(self.http.delete(_path(path), accept=(404, 410)))

    def credentials(self) -> dict[str, Any]:
        headers = dict(self.headers)
        if self.token is not None:
            secret = self.token.get_secret_value()
            headers[self.token_header] = f"Bearer {secret}" if self.token_header.lower() == "authorization" else secret
        return {"headers": headers, "key_header": self.idempotency_header or "Idempotency-Key"}


def _path(path: str) -> str:
    if "://" in path:  # it would leave the path in base_url, even on the same host
        raise Rejected("a path is wanted, not a whole address", next_step="put the address into base_url")
    return path


def _reply(answer: Answer) -> Reply:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if answer.status >= 300 or not answer.content.strip():
        return Reply(status=answer.status)
    if kind.endswith("json"):
        return Reply(status=answer.status, data=answer.json())
    if kind == "text/html":  # a login page or a gateway's own, answered with 200
        raise (Uncertain if answer.write else Rejected)("the service answered with a web page instead of data")
    return Reply(status=answer.status, data=answer.text)
