"""Prefect dead is not business dead: kills of `runs` and of Prefect's server, at four moments of an event each."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.sweep import company
from tests.sweep.audit import audit
from tests.sweep.house import House, Stuck
from tests.sweep.sink import open_sink

SHOWN = ("runs", "prefect-server")
MOMENTS = {"before the event": -0.3, "with the event": 0.0, "after it": 0.3, "while it is shown": 2.5}  # seconds
FIRST_START = 120.0  # seconds, with Prefect's migrations
BUSINESS = 5.0  # seconds in which a case must be done, whatever became of Prefect
_DECIDED = "SELECT id FROM event WHERE key = ? AND state = 'decided'"
CAUGHT_UP = 90.0  # seconds until all that was missed is shown


@dataclass
class Up(House):
    """A whole `digilog up` with Prefect; it starts again what is killed."""

    process: subprocess.Popen[bytes] | None = None
    bound: int = 0

    @property
    def port(self) -> int:
        return self.bound or super().port

    def up(self) -> None:
        self.bound = self.port
        self.ear.close()  # `up` holds its own socket
        command = [sys.executable, "-m", "flows.cli", "up", "--home", str(self.home), "--port", str(self.bound)]
        command += ["--playbooks", str(self.home / "company"), "--prefect-port", str(_free())]
        with (self.home / "up.out").open("wb") as out:
            self.process = subprocess.Popen(
                command, env=self.env(), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
        self.wait(lambda: "prefect" in self._told(), "Prefect to be ready", FIRST_START)

    def _told(self) -> dict[str, Any]:
        file = self.home / "up.json"
        found: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {}
        return found

    def part(self, name: str) -> int | None:
        """The id of the process of this name, if it was started."""
        return self._told().get("parts", {}).get(name)

    def hidden(self) -> int:
        """How many runs have not ended in Prefect's pictures, or were never shown there."""
        return len(self.rows("SELECT id FROM run WHERE state <> 'ended' OR flow_run IS NULL"))

    def shown(self) -> int:
        """How many cases stand in a run."""
        return len(self.rows("SELECT DISTINCT case_id FROM run_case"))

    def down(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.close()


@contextlib.contextmanager
def _open(folder: Path) -> Iterator[Up]:
    folder.mkdir(parents=True)
    sink = open_sink(folder / "sink.jsonl")
    company.write(folder / "company", sink.address)
    up = Up(folder, sink, socket.create_server(("127.0.0.1", 0)))
    try:
        up.up()
        yield up
    finally:
        up.down()


def play(folder: Path) -> int:
    """Play all moments on one Prefect server, print a line for each. Returns how many failed."""
    failed = 0
    try:
        with _open(folder) as up:
            for part in SHOWN:
                for number, (moment, at) in enumerate(MOMENTS.items()):
                    wrong = _moment(up, part, f"{part}-{number}", at)
                    failed += bool(wrong)
                    print(
                        f"{'FAIL' if wrong else 'ok  '} {part:6} {moment:17} {'; '.join(wrong) or 'ended'}", flush=True
                    )
            up.wait(lambda: up.shown() == len(SHOWN) * len(MOMENTS) and not up.hidden(), "all to be shown", CAUGHT_UP)
            print("ok   all of them are shown by Prefect now")
    except Stuck as error:
        print(f"FAIL {error}")
        failed += 1
    return failed


def _moment(up: Up, part: str, id: str, at: float) -> list[str]:
    """One kill, `at` seconds from the event. Returns what is wrong with the business then."""
    up.wait(lambda: up.part(part), f"{part} to be started again", 40)
    if at < 0:
        _kill(up, part)
        time.sleep(-at)
    since = time.monotonic()
    answered = up.send(id, since + BUSINESS)
    if at >= 0:
        time.sleep(max(0.0, since + at - time.monotonic()))
        _kill(up, part)
    with contextlib.suppress(Stuck):
        up.wait(lambda: up.rows(_DECIDED, id) and up.settled(), "the case", BUSINESS)
    return list(audit(up, id, answered=answered).wrong)


def _kill(up: Up, part: str) -> None:
    if pid := up.part(part):
        os.kill(pid, signal.SIGKILL)


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as made:
        port: int = made.getsockname()[1]
        return port
