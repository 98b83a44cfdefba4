"""Signed webhooks: what verifies is believed, what does not is not, and odd shapes go to a person."""

import base64
import json
import secrets
from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks.webhooks import Webhook as Sender

from connectors.errors import Forged, NotConnected, Odd
from connectors.forms.webhook import Webhook
from connectors.signatures import sign_standard

NEW = "whsec_" + base64.b64encode(b"n" * 24).decode()
OLD = "whsec_" + base64.b64encode(b"o" * 24).decode()
OTHER = base64.b64encode(b"x" * 24).decode()
BODY = json.dumps({"data": {"id": 41, "buyer": {"phone": "01012345678"}}}).encode()
SETTINGS = {"scheme": "standard", "event": "order.paid", "key": "data.id", "party": "data.buyer.phone"}
VARIABLE = "DIGILOG_CONNECTIONS__SHOP_EVENTS__SIGNING_SECRETS"


def shop(settings=SETTINGS, secrets=f"{NEW},{OLD}"):
    return Webhook.connect("shop-events", settings, environ={VARIABLE: secrets})


def headers(secret=NEW, body=BODY, *, age=timedelta(0), id="msg_1"):
    """As an independent sender makes them."""
    at = datetime.now(UTC) - age
    signature = Sender(secret).sign(id, at, body.decode())
    return {"webhook-id": id, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


@pytest.mark.verifies("webhook.receive", peer="standardwebhooks 1.1.0")
@pytest.mark.parametrize("secret", [NEW, OLD])
def test_any_active_secret_verifies(secret):
    event = shop().receive(headers(secret), BODY)
    assert (event.name, event.key, event.party) == ("order.paid", "41", "01012345678")
    assert event.payload == json.loads(BODY)


def test_the_key_is_the_signatures_id_unless_a_path_is_named():
    event = shop({}).receive({name.title(): value for name, value in headers().items()}, BODY)
    assert (event.name, event.key, event.party) == ("webhook.received", "msg_1", None)
    assert Webhook.sends(SETTINGS) == ("order.paid",)


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({}, BODY),
        (headers(OTHER), BODY),
        (headers(), BODY + b" "),
        (headers() | {"webhook-id": "msg_2"}, BODY),
        (headers(age=timedelta(minutes=6)), BODY),
        (headers(age=timedelta(days=-1)), BODY),  # so far ahead that no slow run comes up to it
        (headers() | {"webhook-timestamp": "soon"}, BODY),
        (headers() | {"webhook-timestamp": "nan"}, BODY),
        (headers() | {"webhook-timestamp": "1e400"}, BODY),
        (headers() | {"webhook-signature": "v1"}, BODY),
        (headers() | {"webhook-signature": "v1,a,b"}, BODY),
        (headers() | {"webhook-signature": "v1,한글"}, BODY),
        (headers() | {"webhook-signature": "v2,abcd"}, BODY),
        (headers(), b"\xff\xfe"),
    ],
)
def test_what_does_not_verify_is_forged(given, body):
    with pytest.raises(Forged) as caught:
        shop().receive(given, body)
    assert caught.value.connection == "shop-events"


def test_odd_headers_never_raise_anything_else():
    for _ in range(500):
        odd = {name: secrets.token_bytes(12).decode("latin-1") for name in headers()}
        with pytest.raises(Forged):
            shop().receive(odd, BODY)


@pytest.mark.parametrize(
    "body", [b"[1]", b"text", b"", b'{"data": 1}', b'{"data": {"id": {}}}', b'{"data": {"id": " "}}',
             b'{"data": {"id": true}}', b"[" * 100_000, b'{"data": {"id": "' + b"9" * 300 + b'"}}'],
)  # fmt: skip
def test_signed_and_odd_goes_to_a_person(body):
    with pytest.raises(Odd):
        shop().receive(headers(body=body), body)


def test_a_missing_or_unusable_secret_is_not_connected():
    with pytest.raises(NotConnected, match=VARIABLE):
        shop(secrets="")
    with pytest.raises(NotConnected, match="base64"):
        shop(secrets="whsec_a").receive(headers(), BODY)


def test_our_own_signature_verifies_whatever_the_zone_of_its_time():
    seoul = timezone(timedelta(hours=9))
    given = sign_standard(NEW, "m", datetime.now(seoul), BODY)
    assert shop({}).receive(given, BODY).key == "m"


def test_a_secret_that_can_never_verify_is_told_when_it_is_tried():
    assert "can be used" in shop().probe()
    with pytest.raises(NotConnected, match="not base64"):
        shop(secrets="not-whsec").probe()
