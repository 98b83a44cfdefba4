"""Solapi in front of a service that believes only what Solapi's own library signs, understands and reads back."""

import json
import re
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from solapi.lib.authenticator import Authenticator
from solapi.model.request.send_message_request import SendMessageRequest
from solapi.model.response.send_message_response import SendMessageResponse
from solapi.services.message_service import SolapiMessageService

from connectors.base import variable_of
from connectors.errors import NotConnected, Uncertain
from connectors.messaging.solapi import Solapi
from tests.connectors.samples import solapi as sample
from tests.peers.losing import losing_answers

PEER = "solapi 5.0.3, its models and its signatures"


@dataclass
class Office:
    """What was sent, by its id."""

    port: int = 0
    kept: dict[str, dict] = field(default_factory=dict)

    @property
    def base_url(self):
        return f"http://127.0.0.1:{self.port}"

    def take(self, body):
        request = SendMessageRequest.model_validate(body)
        id = f"M4V2026{len(self.kept):025d}"
        message = request.messages[0].model_dump(mode="json", by_alias=True, exclude_none=True)
        now = datetime.now(UTC).isoformat()
        self.kept[id] = message | {"messageId": id, "statusCode": "2000", "dateCreated": now, "dateUpdated": now}
        shown = [{**sample.TAKEN["messageList"][0], "messageId": id}] if request.show_message_list else None
        answer = {**sample.TAKEN, "messageList": shown}
        return SendMessageResponse.model_validate(answer).model_dump(mode="json", by_alias=True)

    def list(self, query):
        start = query.get("startKey", [""])[0]
        rest = [id for id in sorted(self.kept, reverse=True) if not start or id <= start]
        size = min(int(query["limit"][0]), 500)
        return {
            "limit": size, "startKey": start or None, "nextKey": rest[size] if len(rest) > size else None,
            "messageList": {id: self.kept[id] for id in rest[:size]},
        }  # fmt: skip


def believed(head):
    """As Solapi describes it: the signature of date and salt by the secret of this key."""
    given = dict(re.findall(r"(\w+)=([^,\s]+)", head.removeprefix("HMAC-SHA256 ")))
    given = {name[:1].lower() + name[1:]: value for name, value in given.items()}  # the library writes ApiKey, Date
    expected = Authenticator.get_signature(sample.SECRETS["api_secret"], given["date"] + given["salt"])
    return given["apiKey"] == sample.SECRETS["api_key"] and given["signature"] == expected


@contextmanager
def office():
    found = Office()

    class Handler(BaseHTTPRequestHandler):
        def answer(self, data, status=200):
            content = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def asked(self):
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if not believed(self.headers.get("authorization", "")):
                self.answer({"errorCode": "SignatureDoesNotMatch", "errorMessage": "no"}, 403)
                return None
            return body

        def do_POST(self):
            if (body := self.asked()) is not None:
                self.answer(found.take(json.loads(body)))

        def do_GET(self):
            if self.asked() is not None:
                self.answer(found.list(parse_qs(urlsplit(self.path).query)))

        def log_message(self, *_):
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()


def texts(base_url, secret=sample.SECRETS["api_secret"]):
    settings = {**sample.SETTINGS, "base_url": base_url, "allow_loopback": True}
    environ = {
        variable_of("texts", "api_key"): sample.SECRETS["api_key"],
        variable_of("texts", "api_secret"): secret,
    }
    return closing(Solapi.connect("texts", settings, environ=environ))


def send(connection, key, medium="alimtalk", **more):
    return connection.call("send", sample.ACTIONS["send"] | {"medium": medium} | more, key=key)


@pytest.mark.verifies("solapi.send", peer=PEER)
@pytest.mark.verifies("solapi.find", peer=PEER)
def test_a_message_is_read_back_by_solapis_library_and_found_by_its_mark():
    with office() as solapi, texts(solapi.base_url) as connection:
        sent = send(connection, "case-1/confirm")
        library = SolapiMessageService(sample.SECRETS["api_key"], sample.SECRETS["api_secret"])
        library.base_url = solapi.base_url
        (one,) = library.get_messages().message_list.values()
        assert one.message_id == sent["id"]
        assert one.custom_fields == {"digilog": "case-1/confirm"}
        assert one.kakao_options is not None
        assert (one.kakao_options.disable_sms, one.kakao_options.variables) == (True, {"#{이름}": "김하나"})
        assert connection.call("find", {}, key="case-1/confirm")["id"] == sent["id"]
        assert connection.call("find", {}, key="case-1/other") is None


def test_a_message_whose_answer_was_lost_is_found_and_not_sent_twice():
    with office() as solapi, texts(solapi.base_url) as connection:
        with losing_answers(solapi.port) as lossy, texts(lossy) as broken, pytest.raises(Uncertain):
            send(broken, "case-2/confirm", "sms", text="예약이 확정되었습니다")
        found = connection.call("find", {}, key="case-2/confirm")
        assert list(solapi.kept) == [found["id"]]


def test_a_message_is_found_behind_a_thousand_others():
    with office() as solapi, texts(solapi.base_url) as connection:
        sent = send(connection, "case-3/confirm")
        for number in range(1100):
            solapi.take({"messages": [{"to": "01000000000", "customFields": {"digilog": f"noise/{number}"}}]})
        assert connection.call("find", {}, key="case-3/confirm")["id"] == sent["id"]


def test_a_wrong_secret_is_told_as_what_it_is():
    with office() as solapi, texts(solapi.base_url, "another") as connection, pytest.raises(NotConnected):
        send(connection, "case-4/confirm")
    assert solapi.kept == {}
