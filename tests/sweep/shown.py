"""Prefect dead is not business dead: kills of `runs` at the points of its way, and of Prefect's server beside it."""

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flows.runs.environment import healthy, prefect_env
from flows.settings import Settings
from tests.sweep.audit import Outcome, audit
from tests.sweep.house import PARTS, House, Stuck, clean_env, furnished
from tests.sweep.killed import Result
from tests.sweep.points import Point, enumerate_points, kill
from tests.sweep.warm import Nursery

MOMENTS = {"before the event": -0.3, "with the event": 0.0, "after it": 0.3, "while it is shown": 1.5}  # seconds
FIRST_START = 120.0  # seconds, with Prefect's migrations
BUSINESS = 10.0  # seconds in which the cases must be done, whatever became of Prefect
HANG = 12.0  # seconds in which a point must have been reached
CAUGHT_UP = 120.0  # seconds until all that was missed is shown
_MODULES = ("flows.runs.__main__", "flows.runs.follow", "flows.runs.worker", "connectors.web", "shelf_vendor")


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as made:
        port: int = made.getsockname()[1]
        return port


@dataclass
class Shown(House):
    """A home with Prefect's server and `runs`, which is forked from a parent that has imported Prefect."""

    prefect_port: int = field(default_factory=_free)
    beside: Nursery | None = None

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home, prefect_port=self.prefect_port)

    def env(self) -> dict[str, str]:
        return super().env() | {"DIGILOG_PREFECT_PORT": str(self.prefect_port)}

    def spawn(self, part: str) -> None:
        if part not in {"runs", "server"}:
            super().spawn(part)
            return
        handed = {"DIGILOG_LIFELINE": self.lifeline[0]}
        with (self.home / f"{part}.out").open("ab") as out:
            if part == "runs" and self.beside:
                self.running[part] = self.beside.start("flows.runs.__main__", self.env(), out.fileno(), handed)
                return
            self.running[part] = subprocess.Popen(
                [sys.executable, "-m", "flows.runs.server"], pass_fds=list(handed.values()),
                env=self.env() | {name: str(number) for name, number in handed.items()},
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip

    def served(self) -> bool:
        return healthy(self.settings)

    def all_shown(self) -> bool:
        """Whether each case stands in a run, and each run has ended in Prefect's pictures."""
        hidden = self.rows("SELECT id FROM run WHERE state <> 'ended' OR flow_run IS NULL")
        left = self.rows('SELECT id FROM "case" WHERE id NOT IN (SELECT case_id FROM run_case)')
        return not hidden and not left

    def close(self) -> None:
        super().close()
        if self.beside:
            self.beside.close()


@contextlib.contextmanager
def open_shown(folder: Path, template: Path, nursery: Nursery) -> Iterator[Shown]:
    """Such a house; Prefect's server is on its way, nothing else has been started."""
    with furnished(Shown, folder, template, nursery) as house:
        house.beside = Nursery(clean_env() | house.env() | prefect_env(house.settings), *_MODULES)
        house.spawn("server")
        yield house


def ready(house: Shown) -> None:
    """Start the rest, when Prefect's server is there."""
    house.wait(house.served, "Prefect to be ready", FIRST_START)
    house.start(*PARTS)
    house.spawn("runs")


def watch(house: Shown) -> list[Point]:
    """All points of `runs` from its start until one event is shown."""

    def live() -> None:
        house.send("watched", time.monotonic() + 10)
        house.wait(house.settled, "the watched event")
        house.wait(house.all_shown, "it to be shown", CAUGHT_UP)

    house.wait(lambda: house.setting("prefect_url"), "runs to be at work", FIRST_START)
    _restart(house)
    return enumerate_points(house, ("runs",), live)


def sweep(house: Shown, points: Sequence[Point]) -> Iterator[Result]:
    """Kill `runs` at each point, counted from its start, with an event on its way."""
    for number, point in enumerate(points):
        _restart(house)
        with kill(house, point):
            outcome = _event(house, f"runs-{number}")
            until = time.monotonic() + HANG
            while not house.dead("runs") and time.monotonic() < until and not house.all_shown():
                time.sleep(0.05)
            died = house.dead("runs")
        yield Result(point, died, outcome)
    _restart(house)


def _restart(house: House) -> None:
    if not house.dead("runs"):
        house.running["runs"].send_signal(signal.SIGKILL)
        house.running["runs"].wait(5)
    house.spawn("runs")


def without_server(house: Shown, harms: Sequence[tuple[signal.Signals, str]]) -> Iterator[tuple[str, Outcome]]:
    """Kill or freeze Prefect's server at moments of an event; it is started again, or thawed, afterwards."""
    for number, (harm, moment) in enumerate(harms):
        house.wait(house.served, "Prefect to be ready again", FIRST_START)
        at, since = MOMENTS[moment], time.monotonic()
        if at < 0:
            _harm(house, harm)
            time.sleep(-at)
        outcome = _event(house, f"server-{number}")
        if at >= 0:
            time.sleep(max(0.0, since + at - time.monotonic()))
            _harm(house, harm)
            outcome = _event(house, f"server-{number}-after")
        if harm == signal.SIGKILL:
            house.spawn("server")
        else:
            house.running["server"].send_signal(signal.SIGCONT)
        yield f"server {'killed' if harm == signal.SIGKILL else 'frozen'} {moment}", outcome


def _event(house: House, id: str) -> Outcome:
    """One event, which must be done in time."""
    answered = house.send(id, time.monotonic() + BUSINESS)
    with contextlib.suppress(Stuck):
        house.wait(lambda: house.settled(house.received()), "the cases", BUSINESS)
    return audit(house, id, answered=answered)


def _harm(house: House, harm: signal.Signals) -> None:
    server = house.running["server"]
    server.send_signal(harm)
    if harm == signal.SIGKILL:
        server.wait(5)
