"""Slack: what leaves is plain words, what may have left is found again, and what comes in is signed.

Signatures are made by Slack's own library.
"""

import json
import time
from contextlib import closing, contextmanager
from urllib.parse import parse_qs, urlencode

import pytest
from slack_sdk.signature import SignatureVerifier

from connectors.base import Greeting
from connectors.errors import Forged, NotConnected, Odd, Rejected, Unavailable, Uncertain
from connectors.messaging.slack import Slack
from connectors.testing import scripted
from tests.connectors.samples import slack as sample

PREFIX = "DIGILOG_CONNECTIONS__DESK__"
ENVIRON = {f"{PREFIX}{field.upper()}": value for field, value in sample.SECRETS.items()}
KEY = "case-1/step"
REPLY, PRESS = (raw for _, raw in sample.EVENTS)


def desk(settings=sample.SETTINGS, environ=ENVIRON):
    return Slack.connect("desk", settings, environ=environ)


@contextmanager
def slack(answers=None):
    with (
        scripted(sample.GOOD | (answers or {})) as service,
        closing(desk({**sample.SETTINGS, "base_url": service.base_url, "allow_loopback": True})) as connection,
    ):
        yield service, connection


def signed(raw):
    return sample.headers_of(raw, sample.SECRETS)


def said(**error):
    return {"POST /chat.postMessage": (200, {"ok": False, **error})}


def send(connection, text="새 신청"):
    return connection.call("send", {"medium": "team", "to": "han", "text": text}, key=KEY)


def test_a_notice_carries_the_effect_it_is_found_by():
    with slack() as (service, connection):
        sent = send(connection)
        found = connection.call("find", {}, key=KEY)
        assert connection.call("find", {}, key="case-2/step") is None
    posted = service.asked[0].json()
    assert posted["metadata"]["event_payload"] == {"key": KEY}
    assert service.asked[0].headers["authorization"] == f"Bearer {sample.SECRETS['token']}"
    assert sent["id"] == found["id"] == "1700000000.000100"
    asked = parse_qs(service.asked[1].body.decode())
    assert asked["include_all_metadata"] == ["true"]
    assert float(asked["oldest"][0]) < time.time() - 47 * 3600


def test_a_message_is_found_on_any_page_of_any_of_the_connections_channels():
    page = {"ok": True, "messages": [{"ts": "1.0"}, "odd", {"metadata": []}], "has_more": True}
    pages = [(200, {**page, "response_metadata": {"next_cursor": "more"}}), sample.GOOD["POST /conversations.history"]]
    empty = (200, {"ok": True, "messages": []})
    with slack({"POST /conversations.history": pages}) as (service, connection):
        assert connection.call("find", {}, key=KEY)["to"] == "C0DESK001"
    assert parse_qs(service.asked[1].body.decode())["cursor"] == ["more"]
    with slack({"POST /conversations.history": [empty, sample.GOOD["POST /conversations.history"]]}) as (_, connection):
        assert connection.call("find", {}, key=KEY)["to"] == "C0OWNER01"


@pytest.mark.parametrize(
    "history",
    [
        {"ok": True, "messages": [], "has_more": True},
        {"ok": True},
        {"ok": True, "messages": [], "has_more": True, "response_metadata": {"next_cursor": "again"}},
    ],
)
def test_a_history_that_cannot_be_read_to_its_end_never_counts_as_not_sent(history):
    with slack({"POST /conversations.history": (200, history)}) as (_, connection), pytest.raises(Unavailable):
        connection.call("find", {}, key=KEY)


HOSTILE = "<!channel> <@U0HAN0001> <https://evil.example|여기> & @here"


def test_words_of_customers_call_nobody_and_hide_no_link():
    with slack() as (service, connection):
        send(connection, HOSTILE)
        connection.call("post", {"text": HOSTILE * 200, "done": "했어요"}, key=KEY)
        connection.call("update", {"message": "1.2", "text": HOSTILE})
    for one in service.asked:
        body = one.json()
        texts = [body["text"], *(block["text"]["text"] for block in body.get("blocks") or [] if "text" in block)]
        assert not any("<" in text or ">" in text for text in texts)
        assert body["link_names"] is False
    assert service.asked[0].json()["parse"] == "none"
    sections = [block["text"]["text"] for block in service.asked[1].json()["blocks"][:-1]]
    assert "".join(sections) == service.asked[1].json()["text"]
    assert all(len(one) <= 3000 and one.count("&") == one.count(";") for one in sections)


def test_buttons_open_https_only_and_say_which_message_was_done():
    with slack() as (service, connection):
        connection.call("post", {"text": "확인", "link": "https://desk.example.com/w", "done": "했어요"}, key=KEY)
        with pytest.raises(Rejected, match="https"):
            connection.call("post", {"text": "확인", "link": "javascript:alert(1)"}, key=KEY)
        with pytest.raises(Rejected, match="more_channels"):
            connection.call("post", {"text": "확인", "channel": "C0ELSE001"}, key=KEY)
    (_, actions) = service.asked[0].json()["blocks"]
    assert [one["action_id"] for one in actions["elements"]] == ["link", "done"]
    assert (actions["elements"][0]["url"], actions["elements"][1]["value"]) == ("https://desk.example.com/w", KEY)
    assert len(service.asked) == 1


@pytest.mark.parametrize(("secrets", "shown"), [({}, ["link"]), ({"signing_secrets": "s"}, ["link", "done"])])
def test_a_button_that_nobody_would_hear_is_not_shown(secrets, shown):
    environ = {f"{PREFIX}{name.upper()}": value for name, value in {"token": "xoxb-1", **secrets}.items()}
    settings = {**sample.SETTINGS, "allow_loopback": True}
    more = {"link": "https://desk.example.com/w", "link_label": "열기", "done": "done:1.2.3", "done_label": "했어요"}
    notice = {"medium": "team", "to": "han", "text": "새 할 일\n오늘", "subject": "새 할 일", **more}
    with (
        scripted(sample.GOOD) as service,
        closing(desk({**settings, "base_url": service.base_url}, environ)) as connection,
    ):
        connection.call("send", notice, key=KEY)
    body = service.asked[0].json()
    assert [one["action_id"] for one in body["blocks"][-1]["elements"]] == shown
    assert body["text"] == "새 할 일\n오늘"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("invalid_auth", NotConnected),
        ("token_revoked", NotConnected),
        ("missing_scope", NotConnected),
        ("ratelimited", Unavailable),
        ("channel_not_found", Rejected),
        ("is_archived", Rejected),
        ("something_new", Rejected),
        ("fatal_error", Uncertain),
        ("internal_error", Uncertain),
        ("service_unavailable", Uncertain),
        (7, Uncertain),
        (None, Uncertain),
    ],
)
def test_an_error_inside_a_200_is_what_it_means(error, kind):
    with slack(said(error=error)) as (_, connection), pytest.raises(kind) as caught:
        send(connection)
    assert "something_new" not in str(caught.value)


@pytest.mark.parametrize("answer", [{}, [], {"ok": "yes", "ts": "1.0"}, {"ok": True}, {"ok": True, "ts": "soon"}, "ok"])
def test_an_answer_that_names_no_message_leaves_it_open_whether_it_was_sent(answer):
    with slack({"POST /chat.postMessage": (200, answer)}) as (_, connection), pytest.raises(Uncertain):
        send(connection)


def test_the_handshake_is_answered_and_nothing_is_kept_of_it():
    raw = json.dumps({"type": "url_verification", "token": "x", "challenge": "3eZbrw1aB"}).encode()
    assert desk().receive(signed(raw), raw) == Greeting("3eZbrw1aB")


@pytest.mark.verifies("slack.receive", peer="slack_sdk.signature 3.47.0")
def test_an_answer_in_the_channel_is_an_event_in_plain_words():
    event = desk().receive(signed(REPLY), REPLY)
    assert (event.name, event.key) == ("message.replied", "Ev0PV52K21")
    assert desk().read(event.name, REPLY) == {
        "text": "제가 <오늘> 전화할게요 & 메모",
        "by": "U0HAN0001",
        "channel": "C0DESK001",
        "message": "1700000100.000200",
        "thread": "1700000000.000100",
        "at": "2023-11-14T22:15:00.000200+00:00",
    }


def test_a_pressed_button_is_an_event_and_a_second_press_another():
    event = desk().receive(signed(PRESS), PRESS)
    assert (event.name, event.key) == ("button.pressed", "U0HAN0001/1700000111.5")
    read = desk().read(event.name, PRESS)
    assert (read["button"], read["value"], read["by"], read["message"]) == (
        "done", KEY, "U0HAN0001", "1700000000.000100",
    )  # fmt: skip


@pytest.mark.parametrize("more", [{"bot_id": "B0APP0001"}, {"subtype": "message_changed"}, {"subtype": "channel_join"}])
def test_what_the_app_itself_wrote_comes_back_and_is_let_go(more):
    raw = json.dumps({**sample.REPLY, "event": {**sample.REPLY["event"], **more}}).encode()
    assert desk().receive(signed(raw), raw) == Greeting("")


def forgeries():
    old = str(int(time.time()) - 400)
    stale = SignatureVerifier(sample.SECRETS["signing_secrets"]).generate_signature(timestamp=old, body=REPLY)
    good = signed(REPLY)
    return [
        {},
        good | {"x-slack-signature": "v0=" + "0" * 64},
        good | {"x-slack-signature": "한글"},
        good | {"x-slack-request-timestamp": "soon"},
        good | {"x-slack-request-timestamp": "9" * 5000},
        {"x-slack-request-timestamp": old, "x-slack-signature": stale},
        sample.headers_of(REPLY, {"signing_secrets": "another"}),
    ]


@pytest.mark.parametrize("headers", forgeries())
def test_what_slack_did_not_sign_or_signed_long_ago_is_not_believed(headers):
    with pytest.raises(Forged):
        desk().receive(headers, REPLY)


def test_a_body_that_is_no_text_is_not_believed():
    with pytest.raises(Forged):
        desk().receive(signed(REPLY), b"\xff\xfe")


def test_without_a_signing_secret_it_writes_and_hears_nothing():
    with pytest.raises(NotConnected):
        desk(environ={f"{PREFIX}TOKEN": "xoxb-1"}).receive(signed(REPLY), REPLY)


def test_two_secrets_are_active_while_one_is_changed():
    both = ENVIRON | {f"{PREFIX}SIGNING_SECRETS": f"new-one,{sample.SECRETS['signing_secrets']}"}
    assert desk(environ=both).receive(signed(REPLY), REPLY).key


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b"payload=",
        b"payload=no",
        urlencode({"payload": json.dumps({**sample.PRESS, "actions": []})}).encode(),
        json.dumps({"type": "event_callback", "event_id": "Ev1", "event": {"type": "reaction_added"}}).encode(),
    ],
)
def test_signed_and_odd_goes_to_a_person(raw):
    with pytest.raises(Odd):
        desk().receive(signed(raw), raw)
    with pytest.raises(Odd):
        desk().read("button.pressed", raw)


@pytest.mark.parametrize("channel", ["#general", "general", "", "C0DESK 001", "c0desk"])
def test_a_channel_is_named_by_its_id_since_a_name_cannot_be_searched(channel):
    assert Slack.check_settings({"channel": channel})


PNG = b"\x89PNG\r\n\x1a\ngrid"
NOTICE = {"medium": "team", "to": "han", "subject": "어제의 숫자", "text": "신청 3", "picture": "digest"}


@contextmanager
def showing(home, answers=None):
    """Slack that takes pictures, and a home with one."""
    (home / "pictures").mkdir()
    (home / "pictures" / "digest.png").write_bytes(PNG)
    with scripted(
        sample.GOOD | {"POST /up/1": (200, "OK - 12"), "POST /files.completeUploadExternal": SHARED}
    ) as service:
        place = {"ok": True, "upload_url": f"{service.base_url}/up/1", "file_id": "F1"}
        service.answers["POST /files.getUploadURLExternal"] = (200, place)
        service.answers.update(answers or {})
        settings = {**sample.SETTINGS, "base_url": service.base_url, "allow_loopback": True}
        with closing(Slack.connect("desk", settings, environ=ENVIRON, home=home)) as connection:
            yield service, connection


SHARED = (200, {"ok": True, "files": [{"id": "F1", "title": "어제의 숫자"}]})


def test_a_picture_stands_below_its_notice(tmp_path):
    with showing(tmp_path) as (service, connection):
        assert connection.call("send", NOTICE, key=KEY)["picture"] == "uploaded"
    text, place, upload, shared = service.asked
    assert text.json()["metadata"]["event_payload"] == {"key": KEY}
    assert parse_qs(place.body.decode()) == {"filename": ["digest.png"], "length": [str(len(PNG))]}
    assert upload.body == PNG
    assert shared.json() == {"files": [{"id": "F1", "title": "어제의 숫자"}], "channel_id": "C0DESK001"}


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("files.getUploadURLExternal", (200, {"ok": False, "error": "missing_scope"})),
        ("files.getUploadURLExternal", (200, {"ok": True})),
        ("files.getUploadURLExternal", (200, {"ok": True, "upload_url": "https://evil.example/x", "file_id": "F1"})),
        ("files.getUploadURLExternal", (200, {"ok": True, "upload_url": "chat.postMessage", "file_id": "F1"})),
        ("up/1", (500, "")),
        ("up/1", (404, "gone")),
        ("files.completeUploadExternal", (200, {"ok": False, "error": "fatal_error"})),
        ("files.completeUploadExternal", (200, "<html>")),
    ],
)
def test_an_upload_that_fails_is_said_and_neither_loses_nor_repeats_the_text(tmp_path, path, answer):
    with showing(tmp_path, {f"POST /{path}": answer}) as (service, connection):
        sent = connection.call("send", NOTICE, key=KEY)
    assert sent["id"] == "1700000000.000100"
    assert sent["picture"].startswith("not uploaded: ")
    assert [one.path for one in service.asked].count("/chat.postMessage") == 1


def test_a_notice_that_was_refused_uploads_nothing(tmp_path):
    with showing(tmp_path, said(error="is_archived")) as (service, connection), pytest.raises(Rejected):
        connection.call("send", NOTICE, key=KEY)
    assert len(service.asked) == 1
