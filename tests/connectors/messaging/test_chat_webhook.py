"""Webhooks of team chats: each in its own shape, to its own host, with a secret address that never shows."""

import json
from contextlib import closing, contextmanager
from pathlib import Path

import jsonschema
import pytest

from connectors.base import variable_of
from connectors.errors import NotConnected, Rejected, Uncertain
from connectors.messaging.chat_webhook import ChatWebhook
from connectors.testing import scripted

SPEC = json.loads((Path(__file__).parents[2] / "peers" / "specs" / "discord_execute_webhook.json").read_text())
URLS = {
    "jandi": "https://wh.jandi.com/connect-api/webhook/1234567/0123456789abcdef",
    "discord": "https://discord.com/api/webhooks/223704706495545344/3d89bb7572e0fb30d81",
    "naver_works": "https://webhook.worksmobile.com/message/98a5731f-7764-4495-9bc6-521fa876bcb5",
    "slack": "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
    "plain": "https://chat.example.com/hook/abcdef?token=a-secret",
}
HOSTILE = "<!channel> @everyone [여기](https://evil.example)"


@contextmanager
def chat(shape, answer=(200, "ok"), url=None, **settings):
    path = (url or URLS[shape]).split("/", 3)[3].partition("?")[0]
    settings |= {"allowed_hosts": ["chat.example.com"]} if shape == "plain" else {}
    with scripted({f"POST /{path}": answer}) as service:
        settings |= {"shape": shape, "base_url": service.base_url, "allow_loopback": True}
        environ = {variable_of("chat", "url"): url or URLS[shape]}
        with closing(ChatWebhook.connect("chat", settings, environ=environ)) as connection:
            yield service, connection


def send(connection, text=HOSTILE, subject="새 신청"):
    arguments = {"medium": "team", "to": "han", "text": text, "subject": subject}
    return connection.call("send", arguments, key="case-1/step")


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        (
            "jandi",
            {
                "body": "새 신청",
                "connectColor": "#2F6FED",
                "connectInfo": [{"title": "", "description": "<!channel> @everyone [여기] (https://evil.example)"}],
            },
        ),
        (
            "discord",
            {
                "content": "새 신청\n<!channel> @everyone [여기] (https://evil.example)",
                "allowed_mentions": {"parse": []},
                "flags": 4,
            },
        ),
        ("naver_works", {"title": "새 신청", "body": {"text": HOSTILE}}),
        (
            "slack",
            {
                "text": "새 신청\n&lt;!channel&gt; @everyone [여기](https://evil.example)",
                "mrkdwn": False, "link_names": False, "unfurl_links": False,
            },
        ),
        ("plain", {"subject": "새 신청", "text": HOSTILE}),
    ],
)  # fmt: skip
def test_each_chat_gets_its_own_shape_in_which_nobody_is_called(shape, body):
    with chat(shape) as (service, connection):
        sent = send(connection)
    (asked,) = service.asked
    assert asked.json() == body
    assert sent["id"] == "case-1/step"
    assert (asked.headers.get("accept") == "application/vnd.tosslab.jandi-v2+json") == (shape == "jandi")
    assert asked.path.endswith({"discord": "?wait=true", "plain": "?token=a-secret"}.get(shape, ""))


@pytest.mark.parametrize("text", ["[새 할 일] 전화하기\n오늘까지", "오늘까지"])
def test_a_headline_that_begins_the_text_is_not_said_twice(text):
    for shape in ("discord", "jandi"):
        with chat(shape) as (service, connection):
            send(connection, text, "[새 할 일] 전화하기")
        said = service.asked[0].body.decode()
        assert said.count("전화하기") == 1
        assert said.count("오늘까지") == 1


def resolved(node):
    """OpenAPI 3.1 is JSON Schema but for its references, which stay within the file."""
    return jsonschema.Draft202012Validator({**SPEC["schema"], "components": SPEC["components"]}).iter_errors(node)


@pytest.mark.verifies("chat_webhook.send", peer="discord-api-spec 74fda0fad0 (its body)")
def test_what_discord_gets_fits_its_own_description():
    with chat("discord", (200, {"id": "1199999999999999999", "type": 0})) as (service, connection):
        sent = send(connection)
        send(connection, "가" * 1996, "제목")
        with pytest.raises(Rejected, match="2,000"):
            send(connection, "가" * 2001)
    for asked in service.asked:
        assert [one.message for one in resolved(asked.json())] == []
    assert len(service.asked) == 2
    assert sent["id"] == "1199999999999999999"
    assert [*resolved({"content": "가" * 2001})], "a description that finds nothing wrong proves nothing"


@pytest.mark.parametrize(
    ("shape", "url"),
    [
        ("jandi", URLS["discord"]),
        ("discord", "https://evil.example/api/webhooks/1/2"),
        ("discord", "http://discord.com/api/webhooks/1/2"),
        ("discord", "https://discord.com.evil.example/api/webhooks/1/2"),
        ("discord", "https://discord.com@evil.example/api/webhooks/1/2"),
        ("discord", "https://evil.example\\@discord.com/api/webhooks/1/2"),
        ("slack", "https://hooks.slack.com"),
        ("slack", "https://hooks.slack.com:8080/services/T/B/X"),
        ("naver_works", "https://[/x"),
        ("naver_works", "word"),
        ("plain", "https://other.example.com/hook/x"),
    ],
)
def test_an_address_that_is_not_the_chats_own_is_never_called(shape, url):
    settings = {"shape": shape} | ({"allowed_hosts": ["chat.example.com"]} if shape == "plain" else {})
    connection = ChatWebhook.connect("chat", settings, environ={variable_of("chat", "url"): url})
    with pytest.raises(NotConnected, match="url: this is no webhook") as caught:
        send(connection)
    assert "1/2" not in str(caught.value)
    assert "evil" not in str(caught.value)
    with pytest.raises(NotConnected):
        connection.probe()


def test_any_other_chat_needs_its_host_named():
    connection = ChatWebhook.connect("chat", {"shape": "plain"}, environ={variable_of("chat", "url"): URLS["plain"]})
    with pytest.raises(NotConnected, match="allowed_hosts"):
        send(connection)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Rejected), (401, NotConnected), (404, NotConnected), (410, NotConnected), (500, Uncertain)],
)
def test_a_refusal_is_what_it_means_and_never_shows_the_address(status, kind):
    with chat("slack", (status, "no_service")) as (_, connection), pytest.raises(kind) as caught:
        send(connection)
    assert "XXXXXXXX" not in f"{caught.value!r} {caught.value} {connection!r}"
