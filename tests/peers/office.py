"""An office that stands for Solapi: it believes only what Solapi's own library signs, and speaks by its models."""

import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from solapi.lib.authenticator import Authenticator
from solapi.model.request.send_message_request import SendMessageRequest
from solapi.model.response.send_message_response import SendMessageResponse

from tests.connectors.samples import solapi as sample


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

    def asked(self, path, query):
        return {"balance": 12_340, "point": 0} if path == "/cash/v1/balance" else self.list(query)

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
                asked = urlsplit(self.path)
                self.answer(found.asked(asked.path, parse_qs(asked.query)))

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
