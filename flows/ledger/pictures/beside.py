"""A metric's weeks beside those before them: only days that both have are compared, each with its own weekday."""

from dataclasses import dataclass
from decimal import Decimal

from flows.ledger.pictures.grid import BEFORE, Line
from flows.ledger.pictures.numbers import change
from flows.ledger.series import Cell

_MOST = 2  # days that may lack on either side; with more the rest says little about the whole


@dataclass(frozen=True, slots=True)
class Beside:
    """By how much it grew, empty where nothing can be said; the days missing in these weeks and in those before."""

    grew: str
    missing: int
    missing_before: int
    fewer: int = 0  # days that are compared, where they are not all
    too_few: bool = False  # there are numbers on both sides, and too few days to compare


def beside(line: Line) -> Beside:
    """Sums of days that both sides have, each with the same weekday of the other."""
    before = line.before
    missing, missing_before = line.total.missing, before.missing if before else 0
    if line.total.value is None or before is None or before.value is None:
        return Beside("", missing, missing_before)
    if line.metric.sum == "last":  # a state, no sum: days between say nothing
        return Beside(change(line.total.value, before.value), missing, missing_before)
    if max(sum(_lacks(cell) for cell in some) for some in (line.cells, line.earlier)) > _MOST:
        return Beside("", missing, missing_before, too_few=True)
    pairs = [
        (now, then) for now, then in zip(line.cells, line.earlier, strict=True) if not (_lacks(now) or _lacks(then))
    ]
    grew = change(*(sum((one.value or Decimal() for one in some), Decimal()) for some in zip(*pairs, strict=True)))
    return Beside(grew, missing, missing_before, len(pairs) if len(pairs) < len(line.cells) else 0)


def _lacks(cell: Cell) -> bool:
    """A day on which the shop was closed lacks nothing; one before the metric's first is none to compare with."""
    return cell.status == "missing" or cell is BEFORE
