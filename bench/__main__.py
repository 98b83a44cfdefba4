"""`python -m bench [--only PART ...] [--quick] [--write]`: measures, and prints figures beside what must be reached.

Parts: speed, prefect, growth, outages, starts, board, pull; half an hour in all. `--quick`: short.
`--write`: keeps the figures and puts the tables into the README. `--profile`: says only where an event's time goes.
"""

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bench.board import board
from bench.figures import Row, Rows
from bench.growth import growth
from bench.outages import outages, starts
from bench.profile import profile
from bench.pull import pull
from bench.report import TABLES, keep, line, write
from bench.speed import prefect, speed


class Measures(Protocol):
    def __call__(self, folder: Path, *, quick: bool) -> Rows: ...


@dataclass(frozen=True, slots=True)
class Part:
    measures: Measures
    rows: int  # how many it says, for the bar


PARTS = {
    "speed": Part(speed, 26),
    "prefect": Part(prefect, 11),
    "growth": Part(growth, 8),
    "outages": Part(outages, 5),
    "starts": Part(starts, 6),
    "board": Part(board, 38),
    "pull": Part(pull, 9),
}


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    asked.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    asked.add_argument("--quick", action="store_true")
    asked.add_argument("--write", action="store_true")
    asked.add_argument("--profile", action="store_true")
    given = asked.parse_args()
    if given.quick and given.write:
        asked.error("figures of a quick run are not kept: leave out --quick or --write")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that nothing measured stays behind
    if given.profile:
        with tempfile.TemporaryDirectory(prefix="digilog-bench-") as made:
            for said in profile(Path(made)):
                print(said, flush=True)
        return
    missed = 0
    with _shown(given.only) as show:
        for name in given.only:
            folder, found = Path(tempfile.mkdtemp(prefix="digilog-bench-")), []
            try:
                for row in PARTS[name].measures(folder, quick=given.quick):
                    found.append(row)
                    show(row)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            missed += sum(row.table == "goals" and row.cells[-1] != "yes" for row in found)
            if given.write:
                keep(name, found)
    if given.write:
        write(PARTS)
    print(f"{missed} goals not reached" if missed else "all goals reached")


@contextmanager
def _shown(names: list[str]) -> Iterator[Callable[[Row], None]]:
    """Lines as they come; in a terminal with a bar below them."""
    told: list[str] = []

    def text(row: Row) -> str:
        head = "" if told and told[-1] == row.table else f"\n{line(TABLES[row.table])}\n"
        told.append(row.table)
        return head + line(row.cells)

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda row: print(text(row), flush=True)
        return
    columns = (SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TextColumn("figures"), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=sum(PARTS[name].rows for name in names))

        def show(row: Row) -> None:
            bar.advance(task)
            sys.stdout.write(text(row) + "\n") if not sys.stdout.isatty() else bar.console.print(
                text(row), markup=False, highlight=False, soft_wrap=True
            )

        yield show


if __name__ == "__main__":
    main()
