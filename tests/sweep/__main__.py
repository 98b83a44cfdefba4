"""`python -m tests.sweep`: kills web and engine at the points of one event's way, then `runs` and Prefect's server."""

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from tests.sweep import shown
from tests.sweep.audit import Outcome, audit
from tests.sweep.house import PARTS, Stuck, make_template, open_house
from tests.sweep.points import Point, enumerate_points, kill, spread

AT_ONCE = 2  # houses; each has a web and an engine, and starting Python is what costs
POINTS = 38
SETTLED = 15.0  # seconds; the audit says what is not there then
HANG = 5.0  # seconds in which a point must have been reached


@dataclass(frozen=True, slots=True)
class Result:
    point: Point
    died: bool
    outcome: Outcome

    @property
    def passed(self) -> bool:
        return self.died and not self.outcome.wrong

    def __str__(self) -> str:
        said = "; ".join(self.outcome.wrong) or self.outcome.state
        return f"{'ok  ' if self.passed else 'FAIL' if self.died else 'miss'} {self.point}  {said}"


def play(point: Point, folder: Path, template: Path) -> Result:
    """One point in a house of its own: kill, start again, wait, audit."""
    id = folder.name
    with open_house(folder, template) as house:
        answered: list[bool] = []
        try:
            house.start(*PARTS)
            sender = threading.Thread(target=lambda: answered.append(house.send(id, time.monotonic() + 20)))
            with kill(house, point):
                sender.start()
                until = time.monotonic() + HANG
                while not house.dead(point.part) and time.monotonic() < until:
                    if answered and house.settled():
                        break
                    time.sleep(0.01)
                died = house.dead(point.part) or _dies(house.running[point.part])
            if not died:
                return Result(point, False, Outcome("the process was done before it came there"))
            house.start(point.part)
            sender.join()
            with contextlib.suppress(Stuck):
                house.wait(house.settled, "the case to end or to stand in doubt", SETTLED)
            answered.append(house.send(id, time.monotonic() + 5))  # a late repeat changes nothing
            return Result(point, True, audit(house, id, answered=all(answered)))
        except Stuck as error:
            return Result(point, True, Outcome("stuck", (str(error),)))


def _dies(process: object) -> bool:
    """A kill at the very last call takes a moment to be seen."""
    time.sleep(0.2)
    return process.poll() is not None  # type: ignore[attr-defined]


def sweep(points: Sequence[Point], folder: Path, template: Path) -> list[Result]:
    """Play all points, some at once, and print a line for each."""
    results: list[Result] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        played = [pool.submit(play, point, folder / f"p{n}", template) for n, point in enumerate(points)]
        for done in as_completed(played):
            results.append(done.result())
            _progress(None)
            print(results[-1], flush=True)
            _progress(len(results) / len(points))
    _progress(None)
    return results


def _progress(share: float | None) -> None:
    if not sys.stdout.isatty():
        return
    bar = "" if share is None else f"[{'#' * int(share * 40):40}] {share:.0%}"
    print(f"\r\033[K{bar}", end="", flush=True)


def main() -> int:
    read = argparse.ArgumentParser(prog="python -m tests.sweep", description=__doc__)
    read.add_argument("--points", type=int, default=POINTS, help="how many kill points")
    read.add_argument("--only", choices=(*PARTS, "prefect"), help="kill this process alone")
    read.add_argument("--soak", action="store_true", help="every point that there is")
    asked = read.parse_args()
    if asked.only == "prefect":
        return _prefect()
    if shutil.which("strace") is None:
        print("the sweep needs strace, which is not installed here; nothing was tried")
        return 1 if os.environ.get("CI") else 0
    with tempfile.TemporaryDirectory(prefix="sweep-") as made:
        folder = Path(made)
        template = make_template(folder / "template")
        with open_house(folder / "watched", template) as house:
            house.start(*PARTS)
            there = [point for point in enumerate_points(house) if asked.only in {None, point.part}]
        points = there if asked.soak else spread(there, asked.points)
        print(f"{len(there)} points on one event's way; {len(points)} of them now", flush=True)
        results = sweep(points, folder, template)
    failed = [result for result in results if result.died and not result.passed]
    missed = sum(not result.died for result in results)
    if missed:
        print(f"{missed} were not reached, and are not counted")
    print(f"{len(results) - len(failed) - missed} passed, {len(failed)} failed")
    wrong = bool(failed) or not results or missed > len(results) // 3
    return 1 if wrong else 0 if asked.only else _prefect()


def _prefect() -> int:
    with tempfile.TemporaryDirectory(prefix="sweep-") as made:
        failed = shown.play(Path(made) / "home")
    print(f"{len(shown.SHOWN) * len(shown.MOMENTS) + 1 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
