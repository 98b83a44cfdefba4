"""Real systems: `digilog up` in homes of their own on free ports, and what senders and operators can do to them."""

import contextlib
import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.signatures import sign_standard

SECRET = "whsec_bm90aGluZyBidXQgYSB0ZXN0IG9mIHRoZSBzeXN0ZW0h"
VARIABLE = "DIGILOG_CONNECTIONS__ORDERS__SIGNING_SECRETS"
PATIENCE = 20.0  # seconds for anything to happen

COMPANY = """\
name: Tea
zone: Asia/Seoul
language: en
hours: {mon-sun: 00:00-24:00}
roles:
  owner: {label: Owner, people: [han]}
people:
  han: {name: Han}
sender: {name: Tea}
connections:
  orders: {connector: webhook, scheme: standard, event: order.paid}
mediums: {team: outbox}
"""
ORDER = """\
playbook: order
title: An order is written down
state: operate
system: revenue
stage: apply
owner: owner
purpose: Every order stands in the ledger at once.
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
  - {id: tell, do: Tell the owner, by: machine, use: team.notify,
     with: {subject: An order, text: "{{ what }}"}, by_hand: 1m, serves: [s1], expect: the owner knows}
"""


def environment(**more: str) -> dict[str, str]:
    """This process's environment without any setting of ours but those given."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DIGILOG_", "PREFECT_"))}
    return clean | {"COLUMNS": "200"} | more


@dataclass
class Up:
    """One home and the `digilog up` that runs on it."""

    home: Path
    playbooks: Path
    env: Mapping[str, str] = field(default_factory=dict)
    prefect_port: int | None = None  # none: without Prefect
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Up":
        """Start it and wait until it says ready."""
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "flows.cli", "up", "--port", "0",
                "--home", str(self.home), "--playbooks", str(self.playbooks),
                *(["--prefect-port", str(self.prefect_port)] if self.prefect_port else ["--no-prefect"]),
            ],
            env=environment(**self.env), stdin=subprocess.DEVNULL, stdout=self._out(), stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        self.wait(lambda: f'"pid": {self._pid}' in self._json() and '"ready"' in self._json(), "up to be ready")
        self.wait(lambda: self.rows("SELECT 1 FROM setting WHERE name = 'engine_seen'"), "the engine to be at work")
        return self

    def _out(self) -> int:
        return os.open(self.home.with_suffix(".out"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def _json(self) -> str:
        assert self.process
        assert self.process.poll() is None, self.said()
        file = self.home / "up.json"
        return file.read_text("utf-8") if file.exists() else ""

    @property
    def _pid(self) -> int:
        assert self.process
        return self.process.pid

    @property
    def port(self) -> int:
        return int(json.loads(self._json())["ready"].rpartition(":")[2])

    def said(self) -> str:
        """What `up` wrote to its terminal."""
        return self.home.with_suffix(".out").read_text("utf-8")

    def log(self, part: str) -> str:
        return (self.home / "logs" / f"{part}.log").read_text("utf-8")

    def parts(self) -> dict[str, int]:
        """The processes of this `up` by name, with their ids."""
        found: dict[str, int] = json.loads(self._json())["parts"]
        return found

    def kill(self, part: str) -> None:
        os.kill(self.parts()[part], signal.SIGKILL)

    def send(self, id: str, body: Mapping[str, object], connection: str = "orders") -> int:
        """One signed webhook, sent once. Returns its status."""
        raw = json.dumps(body, ensure_ascii=False).encode()
        talk = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(talk):
            talk.request("POST", f"/in/{connection}", raw, sign_standard(SECRET, id, datetime.now(UTC), raw))
            return talk.getresponse().status

    def order(self, id: str) -> int:
        return self.send(id, {"email": f"{id}@example.com", "what": f"tea {id}"})

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(f"file:{self.home / 'digilog.db'}?mode=ro", uri=True)) as store:
            return store.execute(sql, values).fetchall()

    def count(self, of: str) -> int:
        found: int = self.rows(f"SELECT count(*) FROM {of}")[0][0]
        return found

    def ended(self) -> int:
        return self.count("\"case\" WHERE status = 'ended' AND outcome = 'done'")

    def wait(self, true: Callable[[], Any], what: str, seconds: float = PATIENCE) -> None:
        until = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < until, f"waited {seconds:.0f} s for {what}"
            time.sleep(0.03)

    def stop(self) -> int:
        """As Ctrl+C. Returns its exit code."""
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()  # its parts end when its pipe closes
            self.process.wait()


@pytest.fixture
def tea(tmp_path: Path) -> Path:
    """A company of one playbook that machines do."""
    folder = tmp_path / "tea"
    folder.mkdir()
    for name, text in {"company": COMPANY, "canvas": "stages:\n  apply: {label: Apply}\n", "order": ORDER}.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    return folder


@pytest.fixture
def shop(tmp_path: Path, tea: Path) -> Iterator[Up]:
    """The tea shop, not started yet."""
    made = Up(tmp_path / "home", tea, {VARIABLE: SECRET})
    yield made
    made.close()


@dataclass(frozen=True)
class Said:
    """How a command ended and what it wrote."""

    code: int
    out: str
    errors: str


@pytest.fixture
def digilog(tmp_path: Path) -> Callable[..., Said]:
    """Run a command as its people would."""

    def run(*words: object, **env: str) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli", *map(str, words)], env=environment(**env), cwd=tmp_path, timeout=30,
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return Said(done.returncode, done.stdout, done.stderr)

    return run
