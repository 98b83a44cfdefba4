"""Solapi: what its own library would send, found before it is sent again, and never dearer than was meant."""

import hashlib
import hmac
import json
import re
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from solapi.lib.authenticator import Authenticator
from solapi.model.request.send_message_request import SendMessageRequest

from connectors.errors import NotConnected, Rejected, Unavailable, Uncertain
from connectors.messaging.korean import size, unwritable
from connectors.messaging.solapi import Solapi
from connectors.testing import scripted
from tests.connectors.samples import solapi as sample

ENVIRON = {f"DIGILOG_CONNECTIONS__TEXTS__{field.upper()}": value for field, value in sample.SECRETS.items()}
SENDING, LISTING, BALANCE = sample.GOOD
KEY = "case-1/step"


@contextmanager
def solapi(answers=None, **settings):
    with scripted(sample.GOOD | (answers or {})) as service:
        settings = {**sample.SETTINGS, "base_url": service.base_url, "allow_loopback": True, **settings}
        with closing(Solapi.connect("texts", settings, environ=ENVIRON)) as connection:
            yield service, connection


def send(connection, medium="alimtalk", key=KEY, **more):
    return connection.call("send", sample.ACTIONS["send"] | {"medium": medium} | more, key=key)


def written(text):
    """A text message's body, as it leaves."""
    with solapi() as (service, connection):
        send(connection, "sms", text=text)
    return service.asked[0].json()["messages"][0]["text"]


def test_an_alimtalk_is_its_template_and_its_values_and_never_becomes_a_text_message_unasked():
    with solapi() as (service, connection):
        sent = send(connection)
    body = service.asked[0].json()
    (message,) = body["messages"]
    assert message["kakaoOptions"] == {
        "pfId": sample.SETTINGS["kakao_channel"],
        "templateId": "KA01TP",
        "variables": {"#{이름}": "김하나"},
        "disableSms": True,
    }
    assert (message["to"], message["from"], message["type"]) == ("01033334444", "025550101", "ATA")
    assert message["customFields"] == {"digilog": KEY}
    assert sent["id"] == "M4V20261120163506CQKNPHTPCX4P5E1"


@pytest.mark.parametrize(("medium", "more"), [("alimtalk", {}), ("sms", {}), ("lms", {"subject": "예약 안내"})])
def test_what_is_sent_is_what_solapis_own_library_would_send(medium, more):
    with solapi() as (service, connection):
        send(connection, medium, **more)
    ours = service.asked[0].json()
    theirs = SendMessageRequest.model_validate(ours).model_dump(mode="json", by_alias=True, exclude_none=True)
    assert ours["messages"] == theirs["messages"]
    assert (ours["allowDuplicates"], ours["showMessageList"]) == (False, True)


def test_each_call_is_signed_as_solapis_own_library_signs_and_none_twice_alike():
    with solapi() as (service, connection):
        for key in ("a", "b"):
            send(connection, key=key)
    heads = [one.headers["authorization"] for one in service.asked]
    for head in heads:
        given = dict(re.findall(r"(\w+)=([^,\s]+)", head.removeprefix("HMAC-SHA256 ")))
        assert given["apiKey"] == sample.SECRETS["api_key"]
        expected = Authenticator.get_signature(sample.SECRETS["api_secret"], given["date"] + given["salt"])
        assert hmac.compare_digest(given["signature"], expected)
        assert abs(datetime.now(UTC) - datetime.fromisoformat(given["date"])) < timedelta(minutes=1)
    assert heads[0] != heads[1]
    assert sample.SECRETS["api_secret"] not in "".join(heads)


def test_a_message_is_found_by_its_mark_on_any_page_of_two_days():
    other = {"M1": {"customFields": None}, "M2": {"customFields": {"digilog": "case-2/step"}}, "M3": "odd"}
    pages = [(200, {"messageList": other, "nextKey": "M3"}), sample.GOOD[LISTING]]
    with solapi({LISTING: pages}) as (service, connection):
        found = connection.call("find", {}, key=KEY)
        assert connection.call("find", {}, key="case-9/step") is None
    assert (found["id"], found["medium"]) == ("M4V20261120163506CQKNPHTPCX4P5E1", "alimtalk")
    assert found["at"] == datetime(2026, 11, 20, 7, 35, 6, tzinfo=UTC)
    first, second = (parse_qs(urlsplit(one.path).query) for one in service.asked[:2])
    assert second["startKey"] == ["M3"]
    assert first["dateType"] == ["CREATED"]
    since, until = (datetime.fromisoformat(first[name][0]) for name in ("startDate", "endDate"))
    assert since < datetime.now(UTC) - timedelta(hours=47) < datetime.now(UTC) < until


def test_a_long_key_is_marked_by_its_hash_since_a_field_holds_a_hundred_letters():
    long = "case/" + "x" * 200
    with solapi() as (service, connection):
        send(connection, key=long)
    mark = service.asked[0].json()["messages"][0]["customFields"]["digilog"]
    assert mark == hashlib.sha256(long.encode()).hexdigest()
    assert len(mark) <= 100


def test_a_message_that_was_never_taken_counts_as_not_sent():
    listed = json.loads(json.dumps(sample.LISTED))
    for one in listed["messageList"].values():
        one["statusCode"] = "1062"
    with solapi({LISTING: (200, listed)}) as (_, connection):
        assert connection.call("find", {}, key=KEY) is None


@pytest.mark.parametrize("answer", [{"messageList": []}, {}, [], {"messageList": None}])
def test_a_list_that_cannot_be_read_never_counts_as_not_sent(answer):
    with solapi({LISTING: (200, answer)}) as (_, connection), pytest.raises(Rejected):
        connection.call("find", {}, key=KEY)


def test_a_list_without_an_end_never_counts_as_not_sent():
    endless = {LISTING: (200, {"messageList": {}, "nextKey": "again"})}
    with solapi(endless) as (_, connection), pytest.raises(Unavailable):
        connection.call("find", {}, key=KEY)


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (200, {**sample.TAKEN, "failedMessageList": [{"statusCode": "1062"}]}, Rejected),
        (200, {**sample.TAKEN, "failedMessageList": [7]}, Rejected),
        (200, {**sample.TAKEN, "messageList": None, "groupInfo": {}}, Uncertain),
        (200, {}, Uncertain),
        (200, [], Uncertain),
        (400, {"errorCode": "ValidationError", "errorMessage": "010-3333-4444"}, Rejected),
        (400, {"errorCode": "NotEnoughBalance", "errorMessage": ""}, NotConnected),
        (402, {}, NotConnected),
        (401, {}, NotConnected),
        (403, {"errorCode": "SignatureDoesNotMatch"}, NotConnected),
        (400, "no JSON", Rejected),
        (429, {}, Unavailable),
        (500, {"errorCode": "UnknownError"}, Uncertain),
    ],
)
def test_a_refusal_is_what_it_means_and_repeats_nothing_of_the_customer(status, answer, kind):
    with solapi({SENDING: (status, answer)}) as (_, connection), pytest.raises(kind) as caught:
        send(connection)
    assert caught.type is kind
    assert "3333" not in str(caught.value)
    assert sample.SECRETS["api_secret"] not in f"{caught.value!r} {connection!r}"


@pytest.mark.parametrize(("text", "bytes_"), [("가" * 45, 90), ("a" * 90, 90), ("가나다 abc", 10), ("", 0)])
def test_bytes_are_counted_as_the_carriers_do(text, bytes_):
    assert size(text) == bytes_


def test_a_text_message_that_is_too_long_goes_to_its_fallback_instead_of_becoming_dearer():
    with solapi() as (service, connection):
        with pytest.raises(Rejected, match="92 bytes, SMS carries 90") as caught:
            send(connection, "sms", text="가" * 46)
        with pytest.raises(Rejected, match="LMS carries 2000"):
            send(connection, "lms", text="가" * 1001)
        with pytest.raises(Rejected, match="40 bytes"):
            send(connection, "lms", text="가", subject="가" * 21)
        send(connection, "sms", text="가" * 45)
    assert "lms" in caught.value.next_step
    assert service.asked[0].json()["messages"][0]["autoTypeDetect"] is False
    assert len(service.asked) == 1


def test_signs_that_the_carriers_cannot_write_are_told_and_spaces_of_word_processors_are_no_trouble():
    assert unwritable("가😀나😀뷁🎉") == "😀🎉"
    with solapi() as (service, connection), pytest.raises(Rejected, match="😀"):
        send(connection, "sms", text="안녕하세요 😀")
    assert service.asked == []
    decomposed = "\u1100\u1161"  # as files of a Mac have it
    assert written(f"{decomposed}\u00a0나\u200b다 – 라") == "가 나다 - 라"


@pytest.mark.parametrize("to", ["+821033334444", "010-3333-4444", "01033334444", "+82 10-3333-4444", "+8201033334444"])
def test_a_number_is_dialled_as_at_home(to):
    with solapi() as (service, connection):
        send(connection, to=to)
    assert service.asked[0].json()["messages"][0]["to"] == "01033334444"


@pytest.mark.parametrize(
    ("more", "kind", "sentence"),
    [
        ({"to": "+14155550101"}, Rejected, "not a Korean one"),
        ({"to": "hana"}, Rejected, "not a Korean one"),
        ({"template": ""}, Rejected, "provider_template"),
        ({"medium": "email"}, Rejected, "alimtalk, sms and lms"),
    ],
)
def test_what_cannot_be_sent_is_told_before_anything_leaves(more, kind, sentence):
    with solapi() as (service, connection), pytest.raises(kind, match=sentence):
        send(connection, **more)
    assert service.asked == []


def test_an_alimtalk_needs_its_channel():
    with solapi(kakao_channel="") as (_, connection), pytest.raises(NotConnected, match="kakao_channel"):
        send(connection)


def test_the_probe_tells_what_is_left_to_send_with():
    with solapi() as (_, connection):
        assert "12,340 won" in connection.probe()
    with solapi({BALANCE: (200, {"balance": "much"})}) as (_, connection), pytest.raises(Rejected):
        connection.probe()
