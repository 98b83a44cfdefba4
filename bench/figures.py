"""What is measured of one load, and how it is said: rows of tables, and goals that are reached or not."""

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.load import Load, arrived, send
from bench.systems import System, cpu


@dataclass(frozen=True, slots=True)
class Row:
    """One line of one of the tables in `bench.report`."""

    table: str
    cells: tuple[str, ...]


Rows = Iterator[Row]


@dataclass(frozen=True, slots=True)
class Figures:
    """Latencies in milliseconds from the moment an event was due, in the order of events."""

    accept: list[float]
    sink: list[float]
    lost: int  # answered 2xx, and not at the sink when patience ended
    cpu: float  # seconds for 1,000 events

    @property
    def drained(self) -> float:
        """Seconds from the moment the last arrival was due until it came."""
        return max(self.sink, default=0) / 1000

    @property
    def kept_up(self) -> bool:
        """Whether the last tenth of the events waited no longer than a moment: no queue grows."""
        last = self.sink[-max(len(self.sink) // 10, 1) :]
        return not self.lost and bool(last) and statistics.median(last) < 1000


def measure(system: System, rate: float, seconds: float) -> Figures:
    before = cpu(system)
    load = send(system.port, rate, seconds)
    lost = drain(load, system)
    used = cpu(system) - before
    return Figures(load.accepts(), load.arrivals(system.sink.file), lost, used * 1000 / len(load.due))


def drain(load: Load, system: System, patience: float = 30) -> int:
    """Wait for what was accepted to come to the sink. Returns how many did not."""
    until = time.monotonic() + patience
    while (missing := set(load.answered) - set(arrived(system.sink.file))) and time.monotonic() < until:
        time.sleep(0.1)
    return len(missing)


def at(values: Sequence[float], share: float) -> float:
    """A quantile; not a number where nothing was measured."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)] if values else float("nan")


def latency(values: Sequence[float]) -> str:
    return f"{at(values, 0.5):.1f} / {at(values, 0.99):.0f}"


def ratios(got: Figures, base: Figures) -> tuple[float, float, float]:
    """Times the other: accept p50, event to sink p50, event to sink p99."""
    return (
        at(got.accept, 0.5) / at(base.accept, 0.5),
        at(got.sink, 0.5) / at(base.sink, 0.5),
        at(got.sink, 0.99) / at(base.sink, 0.99),
    )


def goal(what: str, wanted: str, measured: str, *, reached: bool) -> Row:
    return Row("goals", (what, wanted, measured, "yes" if reached else "**no**"))


def at_most(what: str, limit: float, measured: float, unit: str = "", digits: int = 1) -> Row:
    """A goal that is a bound from above."""
    reached = round(measured, digits) <= limit
    return goal(what, f"<= {limit:,g}{unit}", f"{measured:,.{digits}f}{unit}", reached=reached)
