"""Kills of web and engine: one event in a house of its own, one kill at a point of its way, a new start, an audit."""

import contextlib
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from tests.sweep.audit import Outcome, audit
from tests.sweep.house import PARTS, House, Stuck, open_house
from tests.sweep.points import Point, enumerate_points, kill
from tests.sweep.warm import Nursery

AT_ONCE, UNANSWERED_AT_ONCE = 2, 8  # houses; where answers are lost, most of the time is waited
SETTLED = 25.0  # seconds; the audit says what is not there then
HANG = 25.0  # seconds in which a point must have been reached


@dataclass(frozen=True, slots=True)
class Result:
    point: Point
    died: bool
    outcome: Outcome

    def __str__(self) -> str:
        if not self.died:
            return f"miss {self.point}"
        return f"{'FAIL' if self.outcome.wrong else 'ok  '} {self.point}  {self.outcome}"


def watch(folder: Path, template: Path, nursery: Nursery, *, unanswered: bool = False) -> list[Point]:
    """All points of one event's way through web and engine."""
    with open_house(folder, template, nursery) as house:
        if unanswered:
            house.sink.lose_first()
        house.start(*PARTS)

        def live() -> None:
            house.send("watched", time.monotonic() + 10)
            house.wait(house.settled, "the watched event")

        return [replace(point, unanswered=unanswered) for point in enumerate_points(house, PARTS, live)]


def sweep(points: Sequence[Point], folder: Path, template: Path, nursery: Nursery) -> Iterator[Result]:
    """Play all points, some at once."""
    with ThreadPoolExecutor(UNANSWERED_AT_ONCE if all(one.unanswered for one in points) else AT_ONCE) as pool:
        played = [pool.submit(_play, point, folder / f"p{n}", template, nursery) for n, point in enumerate(points)]
        for done in as_completed(played):
            yield done.result()
    shutil.rmtree(folder, ignore_errors=True)  # room for the next; what is left goes with the whole


def _play(point: Point, folder: Path, template: Path, nursery: Nursery) -> Result:
    """One point: kill, start again, wait, audit."""
    id = folder.name
    with open_house(folder, template, nursery) as house:
        answered: list[bool] = []
        if point.unanswered:
            house.sink.lose_first()
        try:
            house.start(*PARTS)
            sender = threading.Thread(target=lambda: answered.append(house.send(id, time.monotonic() + 20)))
            with kill(house, point):
                sender.start()
                died = _dies(house, point.part, answered)
            if not died:
                sender.join()
                return Result(point, False, Outcome())
            house.start(point.part)
            sender.join()
            if all(answered) and not house.received():
                return Result(point, True, Outcome(lost=["answered 2xx, and not in the store"]))
            with contextlib.suppress(Stuck):
                house.wait(house.settled, "the cases to end or to stand in doubt", SETTLED)
            answered.append(house.send(id, time.monotonic() + 5))  # a late repeat changes nothing
            return Result(point, True, audit(house, id, answered=all(answered)))
        except Stuck as error:
            return Result(point, True, Outcome(other=[f"stuck: {error}"]))


def _dies(house: House, part: str, answered: list[bool]) -> bool:
    """Whether it came to the point; a kill at the very last call takes a moment to be seen."""
    until = time.monotonic() + HANG
    while not house.dead(part) and time.monotonic() < until:
        if answered and house.settled():
            time.sleep(0.1)
            break
        time.sleep(0.01)
    return house.dead(part)
