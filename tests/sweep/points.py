"""Where a process can be killed on an event's way: the N-th system call of one kind, found by watching one event."""

import contextlib
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.sweep.house import House, Stuck

CALLS = {  # writes, syncs, sends, receives, connects
    "web": ("accept4", "read", "pwrite64", "fdatasync", "sendto", "sendmsg", "write", "writev"),
    "engine": ("recvfrom", "pwrite64", "fdatasync", "connect", "sendto", "openat"),
    "runs": ("connect", "sendto", "recvfrom", "pwrite64", "fdatasync", "write"),
}
WRITE, SYNC = "pwrite64", "fdatasync"
_LINE = re.compile(r"(\d+) +(\w+)\(")


@dataclass(frozen=True, slots=True)
class Point:
    """Just before the `number`-th `call` that a thread of `part` makes, counted from the event's arrival.

    `unanswered`: in a life where the sink does each thing and loses its first answer.
    """

    part: str
    call: str
    number: int
    unanswered: bool = False

    def __str__(self) -> str:
        return f"{self.part:6} {self.call:9} {self.number:3}{', answers lost' if self.unanswered else ''}"


@contextlib.contextmanager
def strace(house: House, part: str, *expressions: str, log: Path | None = None) -> Iterator[None]:
    """Hold on to a part that works already: what it did to start is not counted."""
    command = ["strace", "-f", "-p", str(house.running[part].pid), "-o", str(log or "/dev/null")]
    command += [word for one in expressions for word in ("-e", one)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True) as tracer:
        try:
            _attached(tracer)
            yield
        finally:
            if tracer.poll() is None:
                tracer.send_signal(signal.SIGINT)
            try:
                tracer.wait(3)
            except subprocess.TimeoutExpired:
                tracer.kill()


def _attached(tracer: subprocess.Popen[bytes]) -> None:
    said, until = b"", time.monotonic() + 5
    while b"attached" not in said:
        if tracer.stderr is None or not select.select([tracer.stderr], [], [], max(0, until - time.monotonic()))[0]:
            raise Stuck("strace did not attach")
        more = tracer.stderr.read1(4096)  # type: ignore[attr-defined]
        if not more:
            raise Stuck(f"strace may not watch processes here: {said.decode().strip()}")
        said += more


def kill(house: House, point: Point) -> contextlib.AbstractContextManager[None]:
    """While this is open, the part dies when it comes to the point."""
    inject = f"inject={point.call}:signal=SIGKILL:when={point.number}"
    return strace(house, point.part, f"trace={point.call}", inject)


def enumerate_points(house: House, parts: Sequence[str], live: Callable[[], object]) -> list[Point]:
    """Watch while `live` lasts and name every point on its way; first those at commits, likely places of a mistake."""
    logs = {part: house.home / f"{part}.strace" for part in parts}
    with contextlib.ExitStack() as watching:
        for part, log in logs.items():
            watching.enter_context(strace(house, part, f"trace={','.join(CALLS[part])}", log=log))
        live()
    made = {part: _by_thread(log.read_text("utf-8", "replace")) for part, log in logs.items()}
    first = [point for part, threads in made.items() for point in _commits(part, threads)]
    return list(dict.fromkeys([*first, *(point for part, threads in made.items() for point in _all(part, threads))]))


def _by_thread(log: str) -> list[list[str]]:
    """The calls of each thread in their order; strace counts for each thread."""
    threads: dict[str, list[str]] = {}
    for line in log.splitlines():
        if found := _LINE.match(line):
            threads.setdefault(found[1], []).append(found[2])
    return list(threads.values())


def _commits(part: str, threads: list[list[str]]) -> Iterator[Point]:
    """In the middle of each transaction's writes, before its last (it never was), and before its sync (it was)."""
    for calls in threads:
        before = 0
        for sync, place in enumerate((at for at, call in enumerate(calls) if call == SYNC), 1):
            written = calls[:place].count(WRITE)
            if written > before:
                yield Point(part, WRITE, (before + 1 + written) // 2)
                yield Point(part, WRITE, written)
            yield Point(part, SYNC, sync)
            before = written


def _all(part: str, threads: list[list[str]]) -> Iterator[Point]:
    most = {call: max((calls.count(call) for calls in threads), default=0) for call in CALLS[part]}
    return (Point(part, call, number) for call, count in most.items() for number in range(1, count + 1))


def spread(points: Sequence[Point], wanted: int) -> list[Point]:
    """So many of them: up to a half at commits, the others evenly over every part and call."""
    last = max((place for place, point in enumerate(points) if point.call == SYNC), default=-1)
    chosen = list(points[: min(last + 1, wanted // 2)])
    kinds: dict[tuple[str, str], list[Point]] = {}
    for point in points[len(chosen) :]:
        kinds.setdefault((point.part, point.call), []).append(point)
    queues = [_halving(kind) for kind in kinds.values()]
    while len(chosen) < min(wanted, len(points)):
        for queue in queues:
            if queue and len(chosen) < wanted:
                chosen.append(queue.pop(0))
    return sorted(chosen[:wanted], key=points.index)


def _halving(points: list[Point]) -> list[Point]:
    """First and last, then the middles of what is left: any beginning of the list is spread."""
    ends = [0, len(points) - 1] if len(points) > 1 else [0]
    gaps = [(0, len(points) - 1)]
    while gaps:
        low, high = gaps.pop(0)
        middle = (low + high) // 2
        if high - low > 1:
            ends.append(middle)
            gaps += [(low, middle), (middle, high)]
    return [points[place] for place in ends]
