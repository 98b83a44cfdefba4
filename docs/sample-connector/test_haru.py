"""The connector against a service that answers by script; nothing of it is replaced."""

import base64
import hmac
import json

import pytest
from digilog_haru import Haru

from connectors.errors import Forged, Rejected
from connectors.testing import promises, scripted

SETTINGS = {"base_url": "https://api.haru.example"}
SECRETS = {
    "DIGILOG_CONNECTIONS__BOOKINGS__TOKEN": "KEY",
    "DIGILOG_CONNECTIONS__BOOKINGS__SIGNING_SECRETS": "whisper",
}
BOOKING = {
    "id": "b-1",
    "name": "김하나",
    "phone": "010-1234-5678",
    "at": "2026-11-23T10:00:00+09:00",
    "state": "booked",
}


def connect(settings):
    return Haru.connect("bookings", settings, environ=SECRETS)


def test_it_keeps_what_every_connector_promises():
    assert promises("haru", Haru, SETTINGS) == []


def test_a_booking_is_made_under_its_key():
    with scripted({"POST /v1/bookings": (201, BOOKING)}) as service:
        haru = connect({"base_url": service.base_url, "allow_loopback": True})
        asked = {"name": "김하나", "phone": "010-1234-5678", "at": "2026-11-23T10:00:00+09:00"}
        assert haru.call("book", asked, key="case-1/book")["id"] == "b-1"
        haru.close()
    assert service.asked[0].headers["idempotency-key"] == "case-1/book"
    assert service.asked[0].json()["name"] == "김하나"


def test_a_time_that_is_taken_is_told_in_words():
    with scripted({"POST /v1/bookings": (409, {"error": "slot_taken"})}) as service:
        haru = connect({"base_url": service.base_url, "allow_loopback": True})
        with pytest.raises(Rejected, match="somebody else has this time"):
            haru.call("book", {"name": "a", "phone": "b", "at": BOOKING["at"]}, key="k")
        haru.close()


def test_only_what_haru_signed_is_believed():
    raw = json.dumps({"booking": BOOKING}).encode()
    signature = base64.b64encode(hmac.digest(b"whisper", raw, "sha256")).decode()
    haru = connect(SETTINGS)
    assert haru.receive({"Haru-Signature": signature}, raw).key == "b-1"
    assert haru.read("booking.made", raw)["name"] == "김하나"
    with pytest.raises(Forged):
        haru.receive({"Haru-Signature": signature}, raw + b" ")
