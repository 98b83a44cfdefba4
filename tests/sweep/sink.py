"""The service that effects go to. It knows nothing of digilog and writes each request down before it answers."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Door"

    def _take(self) -> None:
        wanted = int(self.headers.get("content-length", 0))
        body = self.rfile.read(wanted)
        if len(body) < wanted:  # its sender was killed in the middle: no service acts on half a request
            self.close_connection = True
            return
        step = self.path.strip("/").partition("/")[0]
        line = {"step": step, "method": self.command, "path": self.path, "key": self.headers.get("Idempotency-Key")}
        self.server.note({**line, "body": body.decode()})
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_PUT = do_POST = _take  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None: ...


class _Door(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, file: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self._lock = threading.Lock()
        self._file = file.open("a", encoding="utf-8")

    def note(self, line: Mapping[str, object]) -> None:
        with self._lock:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()

    def handle_error(self, request: object, client_address: object) -> None: ...  # its caller was killed

    def server_close(self) -> None:
        super().server_close()
        self._file.close()


@dataclass(frozen=True)
class Sink:
    """A running sink and its file."""

    door: _Door
    file: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.door.server_address[1]}"

    def asked(self, step: str) -> list[dict[str, str]]:
        """The requests of one step, in their order."""
        lines = map(json.loads, self.file.read_text("utf-8").splitlines())
        return [line for line in lines if line["step"] == step]

    def close(self) -> None:
        self.door.shutdown()
        self.door.server_close()


def open_sink(file: Path) -> Sink:
    """A sink on a free port."""
    door = _Door(file)
    threading.Thread(target=door.serve_forever, args=(0.05,), name="sink", daemon=True).start()
    return Sink(door, file)
