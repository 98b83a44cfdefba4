"""Metrics by days as a grid, grouped by their place on the canvas, in the order in which customers pass it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from flows.ledger.pictures.words import words
from flows.ledger.series import Cell, Total, total
from flows.playbook.metrics import Metric
from flows.playbook.model import Book

Cells = Mapping[str, Mapping[date, Cell]]
NONE, BEFORE = Cell(), Cell(status="not_applicable")


@dataclass(frozen=True, slots=True)
class Line:
    """A metric with a cell for each day of the grid; `before`, `earlier`: the total and cells of as many before."""

    id: str
    metric: Metric
    channel: str  # its label; empty: all channels
    cells: Sequence[Cell]
    total: Total
    before: Total | None = None
    earlier: Sequence[Cell] = ()

    @property
    def peak(self) -> Decimal:
        """The largest of its numbers, without their signs; 0 without any."""
        return max((abs(cell.value) for cell in self.cells if cell.value is not None), default=Decimal())


@dataclass(frozen=True, slots=True)
class Group:
    """What is counted at one stage or arrow."""

    place: str
    label: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Grid:
    days: Sequence[date]
    groups: Sequence[Group]

    @property
    def lines(self) -> Sequence[Line]:
        return [line for group in self.groups for line in group.lines]


def grid(
    book: Book,
    cells: Cells,
    asked: Sequence[date],
    before: Sequence[date] = (),
    begin: Mapping[str, date] | None = None,
) -> Grid:
    """The metrics' cells of the days that are asked for; with `before`, each line has those days' total too.

    Days before a metric's first (`begin`) are none of its days: nothing is missing there.
    """
    groups = []
    metrics = book.metrics.metrics
    for place, label in places(book):
        here = [
            _line(book, id, one, cells[id], (asked, before), (begin or {}).get(id, date.min))
            for id, one in metrics.items()
            if one.on == place
        ]
        if here:
            groups.append(Group(place, label, here))
    return Grid(asked, groups)


def _line(
    book: Book, id: str, metric: Metric, found: Mapping[date, Cell], asked: tuple[Sequence[date], Sequence[date]],
    begin: date,
) -> Line:  # fmt: skip
    channel = book.company.channels.get(metric.channel or "", metric.channel or "")
    these, those = ([day for day in some if day >= begin] for some in asked)
    cells, earlier = ([found.get(day, NONE if day >= begin else BEFORE) for day in some] for some in asked)
    before = total(metric, found, those) if those else None
    return Line(id, metric, channel, cells, total(metric, found, these), before, earlier)


def places(book: Book) -> list[tuple[str, str]]:
    """Every place where a metric may stand and its label: what leads to a stage before it, what leaves it behind it."""
    canvas, said = book.canvas, words(book.company.language)
    order: list[str] = []
    for stage in canvas.stages:
        order += [name for name, arrow in canvas.arrows.items() if arrow.to == stage and name not in order]
        order.append(stage)
    order += [name for name in (*canvas.arrows, *canvas.pools) if name not in order]
    labels = {
        name: place.label for name, place in (*canvas.stages.items(), *canvas.arrows.items(), *canvas.pools.items())
    }
    return [*((name, labels[name]) for name in order), ("circle", said["circle"]), ("internal", said["internal"])]
