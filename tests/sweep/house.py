"""One home on free ports with its web and engine, started as the supervisor starts them."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.signatures import sign_standard
from flows.store.store import open_store
from tests.sweep import company
from tests.sweep.sink import Sink, open_sink

PATIENCE = 25.0  # seconds for anything to happen
PARTS = ("web", "engine")


class Stuck(Exception):  # noqa: N818
    """What should have happened did not; the sentence says what."""


@dataclass
class House:
    """A home, its listening socket (held here, as the supervisor does), its sink and its processes."""

    home: Path
    sink: Sink
    ear: socket.socket
    lifeline: tuple[int, int] = field(default_factory=os.pipe)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def port(self) -> int:
        port: int = self.ear.getsockname()[1]
        return port

    def start(self, *parts: str) -> None:
        """Start these parts and wait until each of them works."""
        since = datetime.now(UTC).isoformat()
        fds = (self.ear.fileno(), self.lifeline[0])
        for part in parts:
            with (self.home / f"{part}.out").open("ab") as out:
                self.running[part] = subprocess.Popen(
                    [sys.executable, "-m", f"flows.{part}"], env=self.env(), pass_fds=fds, stdin=subprocess.DEVNULL,
                    stdout=out, stderr=out, start_new_session=True,
                )  # fmt: skip
        if "web" in parts:
            self.wait(lambda: _alive(self.port), "web to answer")
        if "engine" in parts:
            self.wait(lambda: (self.setting("engine_seen") or "") > since, "the engine to be at work")

    def env(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DIGILOG_")}
        return clean | {
            "DIGILOG_HOME": str(self.home),
            "DIGILOG_PLAYBOOKS": str(self.home / "company"),
            "DIGILOG_PORT": str(self.port),
            "DIGILOG_SOCKET_FD": str(self.ear.fileno()),
            "DIGILOG_LIFELINE": str(self.lifeline[0]),
            "DIGILOG_CONNECTIONS__ORDERS__SIGNING_SECRETS": company.SECRET,
        }

    def dead(self, part: str) -> bool:
        return self.running[part].poll() is not None

    def send(self, id: str, until: float) -> bool:
        """Send one webhook until it is answered 2xx, under one id, as senders do. Says whether it was."""
        raw = json.dumps({"email": f"{id}@example.com", "what": f"order {id}"}).encode()
        while time.monotonic() < until:
            signed = sign_standard(company.SECRET, id, datetime.now(UTC), raw)
            talk = http.client.HTTPConnection("127.0.0.1", self.port, timeout=3)
            try:
                talk.request("POST", f"/in/{company.CONNECTION}", raw, signed)
                if 200 <= talk.getresponse().status < 300:
                    return True
            except (OSError, http.client.HTTPException):
                pass  # refused, reset, or no answer: it comes again
            finally:
                talk.close()
            time.sleep(0.05)
        return False

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Read the store, never writing: our own connection must not tidy its log."""
        with contextlib.closing(sqlite3.connect(f"file:{self.home / 'digilog.db'}?mode=ro", uri=True)) as store:
            store.row_factory = sqlite3.Row
            return store.execute(sql, values).fetchall()

    def setting(self, name: str) -> str | None:
        return next((row[0] for row in self.rows("SELECT value FROM setting WHERE name = ?", name)), None)

    def settled(self, ids: int = 1) -> bool:
        """Whether so many cases are there and each has ended or stands in doubt."""
        states = [row[0] for row in self.rows('SELECT status FROM "case"')]
        return len(states) >= ids and all(state in {"ended", "in_doubt"} for state in states)

    def wait(self, true: Callable[[], Any], what: str, seconds: float = PATIENCE) -> None:
        until = time.monotonic() + seconds
        while not true():
            if time.monotonic() > until:
                raise Stuck(f"waited {seconds:.0f} s for {what}")
            time.sleep(0.03)

    def close(self) -> None:
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            process.wait()
        for end in self.lifeline:
            os.close(end)
        self.ear.close()
        self.sink.close()


@contextlib.contextmanager
def open_house(folder: Path, template: Path) -> Iterator[House]:
    """A fresh home on fresh ports; `template` is a store that was migrated and never used."""
    folder.mkdir(parents=True)
    shutil.copy(template, folder / "digilog.db")
    sink = open_sink(folder / "sink.jsonl")
    company.write(folder / "company", sink.address)
    ear = socket.create_server(("127.0.0.1", 0), backlog=1024)
    house = House(folder, sink, ear)
    try:
        yield house
    finally:
        house.close()


def make_template(folder: Path) -> Path:
    """A store as `up` makes it."""
    open_store(folder).close()
    return folder / "digilog.db"


def _alive(port: int) -> bool:
    talk = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        talk.request("GET", "/healthz")
        return talk.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        talk.close()
