"""A metric's days as a line: gaps where a number is missing, dashed where it may still change, a dot where restated."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from markupsafe import Markup

from flows.ledger.pictures.draw import draw
from flows.ledger.pictures.grid import Line
from flows.ledger.pictures.numbers import brief, exact
from flows.ledger.pictures.words import words
from flows.ledger.series import Cell
from flows.playbook.model import Book
from flows.playbook.wording import said_date

WIDTH, HEIGHT = 640, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 628, 16, 196
_SPARK = (120, 30)


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float
    light: bool
    dotted: bool


@dataclass(frozen=True, slots=True)
class Scale:
    """Where a day and a number stand (px). Zero is always on it."""

    left: float
    right: float
    top: float
    bottom: float
    count: int
    least: Decimal
    most: Decimal

    def x(self, at: int) -> float:
        return round(self.left + (self.right - self.left) * (at + 0.5) / self.count, 1)

    def y(self, value: Decimal) -> float:
        share = float((value - self.least) / (self.most - self.least)) if self.most > self.least else 0.0
        return round(self.bottom - (self.bottom - self.top) * share, 1)


def line_svg(book: Book, line: Line, asked: Sequence[date], wanted: Decimal | None = None) -> Markup:
    """A line of days with its axes; `wanted`: a target of a day, as a line across."""
    form, unit, said = book.company.format, line.metric.unit, words(book.company.language)
    scale = _scale(line.cells, (_LEFT, _RIGHT, _TOP, _BOTTOM), wanted)
    known = [cell.value for cell in line.cells if cell.value is not None]
    told = said["nothing"]
    if known:
        numbers = [exact(one, unit, form) for one in (min(known), max(known), known[-1])]
        told = said["line_said"].format(*numbers, sum(cell.status == "missing" for cell in line.cells))
    runs = list(_runs(line.cells, scale))
    return draw(
        "line.svg",
        w=said, width=WIDTH, height=HEIGHT, left=_LEFT, right=_RIGHT, top=_TOP, bottom=_BOTTOM, told=told,
        title=said["line"].format(line.metric.label, said_date(asked[0], form), said_date(asked[-1], form)),
        steps=[(scale.y(one), brief(one, unit, form)) for one in _steps(scale)],
        months=list(_halves(asked, scale)),
        gaps=[scale.x(at) for at, cell in enumerate(line.cells) if cell.status == "missing"],
        wide=round((_RIGHT - _LEFT) / scale.count, 2), ways=list(_ways(runs)),
        dots=[one for run in runs for one in run if one.dotted or len(run) == 1],
        wanted=scale.y(wanted) if wanted is not None else None,
    )  # fmt: skip


def spark_svg(line: Line) -> Markup:
    """The same without axes, words or a name: the number stands beside it."""
    width, height = _SPARK
    runs = list(_runs(line.cells, _scale(line.cells, (0, width - 4, 4, height - 3), None)))
    dots = [run[0] for run in runs if len(run) == 1]
    return draw(
        "spark.svg", width=width, height=height, ways=list(_ways(runs)), dots=dots, last=runs[-1][-1] if runs else None
    )


def pace_svg(value: Decimal, by_now: Decimal, wanted: Decimal) -> Markup:
    """How far a target is, as a bar; a mark stands where it should be by now."""
    most = max(value, wanted, by_now, Decimal(1) / 1000)
    parts = [round(max(0.0, float(one / most)) * 200, 1) for one in (value, by_now, wanted)]
    return draw("pace.svg", reached=parts[0], mark=parts[1], wanted=parts[2])


def _scale(cells: Sequence[Cell], frame: tuple[float, float, float, float], wanted: Decimal | None) -> Scale:
    known = [cell.value for cell in cells if cell.value is not None]
    known += [Decimal(), wanted if wanted is not None else Decimal()]
    most = max(known)
    return Scale(*frame, max(1, len(cells)), min(known), most if most > 0 or min(known) < 0 else Decimal(1))


def _steps(scale: Scale) -> list[Decimal]:
    """At most four round numbers of the axis."""
    span = scale.most - scale.least
    size = Decimal(10) ** span.adjusted()
    step = next(size * one for one in (Decimal("0.2"), Decimal("0.5"), 1, 2, 5) if span / (size * one) <= 4)
    first = (scale.least / step).to_integral_value() * step
    return [first + step * at for at in range(6) if scale.least <= first + step * at <= scale.most]


def _halves(asked: Sequence[date], scale: Scale) -> Iterator[tuple[float, str]]:
    """The first and the fifteenth of each month, where their words fit."""
    for at, day in enumerate(asked):
        if day.day in {1, 15} and scale.x(at) < _RIGHT - 24:
            yield scale.x(at), f"{day.month}/{day.day}"


def _runs(cells: Sequence[Cell], scale: Scale) -> Iterator[list[Point]]:
    """Days with a number that follow one another."""
    run: list[Point] = []
    for at, cell in enumerate(cells):
        if cell.value is None:
            if run:
                yield run
            run = []
        else:
            run.append(Point(scale.x(at), scale.y(cell.value), cell.provisional, cell.restated))
    if run:
        yield run


def _ways(runs: Sequence[Sequence[Point]]) -> Iterator[tuple[bool, str]]:
    """Whether it is dashed, and an SVG path."""
    for run in runs:
        for light in (False, True):
            parts = [(one, two) for one, two in pairwise(run) if two.light is light]
            if parts:
                begin = parts[0][0]
                yield light, f"M{begin.x} {begin.y}" + "".join(f"L{two.x} {two.y}" for _, two in parts)
