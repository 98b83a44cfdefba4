"""`python -m bench [--prefect] [--write]`: measures the bare limit and digilog by turns, and prints ratios.

`--prefect` has Prefect show runs meanwhile; `--write` puts the table into the README.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench import company
from bench.load import Load, arrived, send

ROOT = Path(__file__).parent.parent
RATES = ((20, 20), (100, 15), (300, 15), (400, 20))
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class System:
    """One measured system: where it listens, and which processes are its own."""

    name: str
    port: int
    pids: Callable[[], list[int]]
    sink: Path

    def cpu(self) -> float:
        """Seconds of processor time of all its processes so far."""
        total = 0.0
        for pid in self.pids():
            with suppress(FileNotFoundError, ProcessLookupError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                total += (int(fields[11]) + int(fields[12])) / TICK
        return total

    def memory(self) -> float:
        """Proportional set size of all its processes, MB."""
        total = 0
        for pid in self.pids():
            with suppress(OSError):
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
                total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        return total / 1024


@dataclass
class Figures:
    accept: list[float]
    sink: list[float]
    lost: int
    cpu: float  # seconds for 1,000 events
    drained: float  # seconds from the first due moment to the last arrival

    def at(self, values: list[float], share: float) -> float:
        return values[min(int(len(values) * share), len(values) - 1)] if values else float("nan")


def measure(system: System, rate: float, seconds: float, first: int) -> Figures:
    before = system.cpu()
    load = send(system.port, rate, seconds, first)
    _drain(load, system.sink)
    used = system.cpu() - before
    at_sink = load.arrivals(system.sink)
    count = len(load.due)
    return Figures(load.accepts(), at_sink, count - len(at_sink), used * 1000 / count, max(at_sink, default=0) / 1000)


def _drain(load: Load, sink: Path, patience: float = 30) -> None:
    until = time.monotonic() + patience
    while time.monotonic() < until and not set(load.answered) <= set(arrived(sink)):
        time.sleep(0.1)


@contextmanager
def sink(folder: Path, name: str) -> Iterator[tuple[int, Path]]:
    port, file = free(), folder / f"{name}.sink"
    file.touch()
    with _process([sys.executable, "-m", "bench.sink", str(port), str(file)], {}):
        _until(port)
        yield port, file


@contextmanager
def bare(folder: Path) -> Iterator[System]:
    with sink(folder, "bare") as (service, file):
        port = free()
        command = [sys.executable, "-m", "bench.bare", str(port), str(folder / "bare.db"), str(service)]
        with _process(command, {}) as process:
            _until(port)
            yield System("bare limit", port, lambda: [process.pid], file)


@contextmanager
def digilog(folder: Path, *, prefect: bool) -> Iterator[System]:
    name = "digilog-prefect" if prefect else "digilog"
    with sink(folder, name) as (service, file):
        port, home = free(), folder / name
        company.write(folder / f"{name}-company", service)
        command = [
            sys.executable, "-m", "flows.cli", "up", "--home", str(home), "--port", str(port),
            "--playbooks", str(folder / f"{name}-company"), "--prefect-port", str(free()),
        ]  # fmt: skip
        with _process(command + ([] if prefect else ["--no-prefect"]), {company.VARIABLE: company.SECRET}) as process:
            wanted = "prefect" if prefect else "ready"
            while wanted not in (json.loads(_read(home / "up.json") or "{}")):
                time.sleep(0.1)
            time.sleep(8 if prefect else 1)
            yield System("digilog, Prefect on" if prefect else "digilog", port, lambda: _family(process.pid), file)


@contextmanager
def _process(command: list[str], env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, env=os.environ | env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=40)


def _family(pid: int) -> list[int]:
    """A process and its children; Prefect's server and `runs` are left out, they are pictures."""
    found = [pid]
    for child in _read(Path(f"/proc/{pid}/task/{pid}/children")).split():
        words = _read(Path(f"/proc/{child}/cmdline"))
        if "flows.web" in words or "flows.engine" in words:
            found.append(int(child))
    return found


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError:
        return ""


def free() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        port: int = made.getsockname()[1]
        return port


def _until(port: int) -> None:
    for _ in range(100):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)


def run(folder: Path, *, prefect: bool) -> Iterator[str]:
    """Lines of a Markdown table; each rate measures the bare limit and digilog within seconds of each other."""
    yield "| work W1 | accept p50 / p99 ms | event to sink p50 / p99 ms | lost | CPU s for 1,000 | x the bare limit |"
    yield "| --- | --- | --- | --- | --- | --- |"
    with bare(folder) as limit, digilog(folder, prefect=prefect) as ours:
        measure(limit, 20, 2, 0), measure(ours, 20, 2, 0)  # warm
        first = 1_000
        for rate, seconds in (*RATES, (0, 1_000)):
            base = None
            for system in (limit, ours):
                got = measure(system, rate, seconds, first)
                title = f"{system.name}, {f'{rate}/s' if rate else 'burst of 1,000'}"
                yield _row(title, got, base)
                base = base or got
            first += 100_000
        yield ""
        yield f"Memory after it all (PSS, MB): bare limit {limit.memory():.0f}, digilog {ours.memory():.0f}."


def _row(title: str, got: Figures, base: Figures | None) -> str:
    a50, a99 = got.at(got.accept, 0.5), got.at(got.accept, 0.99)
    s50, s99 = got.at(got.sink, 0.5), got.at(got.sink, 0.99)
    ratio = ""
    if base:
        ratio = f"{a50 / base.at(base.accept, 0.5):.1f} x, {s50 / base.at(base.sink, 0.5):.1f} x"
    drained = f" (drained in {got.drained:.1f} s)" if "burst" in title else ""
    return (
        f"| {title}{drained} | {a50:.1f} / {a99:.0f} | {s50:.1f} / {s99:.0f} | {got.lost} | {got.cpu:.1f} | {ratio} |"
    )


def write(lines: list[str]) -> None:
    """Put the table into the README, between its marks."""
    readme = ROOT / "README.md"
    head, mark, rest = readme.read_text("utf-8").partition("<!-- figures -->\n")
    _, end, tail = rest.partition("<!-- end of figures -->")
    today, cores = time.strftime("%Y-%m-%d"), os.cpu_count()
    said = f"Measured on {today} with `make bench`, on {cores} cores that also carry load and sink:"
    readme.write_text(head + mark + "\n".join([said, "", *lines, ""]) + end + tail, "utf-8")


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="digilog-bench-"))
    lines = []
    try:
        for line in run(folder, prefect="--prefect" in sys.argv):
            print(line, flush=True)
            lines.append(line)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if "--write" in sys.argv:
        write(lines)


if __name__ == "__main__":
    main()
