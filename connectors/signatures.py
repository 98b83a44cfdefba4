"""How webhooks are verified: Standard Webhooks, HMAC as each sender writes it, Slack's; several secrets at once."""

import base64
import hmac
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook

from connectors.errors import Forged, NotConnected

Encoding = Literal["hex", "base64"]
_TOLERANCE = 300  # seconds, as the libraries of Standard Webhooks, Stripe and Slack


@dataclass(frozen=True, slots=True)
class Hmac:
    """How a sender writes its HMAC-SHA256 of the raw body: `prefix` and the digest, in `header`.

    Who tells the time (whole seconds since 1970) in `timestamp_header` signs `time.body`. `listed` is both in one
    header, `t=1700000000,v1=...`, and while a secret is changed several v1.
    """

    header: str
    encoding: Encoding = "hex"
    prefix: str = ""
    timestamp_header: str = ""
    listed: bool = False


def verify_standard(secrets: Sequence[SecretStr | str], headers: Mapping[str, str], raw: bytes) -> str:
    """The webhook's id, if one of `secrets` signed `raw` within five minutes of the machine's own clock.

    Raises Forged, or NotConnected when no secret is set or one is no base64.
    """
    if not secrets:
        raise NotConnected("no signing secret is set")
    plain = {name.lower(): value for name, value in headers.items()}
    signer = [_webhook(secret) for secret in secrets]
    if any(_signed(one, plain, raw) for one in signer):
        return plain["webhook-id"]
    raise Forged("the webhook has no valid, recent signature")


def sign_standard(secret: SecretStr | str, id: str, at: datetime, raw: bytes) -> dict[str, str]:
    """Headers that a sender with `secret` gives to `raw`. `at` aware, any zone."""
    moment = at.astimezone(UTC)  # the library takes the wall time as UTC, whatever its zone
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": _webhook(secret).sign(id, moment, raw.decode()),
        "content-type": "application/json",
    }


def verify_hmac(secrets: Sequence[SecretStr], headers: Mapping[str, str], raw: bytes, how: Hmac) -> None:
    """Believe `raw` if one of `secrets` signed it as `how` says, if timed within five minutes of the machine's clock.

    Raises Forged, or NotConnected when no secret is set.
    """
    keys = _keys(secrets)
    plain = {name.lower(): value for name, value in headers.items()}
    written = plain.get(how.header.lower(), "")
    signed, given = raw, [written.removeprefix(how.prefix)] if written.startswith(how.prefix) else []
    if how.listed:
        stamp, given = _listed(written)
        signed = _recent(stamp) + b"." + raw
    elif how.timestamp_header:
        signed = _recent(plain.get(how.timestamp_header.lower(), "")) + b"." + raw
    _compare(keys, given, signed, how.encoding)


def verify_base64(secrets: Sequence[SecretStr], given: str, raw: bytes) -> None:
    """Believe `raw` if `given` is its HMAC-SHA256 in base64 under one of `secrets`.

    Raises Forged, or NotConnected when no secret is set.
    """
    _compare(_keys(secrets), [given], raw, "base64")


def verify_token(secrets: Sequence[SecretStr], given: str) -> None:
    """Believe a webhook that brings one of `secrets` itself. Raises Forged, or NotConnected when none is set."""
    if not any(hmac.compare_digest(one, _bytes(given)) for one in _keys(secrets)):
        raise Forged("the webhook's secret is missing or wrong")


def verify_slack(secrets: Sequence[SecretStr], headers: Mapping[str, str], raw: bytes) -> None:
    """Believe `raw` if one of `secrets` signed it as Slack does, within five minutes of the machine's own clock.

    Raises Forged, or NotConnected when no secret is set.
    """
    _keys(secrets)
    from slack_sdk.signature import SignatureVerifier  # it brings all of Slack's client: only whoever receives pays

    for one in secrets:
        try:
            if SignatureVerifier(one.get_secret_value()).is_valid_request(raw, dict(headers)):
                return
        except Exception:  # noqa: BLE001, S112 - odd headers and bodies make it raise what it does not document
            continue
    raise Forged("the webhook has no valid, recent signature")


def _compare(keys: Sequence[bytes], given: Sequence[str], signed: bytes, encoding: Encoding) -> None:
    """One of `given` is the HMAC of `signed`. Takes as long for a wrong one, however much of it is right."""
    found = [_bytes(one).lower() if encoding == "hex" else _bytes(one) for one in given]
    digests = [hmac.digest(key, signed, "sha256") for key in keys]
    expected = [one.hex().encode() if encoding == "hex" else base64.b64encode(one) for one in digests]
    if not any(hmac.compare_digest(right, one) for right in expected for one in found):
        raise Forged("the webhook's signature is missing or wrong")


def _listed(written: str) -> tuple[str, list[str]]:
    """The time and the signatures of `t=...,v1=...`."""
    parts = [one.partition("=") for one in written.split(",")]
    stamps = [value for name, _, value in parts if name.strip() == "t"]
    return stamps[0] if len(stamps) == 1 else "", [value.strip() for name, _, value in parts if name.strip() == "v1"]


def _recent(stamp: str) -> bytes:
    """The time as it was written, and signed. Raises Forged if it is none, or not of these five minutes."""
    if not re.fullmatch(r"[0-9]{1,12}", stamp) or abs(time.time() - int(stamp)) > _TOLERANCE:
        raise Forged("the webhook's time is missing, or more than five minutes away")
    return stamp.encode()


def _keys(secrets: Sequence[SecretStr]) -> list[bytes]:
    found = [_bytes(one.get_secret_value()) for one in secrets]
    if not found or not all(found):  # with an empty one anybody could sign
        raise NotConnected("no signing secret is set")
    return found


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # half a character must not end in another error


def _webhook(secret: SecretStr | str) -> Webhook:
    value = secret.get_secret_value() if isinstance(secret, SecretStr) else secret
    try:
        base64.b64decode(
            value.removeprefix("whsec_"), validate=True
        )  # the library takes what is none for a key as well
        return Webhook(value)
    except Exception:  # noqa: BLE001 - binascii's, and the library's own that share no parent
        raise NotConnected("a signing secret is not base64, as Standard Webhooks wants it") from None


def _signed(webhook: Webhook, headers: Mapping[str, str], raw: bytes) -> bool:
    try:
        webhook.verify(raw, dict(headers), json_parse=False)
    except Exception:  # noqa: BLE001 - odd headers make the library raise what it does not document
        return False
    return True
