"""Any sender that signs by Standard Webhooks and has no connector of its own."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr, field_validator

from connectors.base import Connector, Incoming
from connectors.errors import ConnectorError, Odd
from connectors.signatures import verify_standard

RECEIVED = "webhook.received"
_LONGEST_KEY = 255
_EVENT = r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+"


class Webhook(Connector):
    """Receives signed webhooks under the name `event`; `key` and `party` are dotted paths in the payload."""

    service: ClassVar[str] = "webhook"
    room: ClassVar[str] = "forms"
    events: ClassVar[tuple[str, ...]] = (RECEIVED,)
    signed: ClassVar[bool] = True
    console: ClassVar[str] = """
        At the sender, find where webhooks (endpoints, notifications) are set up, and add one
        Enter the address that `digilog connect NAME` shows, and choose the events that a playbook waits for
        Copy the signing secret that it shows (whsec_...) into the connection's variable
    """

    scheme: Literal["standard"] = "standard"
    event: str = Field(RECEIVED, pattern=f"^{_EVENT}$")
    key: str | None = None
    party: str | None = None
    signing_secrets: list[SecretStr] = Field(
        description="the sender shows it beside the webhook's address (whsec_...); several: separate them by commas"
    )

    @field_validator("key", "party")
    @classmethod
    def _is_a_path(cls, path: str | None) -> str | None:
        if path is not None and not all(path.split(".")):
            raise ValueError("write a path with dots, like data.id")
        return path

    @classmethod
    def sends(cls, settings: Mapping[str, object]) -> tuple[str, ...]:
        return (str(settings.get("event", RECEIVED)),)

    def receive(self, headers: Mapping[str, str], raw: bytes) -> Incoming:
        """Verify by any active secret, then read key and party. Raises Forged, Odd or NotConnected."""
        try:
            id = verify_standard(self.signing_secrets, headers, raw)
            payload = _payload(raw)
            key = id if self.key is None else _scalar(payload, self.key)
            if not key or len(key) > _LONGEST_KEY:
                raise Odd(f"the payload has no usable key at {self.key or 'webhook-id'}")
        except ConnectorError as error:
            error.connection = self.name
            raise
        return Incoming(self.event, key, payload, _scalar(payload, self.party) if self.party else None)


def _payload(raw: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(raw)
    except (ValueError, RecursionError):
        raise Odd("the payload is no JSON") from None
    if not isinstance(payload, dict):
        raise Odd("the payload is no JSON object")
    return payload


def _scalar(payload: dict[str, Any], path: str) -> str | None:
    """Text of a string or whole number at a dotted path, None for anything else."""
    found: object = payload
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, bool) or not isinstance(found, str | int):
        return None
    return str(found).strip() or None
