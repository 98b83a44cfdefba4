"""Prefect's server killed and frozen under load: nobody who sends notices, and all is shown afterwards."""

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.trouble import company
from tests.trouble.accounts import settled, wrong
from tests.trouble.house import House, post

SOAK = bool(os.environ.get("DIGILOG_SOAK"))  # at length
TIMES = 30 if SOAK else 4  # kills and freezes, in turns
BETWEEN = 12.0 if SOAK else 4.0  # seconds from one to the next
FROZEN = 3.0  # seconds
RATE = 10  # orders a second
SERVER = "prefect-server"


@dataclass
class Up:
    """A whole `digilog up` with Prefect, on a house's home."""

    house: House
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as found:
            prefect = found.getsockname()[1]
        env = self.house.env()
        self.house.ear.close()  # `up` holds its own socket
        command = [sys.executable, "-m", "flows.cli", "up", "--home", str(self.house.home), "--port", "0"]
        with (self.house.home / "up.out").open("wb") as out:
            self.process = subprocess.Popen(
                [*command, "--prefect-port", str(prefect)], env=env, stdin=subprocess.DEVNULL, stdout=out,
                stderr=out, start_new_session=True,
            )  # fmt: skip
        self.house.wait(lambda: "prefect" in self._told(), "Prefect to be ready", 240)

    def _told(self) -> dict[str, object]:
        file = self.house.home / "up.json"
        found: dict[str, object] = json.loads(file.read_text("utf-8")) if file.exists() else {}
        return found

    @property
    def port(self) -> int:
        return int(str(self._told()["ready"]).rpartition(":")[2])

    def pid(self, part: str) -> int | None:
        parts = self._told().get("parts", {})
        return parts.get(part) if isinstance(parts, dict) else None

    def shown(self) -> bool:
        """Whether every case stands in a run that Prefect has as ended."""
        left = self.house.rows("SELECT id FROM run WHERE state <> 'ended' OR flow_run IS NULL")
        cases = self.house.rows('SELECT id FROM "case" WHERE id NOT IN (SELECT case_id FROM run_case)')
        return not left and not cases

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    (tmp_path / "home").mkdir()
    house = House(tmp_path / "home")
    company.write(house.home / "company", house.sink.address)
    found = Up(house)
    try:
        found.start()
        yield found
    finally:
        found.stop()
        house.close()


@dataclass
class Load:
    """Orders at a steady rate, each sent once at its moment."""

    port: int
    sent: dict[str, float] = field(default_factory=dict)  # id > when it should have been sent
    statuses: list[int] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        begun = time.monotonic()
        with ThreadPoolExecutor(16) as pool:
            for number in itertools.count():
                at = begun + number / RATE
                if self.over.wait(max(0, at - time.monotonic())):
                    break
                self.sent[f"o{number}"] = at
                pool.submit(self._one, f"o{number}")

    def _one(self, id: str) -> None:
        self.statuses.append(post(self.port, id).status)


@contextlib.contextmanager
def _load(port: int) -> Iterator[Load]:
    load = Load(port)
    thread = threading.Thread(target=load.run)
    thread.start()
    try:
        yield load
    finally:
        load.over.set()
        thread.join()


def _harm(up: Up, number: int) -> str:
    """Kill or freeze the server. Returns what was done, or nothing if it is not there."""
    pid = up.pid(SERVER)
    if pid is None:
        return ""
    with contextlib.suppress(ProcessLookupError):
        if number % 2:
            os.kill(pid, signal.SIGKILL)
            return "killed"
        os.kill(pid, signal.SIGSTOP)
        time.sleep(FROZEN)
        os.kill(pid, signal.SIGCONT)
        return "frozen"
    return ""


def _delays(up: Up, load: Load) -> list[float]:
    """Seconds from the moment an order should have been sent to its first call, of all orders, sorted."""
    ids = {row["id"]: row["key"] for row in up.house.rows(
        'SELECT c.id, e.key FROM "case" c JOIN event e ON e.id = c.event_id')}  # fmt: skip
    calls = [call for call in up.house.sink.calls if call.step == "replace"]
    return sorted(call.at - load.sent[ids[call.path.rpartition("/")[2]]] for call in calls)


def test_prefect_dead_is_not_business_dead(up: Up) -> None:
    done: list[str] = []
    with _load(up.port) as load:
        while len(done) < TIMES:
            begun = time.monotonic()
            if did := _harm(up, len(done)):
                done.append(did)
                time.sleep(max(0, BETWEEN - (time.monotonic() - begun)))
            time.sleep(0.1)
    assert Counter(load.statuses) == {202: len(load.sent)}
    up.house.wait(lambda: settled(up.house, len(load.sent)), "every order to come to its end", 60)
    assert wrong(up.house, load.sent) == []
    delays = _delays(up, load)
    p50, p99 = delays[len(delays) // 2], delays[int(len(delays) * 0.99)]
    print(f"{len(load.sent)} orders, {done.count('killed')} kills, {done.count('frozen')} freezes; event to service "
          f"p50 {p50:.3f} s, p99 {p99:.3f} s, slowest {delays[-1]:.3f} s")  # fmt: skip
    assert p50 < 1
    begun = time.monotonic()
    up.house.wait(up.shown, "Prefect to show what it missed", 240)
    print(f"all shown {time.monotonic() - begun:.0f} s after the last order")
