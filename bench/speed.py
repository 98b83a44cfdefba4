"""Work W1 at several rates beside the bare limit, a burst, a slow service, memory; and again with Prefect on."""

import time
from contextlib import closing
from pathlib import Path

from bench.figures import Figures, Row, Rows, at, at_most, goal, latency, measure, ratios
from bench.systems import Bare, Digilog, System, memory

RATES = ((20, 20), (100, 15), (300, 15), (400, 60))  # events a second, seconds
BARE_LONGEST = 20  # seconds: the bare limit does not tire
SHORT = 4  # seconds a rate of a quick run
BURST = 1_000
_EVENTS = (2.5, 6.0)  # CPU seconds for 1,000 events: at 400/s, at 20/s


def speed(folder: Path, *, quick: bool) -> Rows:
    """Each rate measures the bare limit and digilog within seconds of each other."""
    with closing(Bare(folder)) as limit, closing(Digilog(folder)) as ours:
        ours.start()
        measure(limit, 20, 2), measure(ours, 20, 2)  # warm
        for rate, seconds in RATES:
            long = SHORT if quick else seconds
            base, got = measure(limit, rate, min(long, BARE_LONGEST)), measure(ours, rate, long)
            yield work(limit, f"{rate}/s", base)
            yield work(ours, f"{rate}/s", got, base)
            yield from _goals(rate, long, got, base)
        base, got = measure(limit, 0, BURST), measure(ours, 0, BURST)
        yield work(limit, f"burst of {BURST:,}, drained in {base.drained:.1f} s", base)
        yield work(ours, f"burst of {BURST:,}, drained in {got.drained:.1f} s", got, base)
        yield at_most(f"a burst of {BURST:,} is drained", 1.5, got.drained, " s")
        yield from _slow(ours, SHORT if quick else 15)
        yield from (*_memory(limit), *_memory(ours))
        used = memory(ours)
        yield at_most("memory of web and engine", 150, used["web"] + used["engine"], " MB", 0)


def prefect(folder: Path, *, quick: bool) -> Rows:
    """The same while Prefect shows the runs; its own server and `runs` are pictures and counted apart."""
    with closing(Bare(folder)) as limit, closing(Digilog(folder, "with-prefect", prefect=True)) as ours:
        ours.start()
        measure(limit, 20, 2), measure(ours, 20, 2)
        for rate, seconds in RATES[:3]:
            long = SHORT if quick else seconds
            base, got = measure(limit, rate, min(long, BARE_LONGEST)), measure(ours, rate, long)
            yield work(ours, f"{rate}/s", got, base)
            if rate <= 100:
                yield at_most(f"event to sink p99 at {rate}/s with Prefect on", 15, at(got.sink, 0.99), " ms", 0)
        time.sleep(0 if quick else 5)
        used = memory(ours)
        yield from (Row("memory", (f"{kind}, Prefect on", f"{used[kind]:.0f}")) for kind in sorted(used))
        yield at_most("memory of supervisor and runs", 130, used["supervisor"] + used.get("runs", 0), " MB", 0)


def work(system: System, title: str, got: Figures, base: Figures | None = None) -> Row:
    beside = ", ".join(f"{one:.1f}" for one in ratios(got, base)) if base else ""
    cells = (f"{system.name}, {title}", latency(got.accept), latency(got.sink), str(got.lost), f"{got.cpu:.1f}", beside)
    return Row("work", cells)


def _goals(rate: int, seconds: float, got: Figures, base: Figures) -> Rows:
    accept, sink, p99 = ratios(got, base)
    if rate <= 100:
        yield at_most(f"accept p50 at {rate}/s, beside the bare limit", 1.3, accept, " x")
        yield at_most(f"event to sink p50 at {rate}/s, beside the bare limit", 2, sink, " x")
        yield at_most(f"event to sink p99 at {rate}/s, beside the bare limit", 3, p99, " x")
    if rate == 400:
        said = f"{got.lost} lost, slowest {max(got.sink, default=0) / 1000:.1f} s"
        yield goal(f"{rate}/s are kept up for {seconds:g} s", "no growing queue, 0 lost", said, reached=got.kept_up)
    if rate in {20, 400}:
        yield at_most(f"CPU for 1,000 events at {rate}/s", _EVENTS[rate == 20], got.cpu, " s")


def _slow(ours: Digilog, seconds: float) -> Rows:
    ours.sink.set(latency=0.1)
    got = measure(ours, 300, seconds)
    ours.sink.set()
    said = f"{got.lost} lost, slowest {max(got.sink, default=0) / 1000:.1f} s"
    yield goal("300/s to a service that takes 100 ms", "no growing queue, 0 lost", said, reached=got.kept_up)


def _memory(system: System) -> Rows:
    return (Row("memory", (kind, f"{used:.0f}")) for kind, used in memory(system).items())
