"""`python -m flows.overdue`: becomes `digilog silence` if there is anything to tell; asked each minute, so it is small.

Standard library and the database's driver alone: reading the company's files each minute would cost more than all
else that runs.
"""

import os
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

_DAY = 86_400_000_000  # microseconds, as the store keeps times
_AHEAD = "SELECT value FROM setting WHERE name = 'clock_offset'"
# `by` only moves on, and the engine writes it each minute: what is found here may be out of date, never too late
_OVERDUE = """
    SELECT 1 FROM expected
    WHERE "by" < {now} AND (told_at IS NULL OR daily_at <= {day}) OR "by" >= {now} AND told_at IS NOT NULL
    UNION ALL
    SELECT 1 FROM effect WHERE key >= 'silence/' AND key < 'silence0' AND state IN ('due', 'sending')
"""


def anything(home: Path, now: float, url: str = "") -> bool:
    """Whether `digilog silence` would tell or send something; `now` is the real clock, in seconds since 1970."""
    with closing(_open(home, url)) as store:
        ahead = store.execute(_AHEAD).fetchone()
        shown = int((now + float(ahead[0] if ahead else 0)) * 1_000_000)
        return store.execute(_OVERDUE.format(now=shown, day=shown - _DAY)).fetchone() is not None


def _open(home: Path, url: str) -> Any:
    if not url:
        return sqlite3.connect(f"file:{home / 'digilog.db'}?mode=ro", uri=True)
    import psycopg  # only where it is needed: it takes longer than the look

    return psycopg.connect(url.replace("+psycopg", "", 1), connect_timeout=5)


if __name__ == "__main__":
    if anything(Path(os.environ["DIGILOG_HOME"]), time.time(), os.environ.get("DIGILOG_DATABASE_URL", "")):
        os.execv(sys.executable, [sys.executable, "-m", "flows.cli", "silence"])  # noqa: S606
