"""`python -m tests.simulation`: plays histories by their seeds; `--seed N` tells one of them again."""

import argparse
import gc
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.simulation.history import Failures, History, play
from tests.simulation.service import installed

CHUNK = 50
SHOWN = 10  # failures whose sentence is printed


def replay(seed: int) -> int:
    """Tell one history aloud."""
    try:
        with installed():
            History(seed, tell=print).play()
    except AssertionError as error:
        print(f"WRONG: {error}")
        return 1
    print("all promises kept")
    return 0


def many(first: int, count: int, jobs: int) -> int:
    chunks = ((at, min(CHUNK, first + count - at)) for at in range(first, first + count, CHUNK))
    console, began, failed, done = Console(), time.monotonic(), [], 0
    columns = (TextColumn("histories"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=count)
        for chunk, found in _played(chunks, jobs):
            failed += found
            done += chunk
            bar.update(task, completed=done)
            for seed, sentence in found[: max(0, SHOWN - len(failed) + len(found))]:
                console.print(f"{sentence}\n  again: python -m tests.simulation --seed {seed}", markup=False)
            if not console.is_terminal and done // 250 > (done - chunk) // 250:
                print(f"{done} histories, {len(failed)} wrong, {done / (time.monotonic() - began):.0f}/s", flush=True)
    took = time.monotonic() - began
    print(f"{done} histories from seed {first}, {len(failed)} wrong, {done / took:.0f}/s")
    if failed:
        print("wrong:", " ".join(str(seed) for seed, _ in sorted(failed)[:50]))
    return 1 if failed else 0


def _played(chunks: Iterator[tuple[int, int]], jobs: int) -> Iterator[tuple[int, Failures]]:
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=fresh, initializer=gc.freeze) as pool:  # what is loaded stays
        running: dict[Future[Failures], int] = {}
        while True:
            running |= {pool.submit(play, *chunk): chunk[1] for chunk in islice(chunks, 2 * jobs - len(running))}
            if not running:
                return
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for one in ended:
                yield running.pop(one), one.result()


def main() -> int:
    read = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    read.add_argument("--seed", type=int, help="play this one history and tell it")
    read.add_argument("--histories", type=int, default=1_000, help="how many")
    read.add_argument("--first", type=int, default=0, help="the first seed")
    read.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes side by side")
    asked = read.parse_args()
    return replay(asked.seed) if asked.seed is not None else many(asked.first, asked.histories, asked.jobs)


if __name__ == "__main__":
    sys.exit(main())
