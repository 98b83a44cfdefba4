"""Any sender that signs its webhooks, or brings a secret, and has no connector of its own."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from connectors.base import Connector, Incoming
from connectors.errors import ConnectorError, Forged, Odd
from connectors.payload import json_object
from connectors.signatures import Encoding, Hmac, verify_hmac, verify_standard, verify_token

RECEIVED = "webhook.received"
_LONGEST_KEY = 255
_EVENT = r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+"
_HEADER = r"^[A-Za-z0-9_-]{0,100}$"
_ID = "webhook-id"

# What a scheme of a vendor's name stands for, and no more than that: how it signs, and the header of its own key.
_PRESETS: Mapping[str, tuple[Hmac, str]] = {
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries; a redelivery keeps its number
    "github": (Hmac("X-Hub-Signature-256", prefix="sha256="), "X-GitHub-Delivery"),
    # https://shopify.dev/docs/apps/build/webhooks/verify-deliveries
    "shopify": (Hmac("X-Shopify-Hmac-SHA256", "base64"), "X-Shopify-Webhook-Id"),
    # https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures
    "calendly": (Hmac("Calendly-Webhook-Signature", listed=True), ""),
}
_SVIX = "svix-"  # https://docs.svix.com/receiving/verifying-payloads/how-manual: Standard Webhooks by their old names
_TAKEN = {"hmac": {"header", "encoding", "prefix", "style", "timestamp_header"}, "token": {"header", "prefix"}}


class Webhook(Connector):
    """Receives webhooks that are signed, by any sender, under the name `event`. `key` and `party` are dotted paths.

    A scheme of a vendor's name is complete. `hmac` wants the `header` of the signature, an HMAC-SHA256 of the body in
    hex or base64; a time in `timestamp_header`, or in the header itself (`style: list`, t=...,v1=...), is signed before
    the body and a dot. `token` is for who cannot sign: the secret itself stands in `header`. Without `key` or
    `key_header` the id that was signed counts, and where there is none, the same body twice is one event.
    """

    service: ClassVar[str] = "webhook"
    room: ClassVar[str] = "forms"
    events: ClassVar[tuple[str, ...]] = (RECEIVED,)
    signed: ClassVar[bool] = True
    console: ClassVar[str] = """
        At the sender, find where webhooks (endpoints, notifications) are set up, and add one
        Enter the address that `digilog connect NAME` shows, and choose the events that a playbook waits for
        Where it asks for a format, choose JSON
        Copy the signing secret that it shows into the connection's variable; if it asks for one, make a long word
    """

    scheme: Literal["standard", "hmac", "token", "github", "shopify", "calendly", "svix"] = "standard"
    header: str = Field("", pattern=_HEADER)
    encoding: Encoding = "hex"
    prefix: str = Field("", pattern=r"^[ -~]{0,100}$")
    style: Literal["plain", "list"] = "plain"
    timestamp_header: str = Field("", pattern=_HEADER)
    event: str = Field(RECEIVED, pattern=f"^{_EVENT}$")
    key: str | None = None
    key_header: str = Field("", pattern=_HEADER)
    party: str | None = None
    signing_secrets: list[SecretStr] = Field(
        description="the sender shows it beside the webhook's address (whsec_... for `standard`), or asks you for one; "
        "several: separate them by commas"
    )

    @field_validator("key", "party")
    @classmethod
    def _is_a_path(cls, path: str | None) -> str | None:
        if path is not None and not all(path.split(".")):
            raise ValueError("write a path with dots, like data.id")
        return path

    @field_validator("header", "encoding", "prefix", "style", "timestamp_header")
    @classmethod
    def _is_of_the_scheme(cls, value: str, info: ValidationInfo) -> str:
        scheme, name = info.data.get("scheme", ""), str(info.field_name)
        if name == "header" and scheme in _TAKEN and not value:
            raise ValueError(f"scheme {scheme} wants the name of the header")
        if value != cls.model_fields[name].default:
            if scheme and name not in _TAKEN.get(scheme, ()):
                raise ValueError(f"scheme {scheme} does not take this; scheme hmac does")
            if name == "style" and info.data.get("prefix"):
                raise ValueError("a list has no prefix")
            if name == "timestamp_header" and info.data.get("style") == "list":
                raise ValueError("the time stands in the list")
        return value

    @field_validator("key_header")
    @classmethod
    def _is_the_only_key(cls, header: str, info: ValidationInfo) -> str:
        if header and info.data.get("key"):
            raise ValueError("write key or key_header")
        return header

    @classmethod
    def sends(cls, settings: Mapping[str, object]) -> tuple[str, ...]:
        return (str(settings.get("event", RECEIVED)),)

    def probe(self) -> str:
        """Look whether the secrets can be used at all; a sender cannot be asked. Raises NotConnected."""
        with suppress(Forged):
            self.receive({}, b"{}")
        return "the secrets can be used; whether they are the sender's shows with its first webhook"

    def receive(self, headers: Mapping[str, str], raw: bytes) -> Incoming:
        """Verify by any active secret, then read key and party. Raises Forged, Odd or NotConnected."""
        given = {name.lower(): value for name, value in headers.items()}
        try:
            id = self._verified(given, raw)
            payload = json_object(raw)
            key = self._key(given, payload, id)
        except ConnectorError as error:
            error.connection = self.name
            raise
        return Incoming(self.event, key, payload, _scalar(payload, self.party) if self.party else None)

    def read(self, name: str, raw: bytes) -> dict[str, Any]:
        """The payload as it is. Raises Odd."""
        del name
        return json_object(raw)

    def _verified(self, given: Mapping[str, str], raw: bytes) -> str:
        """The webhook's own id, or the digest of its body. Raises Forged or NotConnected."""
        match self.scheme:
            case "standard" | "svix":
                plain = _unbranded(given) if self.scheme == "svix" else given
                return verify_standard(self.signing_secrets, plain, raw)
            case "token":
                said = given.get(self.header.lower(), "")
                token = said.removeprefix(self.prefix).strip() if said.startswith(self.prefix) else ""
                verify_token(self.signing_secrets, token)
            case "hmac":
                listed = self.style == "list"
                how = Hmac(self.header, self.encoding, self.prefix, self.timestamp_header, listed)
                verify_hmac(self.signing_secrets, given, raw, how)
            case vendor:
                verify_hmac(self.signing_secrets, given, raw, _PRESETS[vendor][0])
        return hashlib.sha256(raw).hexdigest()

    def _key(self, given: Mapping[str, str], payload: dict[str, Any], id: str) -> str:
        usual = _PRESETS[self.scheme][1] if self.scheme in _PRESETS else ""
        header = "" if self.key else self.key_header or usual
        key = _scalar(payload, self.key) if self.key else given.get(header.lower(), "").strip() if header else id
        if not key or len(key) > _LONGEST_KEY:
            raise Odd(f"the webhook has no usable key at {self.key or header or _ID}")
        return key


def _unbranded(given: Mapping[str, str]) -> dict[str, str]:
    """Names of Standard Webhooks for those of Svix, which may bring either."""
    old = {f"webhook-{name.removeprefix(_SVIX)}": value for name, value in given.items() if name.startswith(_SVIX)}
    return {**given, **old}


def _scalar(payload: dict[str, Any], path: str) -> str | None:
    """Text of a string or whole number at a dotted path, None for anything else."""
    found: object = payload
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, bool) or not isinstance(found, str | int):
        return None
    return str(found).strip() or None
