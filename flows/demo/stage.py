"""A running system and its front doors: what the demo's people and senders can reach."""

import base64
import html
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import Select

from connectors.errors import ConnectorError
from connectors.http import Answer, local
from connectors.signatures import sign_standard
from flows.engine.books import open_book
from flows.people.users import add_user
from flows.screen import say
from flows.store.read import Row, rows
from flows.store.store import Store, open_store
from flows.store.write import new_id

SECRET = "whsec_ZGlnaWxvZydzIGRlbW8gYWxvbmUsIG5vdGhpbmcgZWxzZQ=="  # noqa: S105 - of demo homes alone
PATIENCE = 120.0  # seconds for anything to happen; Prefect's first start is the longest
_INPUT = re.compile(r'<input[^>]*type="hidden"[^>]*>')
_ATTRIBUTE = re.compile(r'(name|value)="([^"]*)"')
T = TypeVar("T")


class Spoiled(Exception):  # noqa: N818
    """The story did not come out; the sentence says where."""


class Stage:
    """Starts `digilog up` in a home of its own, on free ports, on a Saturday at 21:40."""

    def __init__(self, home: Path, playbooks: Path, *, prefect: bool) -> None:
        self.home, self.playbooks, self.prefect = home, playbooks, prefect
        self.book = open_book(playbooks)
        self.port, self.prefect_port = _free(), _free()
        self.process: subprocess.Popen[bytes] | None = None
        self.store: Store | None = None
        self.saturday_played = self.saturday()

    def open(self) -> None:
        """Start it and wait until it answers."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._drop_numbers()
        ahead = int((self.saturday_played - datetime.now(UTC)).total_seconds())
        command = [
            sys.executable, "-m", "flows.cli", "up", "--home", str(self.home), "--playbooks", str(self.playbooks),
            "--port", str(self.port), "--prefect-port", str(self.prefect_port), "--clock-offset", f"+{ahead}s",
        ]  # fmt: skip
        command += [] if self.prefect else ["--no-prefect"]
        with (self.home / "up.out").open("wb") as out:
            self.process = subprocess.Popen(
                command, env=self.environment(), stdout=out, stderr=out, start_new_session=True
            )
        self.wait(lambda: "ready" in self.running(), "the system to start")
        self.store = open_store(self.home)

    def _drop_numbers(self) -> None:
        """The files that somebody at the company downloads from its channels: some days before and after the story."""
        files = self.home / "files"
        files.mkdir(exist_ok=True)
        days = [self.saturday_played.date() + timedelta(days=ahead) for ahead in range(-30, 15)]
        for name, entry in self.book.company.connections.items():
            if entry.connector == "csv":
                metrics = self.book.metrics.metrics.items()
                ours = [
                    (id, 900 if one.unit == "KRW" else 1) for id, one in metrics if one.source.use == f"{name}.readings"
                ]
                lines = [f"{day},{id},{times * (20 + day.day % 7)}" for day in days for id, times in ours]
                (files / entry.settings["file"]).write_text("\n".join(["day,metric,value", *lines]) + "\n", "utf-8")

    def secrets(self) -> Mapping[str, str]:
        """The connections' secrets by variable."""
        return {"DIGILOG_CONNECTIONS__PARTNER_FORM__SIGNING_SECRETS": SECRET}

    def environment(self) -> dict[str, str]:
        """What the system and its commands find around them."""
        return {**os.environ, **self.secrets(), "DIGILOG_DATABASE_URL": ""}

    def saturday(self) -> datetime:
        """The next Saturday 21:40 whose Monday to Wednesday are working days."""
        company = self.book.company
        at = datetime.now(company.zone).replace(hour=21, minute=40, second=0, microsecond=0)
        while True:
            at += timedelta(days=1)
            week = [(at + timedelta(days=ahead)).date() for ahead in (2, 3, 4)]
            if at.weekday() == 5 and all(company.calendar.is_business_day(day) for day in week):
                return at

    def running(self) -> Mapping[str, Any]:
        """What `up` says of itself."""
        if self.process and self.process.poll() is not None:
            told = (self.home / "up.out").read_text("utf-8").strip().splitlines()
            raise Spoiled("up ended: " + (told[-1] if told else "without a word"))
        file = self.home / "up.json"
        found: Mapping[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {}
        return found

    def wait(self, true: Callable[[], T], what: str) -> T:
        """Wait until something is so, and return it."""
        until = time.monotonic() + PATIENCE
        while not (found := true()):
            if time.monotonic() > until:
                raise Spoiled(f"waited {PATIENCE:.0f} s for {what}")
            self.running()
            time.sleep(0.1)
        return found

    def rows(self, statement: Select[Any]) -> list[Row]:
        if self.store is None:
            raise Spoiled("the store is not open")
        with self.store.read() as session:
            return rows(session, statement)

    def submit(self, path: str, answers: Mapping[str, object]) -> Answer:
        """Fill a page's form as a browser would: its hidden fields come along."""
        page = self._get(path)
        hidden = {}
        for written in _INPUT.findall(page.content.decode("utf-8")):
            found = dict(_ATTRIBUTE.findall(written))
            hidden[found["name"]] = html.unescape(found.get("value", ""))
        with closing(
            local(f"http://127.0.0.1:{self.port}", headers={"Origin": f"http://127.0.0.1:{self.port}"})
        ) as web:
            return web.post(path, form={**hidden, **answers}, accept=(303,))

    def ask(self, answers: Mapping[str, object]) -> None:
        """A customer asks for a trial class."""
        self.submit("/form/trial-form", answers)

    def webhook(self, connection: str, id: str, body: Mapping[str, object]) -> int:
        """Send a signed webhook and return the status it was answered with."""
        raw = json.dumps(body, ensure_ascii=False).encode()
        signed = sign_standard(SECRET, id, datetime.now(UTC), raw)
        with closing(local(f"http://127.0.0.1:{self.port}", headers=signed)) as web:
            return web.post(f"/in/{connection}", content=raw, accept=(202, 401, 503)).status

    def move_clock(self, to: datetime) -> None:
        """Move the simulated clock on to a moment of company time."""
        ahead = int((to - self.now()).total_seconds())
        if ahead > 0:
            self.digilog("clock", f"+{ahead}s")

    def now(self) -> datetime:
        from flows.engine.__main__ import clock

        if self.store is None:
            raise Spoiled("the store is not open")
        return clock(self.store).now().astimezone(self.book.company.zone)

    def digilog(self, *words: str) -> str:
        """Run a command on this home, as its people would."""
        command = [sys.executable, "-m", "flows.cli", *words, "--home", str(self.home)]
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise Spoiled(f"digilog {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def messages(self) -> list[str]:
        """What has left for customers, oldest first; each names its message of messages.yaml."""
        return self._outbox()

    def notices(self) -> list[str]:
        """What the team was told, oldest first."""
        return self._outbox()

    def roster(self) -> list[str]:
        """The cells of the roster; none as long as there is no roster."""
        return self._cells("roster.xlsx")

    def numbers(self) -> list[str]:
        """The cells of the sheet that follows the metrics ledger."""
        return self._cells("numbers.xlsx")

    def _cells(self, name: str) -> list[str]:
        file = self.home / "files" / name
        sheet = load_workbook(file).active if file.exists() else None
        return [str(cell) for line in sheet.values for cell in line] if isinstance(sheet, Worksheet) else []

    def _outbox(self) -> list[str]:
        folder = self.home / "outbox"
        files = sorted(folder.glob("*.txt"), key=lambda file: file.stat().st_mtime_ns) if folder.exists() else []
        return [file.read_text("utf-8") for file in files]

    def ask_prefect(self, path: str, body: Mapping[str, object]) -> list[dict[str, Any]]:
        password = (self.home / "prefect-password").read_text("utf-8").strip()
        login = base64.b64encode(f"digilog:{password}".encode()).decode()
        address = f"http://127.0.0.1:{self.prefect_port}"
        with closing(local(address, headers={"Authorization": f"Basic {login}"})) as prefect:
            try:
                found: list[dict[str, Any]] = prefect.post(f"/api/{path}/filter", body).json()
            except ConnectorError:
                return []
            return found

    def admin(self) -> tuple[str, str]:
        """Name and password of somebody who may log in to the board: whoever holds the role owner."""
        if self.store is None:
            raise Spoiled("the store is not open")
        name, password = self.book.company.roles["owner"].people[0], f"{new_id(5)}-{new_id(5)}-{new_id(5)}"
        with self.store.write() as session:
            add_user(session, name, "admin", password, "demo", datetime.now(UTC))
        return name, password

    def say(self, line: str) -> None:
        say(line)

    def wait_for_end(self) -> None:
        if self.process:
            self.process.wait()

    def close(self) -> None:
        """Stop the system as Ctrl+C would."""
        if self.store:
            self.store.close()
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=40)

    def _get(self, path: str) -> Answer:
        with closing(local(f"http://127.0.0.1:{self.port}")) as web:
            return web.get(path)


def _free() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        port: int = made.getsockname()[1]
        return port
