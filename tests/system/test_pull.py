"""`digilog pull` against a service that speaks HTTP: killed on the way, stopped, twice at once, and what it tells."""

import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from flows.store.store import open_store
from tests.system.conftest import COMPANY, PATIENCE, Said, environment

Run = Callable[..., Said]
DAYS = 120
METRICS = """\
metrics:
  views: {label: Views, on: apply, source: {use: numbers.readings}, settle_days: 3}
  cost:  {label: Cost, on: apply, source: {use: numbers.readings}, settle_days: 3, absent_day: zero}
  typed: {label: Typed, on: apply, source: {by: owner}}
"""
NUMBERS = """\
connections:
  numbers: {connector: web_json, base_url: "http://127.0.0.1:%d", allow_loopback: "true", path: /daily,
    params: {from: "{since}", to: "{until}", cursor: "{cursor}"}, rows: rows, values: {views: views, cost: cost},
    paging: {kind: cursor, next: next}}
"""
ZONE = ZoneInfo("Asia/Seoul")


@dataclass
class Service:
    """Ten days a page. Who asks for days before `held` waits until it `goes_on`."""

    port: int = 0
    held: date = date.min
    goes_on: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str) -> tuple[int, bytes]:
        self.asked.append(path)
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        if date.fromisoformat(query["from"]) < self.held:
            self.goes_on.wait(120)
        first = date.fromisoformat(query.get("cursor") or query["from"])
        last = date.fromisoformat(query["to"])
        until = min(last, first + timedelta(days=9))
        rows = [
            {"day": str(day), "views": views(day), "cost": str(views(day)) + ".50"}
            for day in (first + timedelta(days=ahead) for ahead in range((until - first).days + 1))
        ]
        more = {"next": str(until + timedelta(days=1))} if until < last else {}
        return 200, json.dumps({"rows": rows} | more).encode()


def views(day: date) -> int:
    return day.toordinal() * 7919 % 10_007


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = made.answer(self.path)
            with contextlib.suppress(OSError):  # who asked was killed
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield made
    made.goes_on.set()
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Home:
    folder: Path
    playbooks: Path
    begun: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with contextlib.closing(sqlite3.connect(f"file:{self.folder / 'digilog.db'}?mode=ro", uri=True)) as store:
            return store.execute(sql).fetchall()

    @property
    def words(self) -> list[str]:
        return ["--home", str(self.folder), "--playbooks", str(self.playbooks)]

    def begin(self, *words: str) -> "subprocess.Popen[bytes]":
        made = subprocess.Popen(
            [sys.executable, "-m", "flows.cli", "pull", *words, *self.words], env=environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.begun.append(made)
        return made


@pytest.fixture
def home(tmp_path: Path, tea: Path, service: Service) -> Iterator[Home]:
    said = COMPANY.replace("connections:\n", NUMBERS % service.port)
    (tea / "company.yaml").write_text(said, "utf-8")
    (tea / "metrics.yaml").write_text(METRICS, "utf-8")
    folder = tmp_path / "home"
    open_store(folder).close()
    made = Home(folder, tea)
    yield made
    for one in made.begun:
        one.kill()
        one.wait()


def today() -> date:
    return datetime.now(UTC).astimezone(ZONE).date()


def wait(true: Callable[[], object], what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, f"waited for {what}"
        time.sleep(0.02)


def truth(first: date) -> dict[tuple[str, str], str]:
    wanted = [first + timedelta(days=ahead) for ahead in range((today() - first).days)]
    return {("views", str(day)): str(views(day)) for day in wanted} | {
        ("cost", str(day)): f"{views(day)}.50" for day in wanted
    }


def kept(home: Home) -> dict[tuple[str, str], str]:
    found = home.rows("SELECT metric, day, value FROM reading WHERE metric <> 'typed'")
    assert len(found) == len({row[:2] for row in found}), "two rows of one day"
    return {(str(metric), str(day)): str(value) for metric, day, value in found}


def begun(home: Home, service: Service) -> tuple["subprocess.Popen[bytes]", date]:
    """A backfill that has kept some parts, and waits for the others."""
    first, service.held = today() - timedelta(days=DAYS), today() - timedelta(days=DAYS // 2)
    child = home.begin("--from", str(first))
    wait(lambda: home.rows("SELECT 1 FROM pull_part WHERE state = 'done'"), "a part to be kept")
    assert home.rows("SELECT 1 FROM pull_part WHERE state = 'open'")
    return child, first


def test_a_backfill_that_is_killed_goes_on_and_ends_with_the_truth_once(
    home: Home, service: Service, digilog: Run
) -> None:
    child, first = begun(home, service)
    busy = digilog("pull", *home.words)
    assert (busy.code, "another pull is under way" in busy.errors) == (1, True), busy
    child.kill()
    child.wait()
    assert home.rows("SELECT state FROM pull") == [("running",)]
    assert 0 < len(kept(home)) < 2 * DAYS
    service.goes_on.set()
    said = digilog("pull", "--from", first, *home.words)
    assert (said.code, "Traceback" in said.errors) == (0, False), said
    assert kept(home) == truth(first)
    assert [row[0] for row in home.rows("SELECT state FROM pull ORDER BY begun_at")] == ["partial", "done"]


def test_ctrl_c_stops_at_a_whole_part_and_the_same_command_goes_on(home: Home, service: Service, digilog: Run) -> None:
    child, first = begun(home, service)
    child.send_signal(signal.SIGINT)
    assert child.wait(PATIENCE) == 0
    assert home.rows("SELECT state FROM pull") == [("partial",)]
    service.goes_on.set()
    assert digilog("pull", "--from", first, *home.words).code == 0
    assert kept(home) == truth(first)
