"""One home on free ports with its web and engine, started as the supervisor starts them."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from connectors.signatures import sign_standard
from flows.store.store import open_store
from tests.sweep import company
from tests.sweep.sink import Sink, open_sink
from tests.sweep.warm import Child, Nursery

PATIENCE = 25.0  # seconds for anything to happen
LISTED = 300.0  # seconds for a command: two thousand doubts on a busy machine
PARTS = ("web", "engine")
MODULES = (  # what the parts and `digilog` import, also what they import only when they need it
    "flows.web.__main__", "flows.engine.__main__", "flows.cli", "connectors.forms.webhook", "connectors.web",
    "connectors.messaging.outbox", "standardwebhooks.webhooks", "uvloop", "holidays.countries", "shelf_vendor",
)  # fmt: skip


class Stuck(Exception):  # noqa: N818
    """What should have happened did not; the sentence says what."""


@dataclass
class House:
    """A home, its listening socket (held here, as the supervisor does), its sink and its processes.

    They are forked from the nursery, or without one each is a Python of its own.
    """

    home: Path
    sink: Sink
    ear: socket.socket
    nursery: Nursery | None = None
    lifeline: tuple[int, int] = field(default_factory=os.pipe)
    running: dict[str, "subprocess.Popen[bytes] | Child"] = field(default_factory=dict)

    @property
    def port(self) -> int:
        port: int = self.ear.getsockname()[1]
        return port

    def start(self, *parts: str) -> None:
        """Start these parts and wait until each of them works."""
        since = datetime.now(UTC).isoformat()
        for part in parts:
            self.spawn(part)
        if "web" in parts:
            self.wait(lambda: _alive(self.port), "web to answer")
        if "engine" in parts:
            self.wait(lambda: (self.setting("engine_seen") or "") > since, "the engine to be at work")

    def spawn(self, part: str) -> None:
        """Start a part, as the supervisor does when one has died."""
        handed = {"DIGILOG_SOCKET_FD": self.ear.fileno(), "DIGILOG_LIFELINE": self.lifeline[0]}
        with (self.home / f"{part}.out").open("ab") as out:
            if self.nursery:
                self.running[part] = self.nursery.start(f"flows.{part}.__main__", self.env(), out.fileno(), handed)
                return
            self.running[part] = subprocess.Popen(
                [sys.executable, "-m", f"flows.{part}"], pass_fds=list(handed.values()), stdin=subprocess.DEVNULL,
                env=self.env() | {name: str(number) for name, number in handed.items()},
                stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip

    def command(self, *words: str) -> str:
        """What `digilog WORDS` says."""
        place = ("--home", str(self.home), "--playbooks", str(self.home / "company"))
        if self.nursery is None:
            command = [sys.executable, "-m", "flows.cli", *words, *place]
            return subprocess.run(
                command, capture_output=True, text=True, timeout=LISTED, env=self.env(), check=True
            ).stdout
        said = self.home / "said.out"
        with said.open("wb") as out:
            self.nursery.start("flows.cli", self.env(), out.fileno(), {}, [*words, *place]).wait(LISTED)
        return said.read_text("utf-8")

    def env(self) -> dict[str, str]:
        return clean_env() | {
            "DIGILOG_HOME": str(self.home),
            "DIGILOG_PLAYBOOKS": str(self.home / "company"),
            "DIGILOG_PORT": str(self.port),
            "DIGILOG_CONNECTIONS__ORDERS__SIGNING_SECRETS": company.SECRET,
        }

    def dead(self, part: str) -> bool:
        return self.running[part].poll() is not None

    def send(self, id: str, until: float) -> bool:
        """Send one webhook until it is answered 2xx, under one id, as senders do. Says whether it was."""
        raw = company.body(id)
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

    def received(self) -> int:
        """How many webhooks are kept."""
        count: int = self.rows("SELECT count(*) FROM event WHERE connection = ?", company.CONNECTION)[0][0]
        return count

    def settled(self, events: int = 1) -> bool:
        """Whether the cases of so many events are there and each has ended or stands in doubt."""
        states = dict(map(tuple, self.rows('SELECT status, count(*) FROM "case" GROUP BY status')))
        return sum(states.values()) >= events * len(company.STEPS) and states.keys() <= {"ended", "in_doubt"}

    def wait(self, true: Callable[[], Any], what: str, seconds: float = PATIENCE) -> None:
        until = time.monotonic() + seconds
        while not true():
            if time.monotonic() > until:
                raise Stuck(f"waited {seconds:.0f} s for {what}")
            time.sleep(0.02)

    def close(self) -> None:
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            process.wait()
        for end in self.lifeline:
            os.close(end)
        self.ear.close()
        self.sink.close()


H = TypeVar("H", bound=House)


def clean_env() -> dict[str, str]:
    """The environment without anybody's own settings, and with the sweep's connector in it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DIGILOG_", "PREFECT_"))}
    return clean | {"PYTHONPATH": str(company.VENDOR)}


@contextlib.contextmanager
def open_house(folder: Path, template: Path, nursery: Nursery | None = None) -> Iterator[House]:
    """A fresh home on fresh ports; `template` is a store that was migrated and never used."""
    with furnished(House, folder, template, nursery) as house:
        yield house


@contextlib.contextmanager
def furnished(kind: type[H], folder: Path, template: Path, nursery: Nursery | None) -> Iterator[H]:
    """A fresh home of a kind."""
    folder.mkdir(parents=True)
    shutil.copy(template, folder / "digilog.db")
    sink = open_sink(folder / "sink.jsonl")
    company.write(folder / "company", sink.address)
    ear = socket.create_server(("127.0.0.1", 0), backlog=1024)
    house = kind(folder, sink, ear, nursery)
    try:
        yield house
    finally:
        house.close()


@contextlib.contextmanager
def open_nursery(env: Mapping[str, str], *modules: str) -> Iterator[Nursery]:
    nursery = Nursery(env, *modules)
    try:
        yield nursery
    finally:
        nursery.close()


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
