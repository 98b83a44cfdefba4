"""`python -m tests.sweep`: kills web, engine and `runs` at the points of an event's way, then by chance under load."""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.sweep import killed, load, report, shown
from tests.sweep.house import MODULES, PARTS, House, Stuck, clean_env, make_template, open_house, open_nursery
from tests.sweep.killed import Result
from tests.sweep.points import spread
from tests.sweep.warm import Nursery

STAGES = ("points", "runs", "server", "load")


@dataclass(frozen=True, slots=True)
class Size:
    """How many points of each life, how Prefect's server is harmed and when, how many events under load.

    `rounds`: how often the points of web and engine are played; a second time threads take other turns.
    """

    rounds: int
    points: int
    unanswered: int
    runs: int
    harms: tuple[tuple[signal.Signals, str], ...]
    events: int
    least: int  # so many must have died at their point


_HARMS = tuple((harm, moment) for harm in (signal.SIGKILL, signal.SIGSTOP) for moment in shown.MOMENTS)
CI = Size(1, 100, 16, 10, (_HARMS[1], _HARMS[-1]), 1_000, 100)
SOAK = Size(2, 10_000, 10_000, 140, _HARMS * 4, 20_000, 1_000)


@dataclass
class Sweep:
    """What was asked, and what has come of it so far."""

    size: Size
    folder: Path
    template: Path
    nursery: Nursery
    results: list[Result] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    saying: threading.Lock = field(default_factory=threading.Lock)

    def say(self, line: object) -> None:
        with self.saying:
            print(line, flush=True)

    def take(self, results: Iterable[Result]) -> None:
        for one in results:
            self.say(one)
            self.results.append(one)

    @property
    def died(self) -> int:
        return sum(one.died for one in self.results)

    def points(self) -> None:
        """Kill web and engine, each time in a house of its own."""
        plain, unanswered = (False, self.size.points), (True, self.size.unanswered)
        lives = [plain, unanswered, *[plain] * (self.size.rounds - 1)]
        for number, (is_unanswered, wanted) in enumerate(lives):
            place = self.folder / f"life-{number}"
            there = killed.watch(place / "watched", self.template, self.nursery, unanswered=is_unanswered)
            chosen = spread(there, wanted)
            self.say(f"{len(there)} points{' where answers are lost' * is_unanswered}; {len(chosen)} of them now")
            self.take(killed.sweep(chosen, place, self.template, self.nursery))

    def runs(self, house: shown.Shown) -> None:
        """Kill `runs`."""
        there = shown.watch(house)
        chosen = spread(there, self.size.runs)
        self.say(f"{len(there)} points of runs; {len(chosen)} of them now")
        self.take(shown.sweep(house, chosen))

    def server(self, house: shown.Shown) -> None:
        """Kill and freeze Prefect's server."""
        bad = 0
        for harm, outcome in shown.without_server(house, self.size.harms):
            self.say(f"{'FAIL' if outcome.wrong else 'ok  '} {harm}  {outcome}")
            self.wrong += outcome.wrong
            bad += bool(outcome.wrong)
        self.lines.append(
            f"Prefect's server killed or frozen {len(self.size.harms)} times: business harmed {bad} times"
        )

    def load(self, house: shown.Shown | None) -> None:
        """Kill by chance under load; in the end Prefect must show all."""
        if house:
            self._load(house, (*PARTS, "runs"))
            since = time.monotonic()
            house.wait(house.all_shown, "all to be shown by Prefect", shown.CAUGHT_UP)
            self.lines.append(f"all shown by Prefect {time.monotonic() - since:.0f} s afterwards")
            return
        with open_house(self.folder / "load", self.template, self.nursery) as made:
            made.start(*PARTS)
            self._load(made, PARTS)

    def _load(self, house: House, parts: tuple[str, ...]) -> None:
        self.say(f"{self.size.events} events at {load.RATE:.0f}/s, a kill every second")
        played = load.play(house, self.size.events, parts)
        self.lines += load.told(played)
        self.wrong += played.outcome.wrong

    def judge(self, stages: Collection[str]) -> int:
        """Print the report. Returns the exit code."""
        self.wrong += [f"{one.point}  {fault}" for one in self.results for fault in one.outcome.wrong]
        if set(stages) >= {"points", "runs"} and self.died < self.size.least:
            self.wrong.append(f"{self.died} died at their point; {self.size.least} are asked for")
        if set(stages) & {"points", "runs"} and not self.died:
            self.wrong.append("nothing died at its point")
        points = ["", *report.table(self.results)] if self.results else []
        print("\n".join([*points, "", *self.lines, *report.faults(self.wrong)]))
        print("FAILED" if self.wrong else "passed")
        return 1 if self.wrong else 0


def play(sweep: Sweep, stages: Collection[str]) -> None:
    """Points of web and engine beside what needs Prefect, which mostly waits; then the load."""
    if not {"runs", "server"} & set(stages):
        if "points" in stages:
            sweep.points()
        if "load" in stages:
            sweep.load(None)
        return
    with (
        shown.open_shown(sweep.folder / "shown", sweep.template, sweep.nursery) as house,
        ThreadPoolExecutor(1) as pool,
    ):
        beside = pool.submit(_beside, sweep, house, stages)
        if "points" in stages:
            sweep.points()
        beside.result()
        if "load" in stages:
            sweep.load(house)


def _beside(sweep: Sweep, house: shown.Shown, stages: Collection[str]) -> None:
    shown.ready(house)
    if "runs" in stages:
        sweep.runs(house)
    if "server" in stages:
        sweep.server(house)


def main() -> int:
    read = argparse.ArgumentParser(prog="python -m tests.sweep", description=__doc__)
    read.add_argument("--only", choices=STAGES, action="append", help="this alone; may be given more than once")
    read.add_argument("--soak", action="store_true", help="every point that there is, and 20,000 events")
    read.add_argument("--events", type=int, help="how many under load")
    asked = read.parse_args()
    if shutil.which("strace") is None:
        print("the sweep needs strace, which is not installed here; nothing was tried")
        return 1 if os.environ.get("CI") else 0
    since, stages = time.monotonic(), asked.only or STAGES
    with (
        tempfile.TemporaryDirectory(prefix="sweep-", ignore_cleanup_errors=True) as made,
        open_nursery(clean_env(), *MODULES) as nursery,
    ):
        folder = Path(made)
        size = SOAK if asked.soak else CI
        size = replace(size, events=asked.events or size.events)
        sweep = Sweep(size, folder, make_template(folder / "template"), nursery)
        try:
            play(sweep, stages)
        except Stuck as error:
            sweep.wrong.append(str(error))
        sweep.lines.append(f"in {time.monotonic() - since:.0f} s")
        return sweep.judge(stages)


if __name__ == "__main__":
    sys.exit(main())
