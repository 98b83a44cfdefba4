"""Telegram: by its own list of parameters, with a token that never shows, believing only who brings the secret."""

import json
import logging
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from connectors.base import Greeting
from connectors.errors import ConnectorError, Forged, NotConnected, Odd, Rejected, Unavailable, Uncertain
from connectors.messaging.telegram import Telegram
from connectors.testing import scripted
from tests.connectors.samples import telegram as sample

PREFIX = "DIGILOG_CONNECTIONS__DESK__"
ENVIRON = {f"{PREFIX}{field.upper()}": value for field, value in sample.SECRETS.items()}
SENDING, ASKING = sample.GOOD
RAW = sample.EVENTS[0][1]
SPEC = json.loads((Path(__file__).parents[2] / "peers" / "specs" / "telegram_bot_api.json").read_text())


def desk(settings=sample.SETTINGS, environ=ENVIRON):
    return Telegram.connect("desk", settings, environ=environ)


@contextmanager
def telegram(answers=None):
    with (
        scripted(sample.GOOD | (answers or {})) as service,
        closing(desk({**sample.SETTINGS, "base_url": service.base_url, "allow_loopback": True})) as connection,
    ):
        yield service, connection


def send(connection, text="새 신청"):
    return connection.call("send", sample.ACTIONS["send"] | {"text": text}, key="case-1/step")


@pytest.mark.verifies("telegram.send", peer="telegram-bot-api-spec 160fd99507 (its parameters)")
def test_a_message_has_only_parameters_that_telegram_knows():
    with telegram() as (service, connection):
        sent = send(connection, "*굵게* [여기](https://evil.example) @here")
    fields = {one["name"]: one for one in SPEC["methods"]["sendMessage"]["fields"]}
    body = service.asked[0].json()
    assert set(body) <= set(fields)
    assert {name for name, one in fields.items() if one["required"]} <= set(body)
    assert set(body["link_preview_options"]) <= {one["name"] for one in SPEC["types"]["LinkPreviewOptions"]["fields"]}
    assert body["text"] == "온다\n*굵게* [여기](https://evil.example) @here"  # without parse_mode it stays text
    assert (sent["id"], sent["at"].isoformat()) == ("41", "2023-11-14T22:13:20+00:00")


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (400, {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}, Rejected),
        (401, {"ok": False, "error_code": 401, "description": "Unauthorized"}, NotConnected),
        (403, {"ok": False, "error_code": 403, "description": "Forbidden: bot was kicked"}, Rejected),
        (404, {"ok": False, "error_code": 404, "description": "Not Found"}, NotConnected),
        (429, {"ok": False, "error_code": 429, "parameters": {"retry_after": 17}}, Unavailable),
        (429, {"ok": False, "parameters": {"retry_after": "soon"}}, Unavailable),
        (500, {"ok": False}, Uncertain),
        (200, {"ok": False}, Uncertain),
        (200, {"ok": True, "result": True}, Uncertain),
        (200, {"ok": True, "result": {}}, Uncertain),
        (200, [], Uncertain),
    ],
)
def test_a_refusal_is_what_it_means_and_never_shows_the_token(status, answer, kind, caplog):
    caplog.set_level(logging.DEBUG, "digilog")
    with telegram({SENDING: (status, answer)}) as (_, connection), pytest.raises(kind) as caught:
        send(connection)
    assert caught.type is kind
    assert sample.SECRETS["token"] not in f"{caught.value!r} {caught.value} {connection!r} {caplog.text}"
    if isinstance(caught.value, Unavailable) and answer["parameters"]["retry_after"] == 17:
        assert caught.value.retry_after == 17


def test_the_token_shows_in_no_error_of_an_address_that_nobody_answers():
    nobody = {**sample.SETTINGS, "base_url": "http://127.0.0.1:9", "allow_loopback": True}
    with closing(desk(nobody)) as connection, pytest.raises(ConnectorError) as caught:
        send(connection)
    assert "AAHdq" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_a_text_that_telegram_would_refuse_is_not_sent():
    with telegram() as (service, connection), pytest.raises(Rejected, match="4,096"):
        send(connection, "😀" * 2048)
    assert service.asked == []


def test_a_message_to_the_bot_is_one_event_however_often_it_comes():
    event = desk().receive(sample.headers_of(RAW, sample.SECRETS), RAW)
    assert (event.name, event.key) == ("message.replied", "792314201")
    assert desk().read(event.name, RAW) == {
        "text": "제가 전화할게요",
        "by": "5550101",
        "name": "한원장",
        "chat": "-1001234567890",
        "message": "42",
        "at": "2023-11-14T22:15:00+00:00",
    }


@pytest.mark.parametrize("given", ["", "another", "word_of_chance-4", "한글"])
def test_who_does_not_bring_the_secret_is_not_believed(given):
    with pytest.raises(Forged):
        desk().receive({"X-Telegram-Bot-Api-Secret-Token": given}, RAW)
    with pytest.raises(NotConnected):
        desk(environ={f"{PREFIX}TOKEN": "1:a"}).receive({}, RAW)


def test_updates_that_are_no_message_are_let_go():
    raw = json.dumps({"update_id": 7, "my_chat_member": {}}).encode()
    assert desk().receive(sample.headers_of(raw, sample.SECRETS), raw) == Greeting("")


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"update_id": "7", "message": {}}', b'{"update_id": true}'])
def test_signed_and_odd_goes_to_a_person(raw):
    with pytest.raises(Odd):
        desk().receive(sample.headers_of(raw, sample.SECRETS), raw)


@pytest.mark.parametrize("message", [{}, [], {"message_id": "1", "chat": {"id": 1}}, {"message_id": 1, "chat": {}}])
def test_a_message_of_another_shape_goes_to_a_person(message):
    with pytest.raises(Odd):
        desk().read("message.replied", json.dumps({"update_id": 7, "message": message}).encode())
