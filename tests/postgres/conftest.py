"""Several webs and engines as real processes on one PostgreSQL database, and the service that they call."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest

from connectors.signatures import sign_standard
from tests.databases import Server

SECRET = "whsec_c2V2ZXJhbCBlbmdpbmVzIG9uIG9uZSBzdG9yZSwgbm8gbW9yZQ=="
PATIENCE = 60.0  # seconds for anything to happen
COMPANY = """\
name: Tea
zone: Asia/Seoul
language: en
hours: {{mon-sun: 00:00-24:00}}
roles:
  owner: {{label: Owner, people: [han]}}
people:
  han: {{name: Han}}
sender: {{name: Tea}}
connections:
  orders: {{connector: webhook, scheme: standard, event: order.paid}}
  bank: {{connector: web, base_url: "{sink}", allow_loopback: yes, idempotency_header: Idempotency-Key}}
  shop: {{connector: web, base_url: "{sink}", allow_loopback: yes}}
mediums: {{team: outbox}}
"""
ORDER = """\
playbook: order
title: An order is passed on
state: operate
system: revenue
stage: apply
owner: owner
purpose: Every order is passed on at once.
scenario: {s1: A customer orders}
start: {event: order.paid, connection: orders}
fields:
  email: {type: email, label: email}
  what:  {type: text,  label: what}
case: email
overlap: parallel
steps:
  - {id: log, do: Write the order down, by: machine, use: ledger.record,
     with: {kind: purchase, note: "{{ what }}"}, by_hand: 1m, serves: [s1], expect: it is written}
  - {id: pay, do: Pass it on, by: machine, use: bank.post,
     with: {path: /keyed, body: {who: "{{ email }}", what: "{{ what }}"}}, by_hand: 1m, serves: [s1], expect: done}
  - {id: tell, do: Tell the shop, by: machine, use: shop.post,
     with: {path: /once, body: {who: "{{ email }}", what: "{{ what }}"}}, by_hand: 1m, serves: [s1], expect: done}
"""


@dataclass
class Sink:
    """The service that is called: what came, in which order. It takes its time, so that calls are in flight."""

    port: int = 0
    came: list[tuple[float, str, str, str, str]] = field(default_factory=list)  # when, path, key, who, what
    takes: float = 0.05

    def take(self, path: str, key: str, body: dict[str, str]) -> None:
        self.came.append((time.monotonic(), path, key, body["who"], body["what"]))
        time.sleep(self.takes)

    def of(self, path: str) -> list[tuple[float, str, str, str, str]]:
        return [one for one in list(self.came) if one[1] == path]


@pytest.fixture
def sink() -> Iterator[Sink]:
    made = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            made.take(self.path, self.headers.get("Idempotency-Key", ""), body)
            with contextlib.suppress(OSError):  # who asked may be dead
                self.send_response(204)
                self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads, request_queue_size = True, 256

        def handle_error(self, *_: object) -> None:
            pass

    server = Quiet(("127.0.0.1", 0), Handler)
    made.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


@dataclass
class House:
    """Processes on one database; each home is a computer's own."""

    folder: Path
    url: str
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    def start(self, part: str, name: str) -> None:
        """One `web` or `engine` in the home `name`."""
        home = self.folder / name
        home.mkdir(exist_ok=True)
        env = {key: value for key, value in os.environ.items() if not key.startswith(("DIGILOG_", "PREFECT_"))}
        env |= {"DIGILOG_HOME": str(home), "DIGILOG_PLAYBOOKS": str(self.folder / "tea")}
        env |= {"DIGILOG_DATABASE_URL": self.url, "DIGILOG_CONNECTIONS__ORDERS__SIGNING_SECRETS": SECRET}
        if part == "web":
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.ports[name] = free.getsockname()[1]
            env["DIGILOG_PORT"] = str(self.ports[name])
        with (self.folder / f"{part}-{name}.out").open("ab") as out:
            self.processes[f"{part}-{name}"] = subprocess.Popen(
                [sys.executable, "-m", f"flows.{part}"], env=env, stdout=out, stderr=out, stdin=subprocess.DEVNULL
            )
        if part == "web":
            self.wait(lambda: self.answers(name), f"web {name} to answer")

    def answers(self, name: str) -> bool:
        with contextlib.suppress(OSError):
            return self.get(name, "/healthz")[0] == 200
        return False

    def get(self, name: str, path: str) -> tuple[int, dict[str, str]]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.ports[name], timeout=20)) as talk:
            talk.request("GET", path)
            answer = talk.getresponse()
            return answer.status, {key.lower(): value for key, value in answer.getheaders()}

    def send(self, name: str, id: str, who: str) -> tuple[int, dict[str, str]]:
        """One signed webhook."""
        raw = json.dumps({"email": who, "what": id}).encode()
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.ports[name], timeout=20)) as talk:
            talk.request("POST", "/in/orders", raw, sign_standard(SECRET, id, datetime.now(UTC), raw))
            answer = talk.getresponse()
            return answer.status, {key.lower(): value for key, value in answer.getheaders()}

    def kill(self, name: str) -> None:
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait(10)

    def alive(self, name: str) -> bool:
        return self.processes[name].poll() is None

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as line:
            return line.execute(sql).fetchall()

    def count(self, of: str) -> int:
        found: int = self.rows(f"SELECT count(*) FROM {of}")[0][0]
        return found

    def wait(self, true: Callable[[], Any], what: str) -> None:
        until = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < until, f"waited {PATIENCE:.0f} s for {what}: {self.said()}"
            time.sleep(0.02)

    def said(self) -> str:
        return "\n".join(file.read_text()[-2000:] for file in sorted(self.folder.glob("*.out")))

    def close(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


@pytest.fixture
def house(tmp_path: Path, server: Server, sink: Sink) -> Iterator[House]:
    tea = tmp_path / "tea"
    tea.mkdir()
    company = COMPANY.format(sink=f"http://127.0.0.1:{sink.port}")
    for name, text in {"company": company, "canvas": "stages:\n  apply: {label: Apply}\n", "order": ORDER}.items():
        (tea / f"{name}.yaml").write_text(text, "utf-8")
    url = server.make("migrated")
    made = House(tmp_path, url)
    yield made
    made.close()
    server.drop(url)
