"""From cost to regular customers: what each channel brought, place by place, as far as it is measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from flows.ledger.pictures.draw import draw, fitted
from flows.ledger.pictures.grid import Grid, Line
from flows.ledger.pictures.numbers import exact
from flows.ledger.pictures.words import words
from flows.playbook.model import Book

WIDTH = 440
_PLACE, _ENTRY, _BAR = 34, 44, 10


@dataclass(frozen=True, slots=True)
class Entry:
    """One number of a place: `channel` is empty where all channels are counted as one."""

    label: str
    channel: str
    value: Decimal
    said: str
    share: str  # of the place before it, where that says something
    missing: int


@dataclass(frozen=True, slots=True)
class Step:
    label: str
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Funnel:
    steps: Sequence[Step]
    whole: Sequence[str]  # places that are counted for all channels as one
    bare: Sequence[str]  # places without any number


def funnel(book: Book, grid: Grid) -> Funnel:
    """Sums of the grid's days: costs first, then what is counted at each stage and at what leads to it."""
    said = words(book.company.language)
    counted = {group.place: [line for line in group.lines if line.metric.unit == "count"] for group in grid.groups}
    costs = [line for line in grid.lines if line.metric.on in book.canvas.arrows and _money(line)]
    spent = _entries(book, costs)
    steps, whole, bare = [Step(said["cost"], spent)] if spent else [], list[str](), list[str]()
    before: tuple[str, Decimal] | None = None
    for place, label in _ways(book):
        entries = _entries(book, counted.get(place, []), before)
        if not entries:
            if place in book.canvas.stages:
                bare.append(label)
            continue
        steps.append(Step(label, entries))
        alone = [one for one in entries if not one.channel]
        if alone:
            whole.append(label)
            before = (label, alone[0].value)
    return Funnel(steps, whole, bare)


def funnel_svg(book: Book, found: Funnel) -> Markup:
    said = words(book.company.language)
    rows: list[tuple[str, float, Entry | None, float, str]] = []
    y = 0.0
    for step in found.steps:
        rows.append((step.label, y + 22, None, 0.0, ""))
        y += _PLACE
        most = max((one.value for one in step.entries), default=Decimal()) or Decimal(1)
        for one in step.entries:
            whose, long = one.channel or said["all_channels"], round(float(one.value / most) * WIDTH, 1)
            rows.append((fitted(whose, 22), y, one, long, fitted(one.label, 18)))
            y += _ENTRY
    return draw("funnel.svg", w=said, width=WIDTH, height=round(y + 4), rows=rows, bar=_BAR)


def _ways(book: Book) -> list[tuple[str, str]]:
    """Stages, and what leads into the circle: an arrow from a pool."""
    canvas, found = book.canvas, list[tuple[str, str]]()
    for name, stage in canvas.stages.items():
        found += [(id, one.label) for id, one in canvas.arrows.items() if one.to == name and one.source in canvas.pools]
        found.append((name, stage.label))
    return found


def _entries(book: Book, lines: Sequence[Line], before: tuple[str, Decimal] | None = None) -> list[Entry]:
    form, found = book.company.format, list[Entry]()
    for line in lines:
        value = line.total.value
        if value is None or value < 0:
            continue
        share = ""
        if before and not line.channel and 0 < value <= before[1]:
            share = words(form.language)["share_of"].format(before[0], f"{round(value * 100 / before[1])}%")
        said = exact(value, line.metric.unit, form)
        found.append(Entry(line.metric.label, line.channel, value, said, share, line.total.missing))
    return found


def _money(line: Line) -> bool:
    return len(line.metric.unit) == 3 and line.metric.unit.isupper()
