"""Whether an event costs the same beside a thousand stored cases and beside a million; and what a case weighs."""

from contextlib import closing
from pathlib import Path

from bench.figures import Figures, Row, Rows, at_most, latency, measure, ratios
from bench.fill import cases, fill, size
from bench.systems import Bare, Digilog

SIZES = (1_000, 10_000, 100_000, 1_000_000)
WITH_WORDS = 100_000  # customers' words of older cases are erased
RATE, SECONDS = 100, 15
_MB = 1e6


def growth(folder: Path, *, quick: bool) -> Rows:
    """One home grows; between two sizes it is stopped and filled."""
    first: Figures | None = None
    with closing(Bare(folder)) as limit, closing(Digilog(folder, "growth")) as ours:
        db = ours.home / "digilog.db"
        ours.start()
        measure(ours, RATE, 1)
        ours.stop()
        for count in SIZES[:-1] if quick else SIZES:
            before, had = size(db), cases(db)
            fill(db, count, words=count <= WITH_WORDS)
            weight = (size(db) - before) / (cases(db) - had) * 1000 / _MB
            ours.start()
            measure(limit, 20, 1), measure(ours, 20, 2)  # warm
            base, got = measure(limit, RATE, 5), measure(ours, RATE, 5 if quick else SECONDS)
            ours.stop()
            first = first or got
            yield _row(count, got, base, weight)
            if count == SIZES[1]:
                yield at_most("store for 1,000 cases", 4, weight, " MB")
            if count == SIZES[-1]:
                yield at_most("store for 1,000 cases without customers' words", 1.5, weight, " MB")
        yield at_most(f"CPU for an event beside {count:,} cases, beside 1,000", 1.2, got.cpu / first.cpu, " x", 2)


def _row(count: int, got: Figures, base: Figures, weight: float) -> Row:
    accept, sink, _ = ratios(got, base)
    times = f"{accept:.1f}, {sink:.1f}"
    cells = (f"{count:,}", latency(got.accept), latency(got.sink), f"{got.cpu:.1f}", times, f"{weight:.2f}")
    return Row("growth", cells)
