"""Slack against `emulate`, read back by Slack's own library."""

import json
from contextlib import closing

import pytest
from slack_sdk import WebClient

from connectors.base import variable_of
from connectors.errors import NotConnected, Rejected, Uncertain
from connectors.messaging.chat_webhook import ChatWebhook
from connectors.messaging.slack import Slack
from tests.peers.losing import losing_answers
from tests.peers.start import free_port, node, started

PEER = "emulate 0.12.2"
GENERAL, RANDOM = "C000000001", "C000000002"
TOKEN, WEAK = "xoxb-desk-1", "xoxb-desk-2"
SEED = {
    "slack": {
        "strict_scopes": True,
        "tokens": [
            {"token": TOKEN, "scopes": [*Slack.scopes]},
            {"token": WEAK, "scopes": ["users:read"]},
            {"token": "xoxb-reader", "scopes": ["channels:history", "channels:manage", "files:read"]},
        ],
    }
}


@pytest.fixture(scope="module")
def peer(tmp_path_factory):
    port, folder = free_port(), tmp_path_factory.mktemp("emulate")
    (folder / "seed.json").write_text(json.dumps(SEED))
    command = node("emulate", "dist/index.js")
    with started([*command, "start", "--port", str(port), "--service", "slack", "--seed", "seed.json"], port,
                 folder=folder) as found:  # fmt: skip
        yield found


@pytest.fixture
def reader(peer):
    return WebClient("xoxb-reader", base_url=f"{peer.base_url}/api/", retry_handlers=[])


def desk(base_url, token=TOKEN, **settings):
    settings = {"channel": GENERAL, "more_channels": [RANDOM], "base_url": base_url, "allow_loopback": True, **settings}
    return closing(Slack.connect("desk", settings, environ={variable_of("desk", "token"): token}))


@pytest.fixture
def connection(peer):
    with desk(f"{peer.base_url}/api") as found:
        yield found


def send(connection, key, text="새 체험 신청 <!channel> & 메모"):
    return connection.call("send", {"medium": "team", "to": "han", "text": text}, key=key)


def history(reader, key, channel=GENERAL):
    """What Slack's library reads of one effect's messages."""
    messages = reader.conversations_history(channel=channel, include_all_metadata=True)["messages"]
    return [one for one in messages if one.get("metadata", {}).get("event_payload") == {"key": key}]


@pytest.mark.verifies("slack.send", peer=PEER)
@pytest.mark.verifies("slack.find", peer=PEER)
def test_a_notice_is_read_back_with_its_mark_and_found_by_it(connection, reader):
    sent = send(connection, "case-1/tell")
    (one,) = history(reader, "case-1/tell")
    assert (one["ts"], one["text"]) == (sent["id"], "새 체험 신청 &lt;!channel&gt; &amp; 메모")
    assert connection.call("find", {}, key="case-1/tell")["id"] == sent["id"]
    assert connection.call("find", {}, key="case-1/other") is None


def test_a_notice_whose_answer_was_lost_is_found_and_not_sent_twice(peer, connection, reader):
    with losing_answers(peer.port) as lossy, desk(f"{lossy}/api") as broken, pytest.raises(Uncertain):
        send(broken, "case-2/tell")
    found = connection.call("find", {}, key="case-2/tell")
    (one,) = history(reader, "case-2/tell")
    assert found["id"] == one["ts"]


@pytest.mark.verifies("slack.post", peer=PEER)
@pytest.mark.verifies("slack.update", peer=PEER)
def test_a_message_with_buttons_loses_them_when_it_is_changed(connection, reader):
    arguments = {"text": "확인", "channel": RANDOM, "link": "https://desk.example.com/w", "done": "했어요"}
    sent = connection.call("post", arguments, key="case-3/ask")
    (one,) = history(reader, "case-3/ask", RANDOM)
    assert [button["action_id"] for button in one["blocks"][-1]["elements"]] == ["link", "done"]
    assert connection.call("find", {}, key="case-3/ask")["to"] == RANDOM
    connection.call("update", {"message": sent["id"], "text": "끝", "channel": RANDOM})
    messages = reader.conversations_history(channel=RANDOM)["messages"]
    (now,) = (one for one in messages if one["ts"] == sent["id"])
    assert (now["text"], now["blocks"]) == ("끝", [])


def test_a_message_is_found_behind_many_others(connection, reader):
    sent = send(connection, "case-4/tell")
    for number in range(230):
        send(connection, f"noise/{number}", "x")
    assert connection.call("find", {}, key="case-4/tell")["id"] == sent["id"]


@pytest.mark.parametrize(
    ("token", "channel", "kind"),
    [(WEAK, GENERAL, NotConnected), (TOKEN, "C999999999", Rejected)],
)
def test_a_refusal_of_slack_is_what_it_means(peer, token, channel, kind):
    with desk(f"{peer.base_url}/api", token, channel=channel) as refused, pytest.raises(kind):
        send(refused, "case-5/tell")


@pytest.mark.verifies("slack.probe", peer=PEER)
def test_the_probe_tells_who_the_token_is(connection):
    assert "Emulate" in connection.probe()


@pytest.mark.verifies("chat_webhook.send", peer=PEER)
def test_an_incoming_webhook_writes_plain_words(peer, reader):
    url = "https://hooks.slack.com/services/T000000001/B000000001/X000000001"
    settings = {"shape": "slack", "base_url": peer.base_url, "allow_loopback": True}
    made = ChatWebhook.connect("chat", settings, environ={variable_of("chat", "url"): url})
    with closing(made) as chat:
        chat.call("send", {"medium": "team", "to": "han", "text": "<!here> 안녕"}, key="case-6/tell")
    texts = [one["text"] for one in reader.conversations_history(channel=GENERAL)["messages"]]
    assert "&lt;!here&gt; 안녕" in texts


def test_a_picture_that_was_uploaded_is_read_back_as_it_was(peer, tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "digest.png").write_bytes(b"\x89PNG\r\n\x1a\ngrid")
    base_url = f"http://localhost:{peer.port}/api"  # as the peer names itself when it says where to upload
    settings = {"channel": GENERAL, "base_url": base_url, "allow_loopback": True}
    notice = {"medium": "team", "to": "han", "text": "어제의 숫자", "subject": "어제", "picture": "digest"}
    environ = {variable_of("desk", "token"): TOKEN}
    with closing(Slack.connect("desk", settings, environ=environ, home=tmp_path)) as connection:
        assert connection.call("send", notice, key="case-6/tell")["picture"] == "uploaded"
    reader = WebClient("xoxb-reader", base_url=f"{peer.base_url}/api/", retry_handlers=[])
    (file,) = [one for one in reader.files_list(channel=GENERAL)["files"] if one["name"] == "digest.png"]
    assert (file["title"], file["size"], file["channels"]) == ("어제", len(b"\x89PNG\r\n\x1a\ngrid"), [GENERAL])
