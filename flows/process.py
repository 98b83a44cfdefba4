"""What every process of `up` does first: log to its own file, and end when the supervisor ends."""

import logging
import os
import sys
import threading
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

_CHAIN = 5  # faults that led to one another
LIFELINE = "DIGILOG_LIFELINE"  # a pipe's read end: it closes when the supervisor is gone


class Wordless(logging.Formatter):
    """Tells a fault by kinds and places: what was raised may hold a customer's words or a secret."""

    def formatException(  # noqa: N802 - logging's name
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        told: list[str] = []
        fault = ei[1]
        while fault is not None and len(told) < _CHAIN:
            places = (f"  {at.filename}:{at.lineno} in {at.name}" for at in traceback.extract_tb(fault.__traceback__))
            told.append("\n".join([type(fault).__name__, *places]))
            fault = fault.__cause__ or (None if fault.__suppress_context__ else fault.__context__)
        return "\nafter ".join(told)


def begin(name: str, home: Path) -> None:
    """Set up the log of a process (ids and our own sentences only) and hold on to the lifeline."""
    os.umask(0o077)  # customers' words lie in the home: nobody else on this computer reads them
    (home / "logs").mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(home / "logs" / f"{name}.log", maxBytes=5_000_000, backupCount=2, encoding="utf-8")
    handler.setFormatter(Wordless("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it writes addresses, which may hold secrets
    if lifeline := os.environ.get(LIFELINE):
        threading.Thread(target=_hold, args=(int(lifeline),), name="lifeline", daemon=True).start()


def _hold(lifeline: int) -> None:
    while os.read(lifeline, 1):
        pass
    sys.stderr.flush()
    os._exit(0)  # the work of a turn is a transaction: nothing is half done
