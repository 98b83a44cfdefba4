"""How webhooks are verified: Standard Webhooks, HMAC over the body, Slack's; with several secrets active at once."""

import base64
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook

from connectors.errors import Forged, NotConnected


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


def verify_base64(secrets: Sequence[SecretStr], given: str, raw: bytes) -> None:
    """Believe `raw` if `given` is its HMAC-SHA256 in base64 under one of `secrets`.

    Raises Forged, or NotConnected when no secret is set.
    """
    _some(secrets)
    expected = (base64.b64encode(hmac.digest(one.get_secret_value().encode(), raw, "sha256")) for one in secrets)
    if not any(hmac.compare_digest(one, given.encode()) for one in expected):
        raise Forged("the webhook's signature is missing or wrong")


def verify_token(secrets: Sequence[SecretStr], given: str) -> None:
    """Believe a webhook that brings one of `secrets` itself. Raises Forged, or NotConnected when none is set."""
    _some(secrets)
    if not any(hmac.compare_digest(one.get_secret_value().encode(), given.encode()) for one in secrets):
        raise Forged("the webhook's secret is missing or wrong")


def verify_slack(secrets: Sequence[SecretStr], headers: Mapping[str, str], raw: bytes) -> None:
    """Believe `raw` if one of `secrets` signed it as Slack does, within five minutes of the machine's own clock.

    Raises Forged, or NotConnected when no secret is set.
    """
    _some(secrets)
    from slack_sdk.signature import SignatureVerifier  # it brings all of Slack's client: only whoever receives pays

    for one in secrets:
        try:
            if SignatureVerifier(one.get_secret_value()).is_valid_request(raw, dict(headers)):
                return
        except Exception:  # noqa: BLE001, S112 - odd headers and bodies make it raise what it does not document
            continue
    raise Forged("the webhook has no valid, recent signature")


def _some(secrets: Sequence[SecretStr]) -> None:
    if not secrets:
        raise NotConnected("no signing secret is set")


def _webhook(secret: SecretStr | str) -> Webhook:
    value = secret.get_secret_value() if isinstance(secret, SecretStr) else secret
    try:
        return Webhook(value)
    except Exception:  # noqa: BLE001 - binascii's, and the library's own that share no parent
        raise NotConnected("a signing secret is not base64, as Standard Webhooks wants it") from None


def _signed(webhook: Webhook, headers: Mapping[str, str], raw: bytes) -> bool:
    try:
        webhook.verify(raw, dict(headers), json_parse=False)
    except Exception:  # noqa: BLE001 - odd headers make the library raise what it does not document
        return False
    return True
