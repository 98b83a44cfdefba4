"""Says the figures: as lines while they come, in `figures.json` for good, and from there in the README."""

import json
import os
import time
from collections.abc import Iterable, Sequence

from bench.figures import Row
from bench.systems import ROOT

KEPT = ROOT / "bench" / "figures.json"
TABLES = {
    "work": (
        "work W1", "accept p50 / p99 ms", "event to sink p50 / p99 ms", "lost", "CPU s for 1,000",
        "x the bare limit: accept, sink p50, sink p99",
    ),
    "goals": ("what it must reach", "wanted", "measured", "reached"),
    "growth": (
        "stored cases", "accept p50 / p99 ms", "event to sink p50 / p99 ms", "CPU s for 1,000",
        "x the bare limit: accept, sink p50", "store for 1,000 cases, MB",
    ),
    "board": ("page of the board beside 100,000 cases", "SQLite p50 / p95 ms", "PostgreSQL p50 / p95 ms"),
    "memory": ("process", "PSS, MB"),
}  # fmt: skip


def line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def keep(part: str, rows: Iterable[Row]) -> None:
    """Put one part's figures beside those of the others."""
    known = _known()
    known[part] = {"on": time.strftime("%Y-%m-%d"), "rows": [[row.table, *row.cells] for row in rows]}
    KEPT.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", "utf-8")


def write(parts: Iterable[str]) -> None:
    """Put the tables of all that is kept into the README, between its marks."""
    known = {part: found for part, found in _known().items() if part in parts}
    days = sorted({found["on"] for found in known.values()})
    when, cores = " to ".join(dict.fromkeys([days[0], days[-1]])), os.cpu_count()
    said = f"Measured on {when} with `make bench`, on {cores} cores that also carry load and sink."
    readme = ROOT / "README.md"
    head, mark, rest = readme.read_text("utf-8").partition("<!-- figures -->\n")
    _, end, tail = rest.partition("<!-- end of figures -->")
    rows = [row for part in parts if part in known for row in known[part]["rows"]]
    tables = ["\n".join(_table(name, rows)) for name in TABLES if any(row[0] == name for row in rows)]
    readme.write_text(head + mark + "\n\n".join([said, *tables]) + "\n" + end + tail, "utf-8")


def _table(name: str, rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield line(TABLES[name])
    yield line(["---"] * len(TABLES[name]))
    yield from (line(row[1:]) for row in rows if row[0] == name)


def _known() -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    return found
