"""The picture of the morning: four weeks of each metric as bars, yesterday's number, the sum beside the last one's."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from flows.ledger.pictures.beside import beside
from flows.ledger.pictures.draw import draw, fitted
from flows.ledger.pictures.grid import Grid, Line
from flows.ledger.pictures.numbers import brief
from flows.ledger.pictures.words import Words, words
from flows.ledger.series import Cell, days
from flows.playbook.model import Book
from flows.playbook.wording import said_date

WIDTH = 1200
DAYS = 28
_MOST = 24  # lines; a company with more looks at the board
_LEFT, _RIGHT = 372, 856  # where the bars stand
_STEP = (_RIGHT - _LEFT) / DAYS
_HEAD, _GROUP, _ROW, _FOOT = 172, 44, 74, 84
_BAR = 48  # px of the highest bar
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: what its class says, and where it stands (px)."""

    kind: str  # missing | zero | na | bar
    x: float
    y: float
    height: float
    light: bool = False
    dotted: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    y: float
    label: str
    channel: str
    bars: list[Bar]
    yesterday: str
    light: bool
    total: str
    note: str


def weeks(today: date) -> tuple[list[date], list[date]]:
    """The four weeks up to yesterday, and the four before them."""
    first = today - timedelta(days=DAYS)
    return days(first, today - timedelta(days=1)), days(first - timedelta(days=DAYS), first - timedelta(days=1))


def month_svg(book: Book, grid: Grid) -> str:
    """Raises ValueError unless the grid is of `weeks`."""
    if len(grid.days) != DAYS:
        raise ValueError(f"the picture shows {DAYS} days")
    said, form = words(book.company.language), book.company.format
    places: list[tuple[float, str]] = []
    rows: list[Row] = []
    y = float(_HEAD)
    for group in grid.groups:
        lines = group.lines[: _MOST - len(rows)]
        if lines:
            places.append((y, group.label))
            y += _GROUP
        for line in lines:
            rows.append(_row(book, line, y, said))
            y += _ROW
    left_out = len(grid.lines) - len(rows)
    return draw(
        "month.svg",
        w=said, width=WIDTH, height=round(y + _FOOT), left=_LEFT, right=_RIGHT, step=_STEP, bottom=y + 12,
        company=fitted(book.company.name, 40), day=said_date(grid.days[-1], form),
        since=said["since"].format(said_date(grid.days[0], form), said_date(grid.days[-1], form)),
        gaps=_gaps(grid, said), any_gap=any(line.cells[-1].status == "missing" for line in grid.lines),
        places=places, rows=rows, weeks=[_LEFT + _STEP * at for at in range(0, DAYS + 1, _WEEK)],
        ticks=[(_LEFT + _STEP * at, f"{grid.days[at].month}/{grid.days[at].day}") for at in range(0, DAYS, _WEEK)],
        left_out=said["left_out"].format(left_out) if left_out else "",
    )  # fmt: skip


def _row(book: Book, line: Line, y: float, said: Words) -> Row:
    form, unit = book.company.format, line.metric.unit
    last = line.cells[-1]
    value = line.total.value
    note = beside(line).grew
    if line.total.missing:
        note = said["days_missing"].format(line.total.missing)
    return Row(
        y, fitted(line.metric.label, 24), fitted(line.channel, 30), list(_bars(line, y)),
        _shown(last, brief(last.value, unit, form) if last.value is not None else ""), last.provisional,
        brief(value, unit, form) if value is not None else "–", note,
    )  # fmt: skip


def _shown(cell: Cell, number: str) -> str:
    return {"missing": "?", "not_applicable": "–"}.get(cell.status, number)


def _bars(line: Line, y: float) -> Iterator[Bar]:
    peak, base = line.peak or Decimal(1), y + _ROW - 14
    for at, cell in enumerate(line.cells):
        x = round(_LEFT + _STEP * at + 2, 1)
        kind = {"missing": "missing", "zero": "zero", "not_applicable": "na"}.get(cell.status, "bar")
        high = _BAR if kind == "missing" else max(4.0, float(abs(cell.value or Decimal()) / peak) * _BAR)
        yield Bar(kind, x, round(base - high, 1), round(high, 1), cell.provisional, cell.restated)


def _gaps(grid: Grid, said: Words) -> str:
    lacking = [line.metric.label for line in grid.lines if line.cells[-1].status == "missing"]
    if not lacking:
        return said["no_gaps"]
    named = ", ".join(lacking[:3])
    if len(lacking) > 3:
        named = said["and_more"].format(named, len(lacking) - 3)
    return said["gaps"].format(fitted(named, 60))
