"""What the numbers should reach, and what is made of them: targets with their pace, ratios of a month."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import Connection

from flows.ledger.pictures.grid import Cells, Grid
from flows.ledger.pictures.line import pace_svg, spark_svg
from flows.ledger.pictures.numbers import exact
from flows.ledger.ratios import Pace, divided, pace, ratio
from flows.ledger.series import Total
from flows.playbook.metrics import Ratio, Target
from flows.playbook.model import Book
from flows.web.board.ask import Ask
from flows.web.board.words import of
from flows.web.board.words.metrics import METRICS, REASONS


@dataclass(frozen=True, slots=True)
class Goal:
    """A target and where it stands, in words and as a bar."""

    metric: str  # empty: a ratio, which has no page
    label: str
    value: str
    wanted: str
    stands: str
    behind: bool
    notes: Sequence[str]
    bar: str
    spark: str


@dataclass(frozen=True, slots=True)
class Share:
    """A ratio; `value` is a sentence where there is none."""

    label: str
    value: str
    known: bool
    notes: Sequence[str]


def goals(ask: Ask, session: Connection, recent: Grid, only: str | None = None) -> list[Goal]:
    """All targets, or those of one metric."""
    book = ask.context.world.book
    lines = {line.id: line for line in recent.lines}
    found = []
    for target in (one for one in book.metrics.targets if only in {None, one.metric}):
        stands = pace(session, book, target, ask.now)
        line = lines.get(target.metric)
        label = line.metric.label if line else _label(book, target.metric)
        bar = pace_svg(stands.value, stands.wanted_by_now, stands.wanted) if stands.value is not None else ""
        found.append(
            Goal(
                target.metric if line else "",
                label,
                _value(ask, target.metric, stands.value, stands.reason),
                _wanted(ask, target),
                _stands(ask, target, stands),
                stands.behind,
                _notes(ask, stands),
                bar,
                spark_svg(line) if line else "",
            )
        )
    return found


def shares(ask: Ask, session: Connection, cells: Cells, asked: Sequence[date]) -> list[Share]:
    """The ratios of these days."""
    book, said = ask.context.world.book, ask.words(METRICS)
    found = []
    for name, written in book.metrics.ratios.items():
        total = _ratio(ask, session, name, written, cells, asked)
        notes = [said["cohort_of"].format(written.cohort.delta // timedelta(days=1))] if written.cohort else []
        notes += [said["may_change"]] if total.provisional and total.value is not None else []
        notes += [said["days_missing"].format(total.missing)] if total.missing else []
        found.append(
            Share(written.label or name, _value(ask, name, total.value, total.reason), total.value is not None, notes)
        )
    return found


def _ratio(ask: Ask, session: Connection, name: str, written: Ratio, cells: Cells, asked: Sequence[date]) -> Total:
    book = ask.context.world.book
    if written.cohort:
        return ratio(session, book, name, asked[0], asked[-1], ask.now)
    of, by = ((book.metrics.metrics[one], dict(cells[one])) for one in (written.of, written.by))
    return divided(of, by, list(asked))


def unit_of(book: Book, name: str) -> str:
    """A metric's unit; a ratio's is a share where both its numbers are of one kind, else that of what is divided."""
    if name in book.metrics.metrics:
        return book.metrics.metrics[name].unit
    written = book.metrics.ratios[name]
    above, below = (book.metrics.metrics[one].unit for one in (written.of, written.by))
    return "ratio" if above == below else above


def _label(book: Book, ratio: str) -> str:
    return book.metrics.ratios[ratio].label or ratio


def _said(ask: Ask, name: str, value: Decimal) -> str:
    book = ask.context.world.book
    unit = unit_of(book, name)
    rounded = value if unit == "ratio" else round(value) if abs(value) >= 100 else round(value, 2)
    return exact(Decimal(rounded), unit, book.company.format)


def _value(ask: Ask, name: str, value: Decimal | None, reason: str | None) -> str:
    if value is not None:
        return _said(ask, name, value)
    return of(ask.context.world.book.company.language, REASONS).get(reason or "", reason or "–")


def _wanted(ask: Ask, target: Target) -> str:
    said, metrics = ask.words(METRICS), ask.context.world.book.metrics.metrics
    text = said[target.direction].format(_said(ask, target.metric, target.value))
    if target.metric in metrics and metrics[target.metric].sum == "sum":
        text = said["a_month" if target.per == "month" else "a_day"].format(text)
    return text


def _stands(ask: Ask, target: Target, stands: Pace) -> str:
    said = ask.words(METRICS)
    if stands.value is None:
        return ""
    least = target.direction == "at_least"
    if not stands.behind:
        return said[("on_pace" if stands.value < stands.wanted else "reached") if least else "kept"]
    if least and stands.wanted_by_now != stands.wanted:
        return said["behind_by"].format(_said(ask, target.metric, round(stands.wanted_by_now, 1)))
    return said["below_it" if least else "above_it"]


def _notes(ask: Ask, stands: Pace) -> list[str]:
    said = ask.words(METRICS)
    notes = [said["since_until"].format(ask.say.day(stands.first), ask.say.day(stands.last))]
    if 0 < stands.share_of_business_days < 1:
        notes.append(said["open_days"].format(round(stands.share_of_business_days * 100)))
    notes += [said["days_missing"].format(stands.missing)] if stands.missing else []
    return notes + ([said["may_change"]] if stands.provisional and stands.value is not None else [])
