"""Units of a turn: together without ado, or one by one in savepoints after a turn has failed."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Units:
    """How a turn does its units. A savepoint each costs as much as the work: only a replay is careful."""

    session: Connection
    careful: bool = False
    undone: Callable[[], object] = lambda: None  # told when a row was taken back, with all that it kept

    def each(self, found: Iterable[Any], do: Callable[[Any], T], fail: Callable[[Any, str], object]) -> list[T]:
        """What `do` gives for each row. Careful: a poisoned row is set aside by `fail` and harms nobody else."""
        if not self.careful:
            return [do(row) for row in found]
        results = []
        for row in found:
            try:
                with self.session.begin_nested():
                    results.append(do(row))
            except OperationalError:  # the disk or a lock, not the row: the whole turn comes again
                raise
            except Exception as error:
                self.undone()
                log.exception("%s was set aside", _named(row))
                fail(row, own_fault(error))
        return results


def own_fault(error: Exception) -> str:
    return f"digilog itself failed here ({type(error).__name__}); the log of the engine has the details"


def _named(row: Any) -> str:
    return f"row {row['id']}" if isinstance(row, dict) else f"the answer to {getattr(row, 'effect', 'a question')}"
