"""The service that effects go to. It knows nothing of digilog and writes each request down before it answers."""

import json
import random
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset


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
        path = urlsplit(self.path)
        line = {"step": path.path.strip("/").partition("/")[0], "method": self.command, "path": path.path}
        self.server.note({**line, "key": self.headers.get("Idempotency-Key"), "body": body.decode()})
        if self.server.loses(f"{self.path} {body.decode()}"):
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.connection.close()
            return
        answer = json.dumps(self.server.find(parse_qs(path.query).get("ref", [""])[0])).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_PUT = do_POST = do_GET = _take  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None: ...


class _Door(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, file: Path, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Requests)
        self._lock = threading.Lock()
        self._file = file.open("a", encoding="utf-8")
        self._taken: dict[str, object] = {}
        self._chance = random.Random(1)
        self._known: set[str] = set()
        self.lost_share = 0.0
        self.loses_first = False

    def note(self, line: Mapping[str, object]) -> None:
        with self._lock:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
            if line["step"] == "take":
                said = json.loads(str(line["body"]))
                self._taken[said["ref"]] = said

    def find(self, ref: str) -> object:
        """What was taken under a reference; an empty answer to any other request."""
        return self._taken.get(ref) if ref else {}

    def loses(self, request: str) -> bool:
        """Whether the answer to it gets lost."""
        with self._lock:
            is_new = request not in self._known
            self._known.add(request)
            return (self.loses_first and is_new) or self._chance.random() < self.lost_share

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

    def lose(self, share: float) -> None:
        """From now on so many requests are done and never answered."""
        self.door.lost_share = share

    def lose_first(self) -> None:
        """From now on the first answer to each request gets lost."""
        self.door.loses_first = True

    def arrived(self) -> dict[tuple[str, str], list[dict[str, str]]]:
        """The requests by step and case, in their order; a row that came among many counts as one of its own."""
        found: dict[tuple[str, str], list[dict[str, str]]] = {}
        for line in map(json.loads, self.file.read_text("utf-8").splitlines()):
            if line["step"] == "rows":
                for row in json.loads(line["body"]):
                    found.setdefault(("row", row["row_id"]), []).append({**line, "what": row["what"]})
            elif line["step"] != "find":
                case = line["path"].rpartition("/")[2]
                found.setdefault((line["step"], case), []).append({**line, "what": json.loads(line["body"])["what"]})
        return found

    def close(self) -> None:
        self.door.shutdown()
        self.door.server_close()


def open_sink(file: Path) -> Sink:
    """A sink on a free port."""
    door = _Door(file, 0)
    threading.Thread(target=door.serve_forever, args=(0.05,), name="sink", daemon=True).start()
    return Sink(door, file)
