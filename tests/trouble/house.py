"""One home on free ports, its web and engine as processes of their own, and the service that its calls go to."""

import contextlib
import http.client
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from connectors.signatures import sign_standard
from tests.trouble import company

PATIENCE = 30.0  # seconds for anything to happen
PARTS = ("web", "engine")


@dataclass(frozen=True, slots=True)
class Call:
    """What a service was asked; `at` in seconds of the machine's steady clock."""

    step: str
    path: str
    key: str | None
    at: float


@dataclass(frozen=True, slots=True)
class Reply:
    """A status, 0 where the line broke, and after how many seconds the sender is asked to come again."""

    status: int
    retry_after: int | None = None


class Sink(ThreadingHTTPServer):
    """Knows nothing of digilog, and remembers each request before it answers."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.calls: list[Call] = []
        threading.Thread(target=self.serve_forever, args=(0.05,), name="sink", daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None: ...  # its caller was killed


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Sink

    def _take(self) -> None:
        wanted = int(self.headers.get("content-length", 0))
        if len(self.rfile.read(wanted)) < wanted:  # its sender was killed in the middle
            self.close_connection = True
            return
        step = self.path.strip("/").partition("/")[0]
        self.server.calls.append(Call(step, self.path, self.headers.get("Idempotency-Key"), time.monotonic()))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_PUT = do_POST = _take  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None: ...


def post(port: int, id: str, at: datetime | None = None, timeout: float = 10) -> Reply:
    """One signed webhook, sent once."""
    raw = json.dumps({"email": f"{id}@example.com", "what": f"order {id}"}).encode()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)) as line:
        try:
            line.request("POST", "/in/orders", raw, sign_standard(company.SECRET, id, at or datetime.now(UTC), raw))
            answer = line.getresponse()
            later = answer.getheader("retry-after")
            return Reply(answer.status, int(later) if later else None)
        except (OSError, http.client.HTTPException):
            return Reply(0)


@dataclass
class House:
    """A home, its listening socket (held here, as the supervisor does), its services and its processes."""

    home: Path
    sink: Sink = field(default_factory=Sink)
    ear: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0), backlog=1024))
    more: Mapping[str, str] = field(default_factory=dict)  # environment
    lifeline: tuple[int, int] = field(default_factory=os.pipe)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def port(self) -> int:
        port: int = self.ear.getsockname()[1]
        return port

    def env(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("DIGILOG_", "PREFECT_"))}
        return clean | {
            "DIGILOG_HOME": str(self.home),
            "DIGILOG_PLAYBOOKS": str(self.home / "company"),
            "DIGILOG_PORT": str(self.port),
            "DIGILOG_SOCKET_FD": str(self.ear.fileno()),
            "DIGILOG_LIFELINE": str(self.lifeline[0]),
            company.VARIABLE: company.SECRET,
            **self.more,
        }

    def start(self, *parts: str) -> None:
        """Start these parts, or all that are not alive, and wait until each of them works."""
        before = self.setting("engine_seen")
        parts = parts or tuple(part for part in PARTS if part not in self.running or self.dead(part))
        for part in parts:
            with (self.home / f"{part}.out").open("ab") as out:
                self.running[part] = subprocess.Popen(
                    [sys.executable, "-m", f"flows.{part}"], env=self.env(), stdin=subprocess.DEVNULL, stdout=out,
                    stderr=out, pass_fds=(self.ear.fileno(), self.lifeline[0]), start_new_session=True,
                )  # fmt: skip
        if "web" in parts:
            self.wait(lambda: self.dead("web") or self.get("/healthz") == 200, "web to answer")
        if "engine" in parts:
            self.wait(lambda: self.dead("engine") or self.setting("engine_seen") != before, "the engine to be at work")
        assert not any(map(self.dead, parts)), self.said()

    def dead(self, part: str) -> bool:
        return self.running[part].poll() is not None

    def get(self, path: str) -> int:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)) as line:
            try:
                line.request("GET", path)
                return line.getresponse().status
            except (OSError, http.client.HTTPException):
                return 0

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Read the store, never writing: our own connection must not tidy its log."""
        with contextlib.closing(sqlite3.connect(f"file:{self.home / 'digilog.db'}?mode=ro", uri=True)) as store:
            store.row_factory = sqlite3.Row
            return store.execute(sql, values).fetchall()

    def setting(self, name: str) -> str | None:
        return next((row[0] for row in self.rows("SELECT value FROM setting WHERE name = ?", name)), None)

    def wait(self, true: Callable[[], Any], what: str, seconds: float = PATIENCE) -> None:
        until = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < until, f"waited {seconds:.0f} s for {what}; {self.said()}"
            time.sleep(0.03)

    def digilog(self, *words: str) -> tuple[int, str]:
        """How a command on this home ends, and what it says."""
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli", *words, "--home", str(self.home)], env=self.env(), check=False,
            capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def said(self) -> str:
        """What the parts wrote to their terminals."""
        return "".join(file.read_text("utf-8", "replace") for file in self.home.glob("*.out"))

    def close(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()
        for end in self.lifeline:
            os.close(end)
        self.ear.close()
        self.sink.shutdown()
        self.sink.server_close()


@contextlib.contextmanager
def open_house(folder: Path, migrated: Path, zone: str = "Asia/Seoul", **playbooks: str) -> Iterator[House]:
    """A fresh home on fresh ports, nothing started; `migrated` is a store that was never used."""
    folder.mkdir(parents=True)
    shutil.copy(migrated, folder / "digilog.db")
    house = House(folder)
    company.write(folder / "company", house.sink.address, zone, **playbooks)
    try:
        yield house
    finally:
        house.close()
