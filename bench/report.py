"""Says the figures: as lines while they come, in `figures.json` for good, and from there in the README and board.md."""

import json
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

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
    "pull": ("a pull of 10 channels x 30 days, 100 ms a call", "median s", "worst s", "x the longest chain of calls"),
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
    """Put the tables of all that is kept into the README, and those of the board into its page, between their marks."""
    known = {part: found for part, found in _known().items() if part in parts}
    rows = [row for part in parts if part in known for row in known[part]["rows"]]
    _put(ROOT / "README.md", [found["on"] for found in known.values()], rows, [one for one in TABLES if one != "board"])
    if "board" in known:
        _put(ROOT / "docs" / "how-to" / "board.md", [known["board"]["on"]], rows, ["board"])


def _put(page: Path, days: Sequence[str], rows: Sequence[Sequence[str]], names: Sequence[str]) -> None:
    when, cores = " to ".join(dict.fromkeys([min(days), max(days)])), os.cpu_count()
    said = f"Measured on {when} with `make bench`, on {cores} cores that also carry load and sink."
    head, mark, rest = page.read_text("utf-8").partition("<!-- figures -->\n")
    _, end, tail = rest.partition("<!-- end of figures -->")
    tables = ["\n".join(_table(name, rows)) for name in names if any(row[0] == name for row in rows)]
    page.write_text(head + mark + "\n\n".join([said, *tables]) + "\n" + end + tail, "utf-8")


def _table(name: str, rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield line(TABLES[name])
    yield line(["---"] * len(TABLES[name]))
    yield from (line(row[1:]) for row in rows if row[0] == name)


def _known() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    return found
