"""For tests of connectors: a service that answers by script, and the promises that every connector keeps."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from connectors.promises import promises

__all__ = ["Asked", "Script", "promises", "scripted"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that came in; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Script:
    """Answers by "METHOD /path" (without its query): (status, data or text), or a list of them, the last one stays."""

    answers: dict[str, Any]
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, path: str) -> tuple[int, Any]:
        found = self.answers.get(f"{method} {path.partition('?')[0]}", (404, {"message": "not in the script"}))
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        return found[0], found[1]


@contextmanager
def scripted(answers: dict[str, Any]) -> Iterator[Script]:
    """A service on a free port of 127.0.0.1; connect to it with `base_url` and `allow_loopback`."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or each answer waits 40 ms for the caller to acknowledge its head

        def handle(self) -> None:
            with suppress(ConnectionError):  # a caller hangs up where an answer is too long
                super().handle()

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            names = {name.lower(): value for name, value in self.headers.items()}
            asked.append(Asked(self.command, self.path, names, body))
            status, data = script.answer(self.command, self.path)
            content = data.encode() if isinstance(data, str) else json.dumps(data, default=str).encode()
            self.send_response(status)
            self.send_header("content-type", "text/plain" if isinstance(data, str) else "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        script = Script(answers, asked, server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()
