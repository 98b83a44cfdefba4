"""`python -m flows.overdue`: becomes `digilog silence` if there is anything to tell; asked each minute, so it is small.

Standard library alone: reading the company's files each minute would cost more than all else that runs.
"""

import os
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

_DAY = 86_400_000_000  # microseconds, as the store keeps times
# `by` only moves on, and the engine writes it each minute: what is found here may be out of date, never too late
_OVERDUE = """
    SELECT 1 FROM expected
    WHERE "by" < :now AND (told_at IS NULL OR daily_at <= :now - :day) OR "by" >= :now AND told_at IS NOT NULL
    UNION ALL
    SELECT 1 FROM effect WHERE key >= 'silence/' AND key < 'silence0' AND state IN ('due', 'sending')
"""


def anything(home: Path, now: float) -> bool:
    """Whether `digilog silence` would tell or send something; `now` is the real clock, in seconds since 1970."""
    with closing(sqlite3.connect(f"file:{home / 'digilog.db'}?mode=ro", uri=True)) as store:
        ahead = store.execute("SELECT value FROM setting WHERE name = 'clock_offset'").fetchone()
        shown = now + float(ahead[0] if ahead else 0)
        return store.execute(_OVERDUE, {"now": int(shown * 1_000_000), "day": _DAY}).fetchone() is not None


if __name__ == "__main__":
    if anything(Path(os.environ["DIGILOG_HOME"]), time.time()):
        os.execv(sys.executable, [sys.executable, "-m", "flows.cli", "silence"])  # noqa: S606
