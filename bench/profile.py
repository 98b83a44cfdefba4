"""`python -m bench --profile`: where the processor time of an event goes, web and engine apart; about a minute."""

import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench import company
from bench.figures import drain
from bench.load import send
from bench.systems import Sink, end, free, spawn, until_open

RATES = ((20, 20), (100, 8), (300, 5))  # events a second, seconds
KINDS = ("web", "engine")
_BEGINNINGS = 40  # events before, so that everything is loaded


def profile(folder: Path) -> Iterator[str]:
    """Lines of one table a rate. Watching itself costs: shares count, not milliseconds."""
    for rate, seconds in RATES:
        yield from _table(rate, *_watched(folder / str(rate), rate, seconds))


def _watched(folder: Path, rate: int, seconds: int) -> tuple[dict[str, dict[str, dict[str, float]]], int]:
    """What each process spent on which part in seconds, its statements, and for how many events."""
    folder.mkdir()
    ours = _Pair(folder)
    try:
        drain(send(ours.port, 20, _BEGINNINGS / 20), ours)
        ours.forget()
        load = send(ours.port, rate, seconds)
        drain(load, ours)
    finally:
        ours.close()
    told = {kind: json.loads((folder / f"{kind}.json").read_text("utf-8")) for kind in KINDS}
    return told, len(load.due)


class _Pair:
    """Web and engine under watch, without a supervisor."""

    name = "digilog, watched"

    def __init__(self, folder: Path) -> None:
        self.port, self.sink = free(), Sink(folder / "sink")
        company.write(folder / "company", self.sink.port)
        env = {
            "DIGILOG_HOME": str(folder / "home"), "DIGILOG_PLAYBOOKS": str(folder / "company"),
            "DIGILOG_PORT": str(self.port), company.VARIABLE: company.SECRET,
        }  # fmt: skip
        self._processes = {}
        for kind in KINDS:
            command = [sys.executable, "-m", "bench.watched", kind, str(folder / f"{kind}.json")]
            self._processes[kind] = spawn(command, env)
            if kind == "web":  # it makes the store
                until_open(self.port)
        time.sleep(2)  # the engine's first looks

    def processes(self) -> dict[str, list[int]]:
        return {kind: [one.pid] for kind, one in self._processes.items()}

    def forget(self) -> None:
        for one in self._processes.values():
            one.send_signal(signal.SIGUSR1)
        time.sleep(0.1)

    def close(self) -> None:
        for one in self._processes.values():
            end(one)
        self.sink.close()


def _table(rate: int, told: dict[str, dict[str, dict[str, float]]], events: int) -> Iterator[str]:
    spent = {(kind, part): cost for kind in KINDS for part, cost in told[kind]["spent"].items()}
    whole = sum(spent.values())
    yield f"\n{rate}/s: {whole / events * 1000:.1f} ms of processor time an event, watched"
    yield "| process | part | ms an event | % of all |"
    yield "| --- | --- | --- | --- |"
    for (kind, part), cost in sorted(spent.items(), key=lambda one: (one[0][0] == "engine", -one[1])):
        if cost / whole >= 0.005:
            yield f"| {kind} | {part} | {cost / events * 1000:.2f} | {cost / whole * 100:.0f} |"
    for kind in KINDS:
        counts = told[kind]["statements"]
        said = ", ".join(f"{counts.get(word, 0) / events:.1f} {word}" for word in _WORDS)
        yield f"{kind}, statements an event: {sum(counts.values()) / events:.1f} ({said})"


_WORDS = ("BEGIN", "COMMIT", "SELECT", "INSERT", "UPDATE")
