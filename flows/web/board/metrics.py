"""Metrics: the month as a grid, what is missing, targets and ratios, four weeks beside four, the way of customers."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, and_, func, select
from starlette.responses import Response

from flows.ledger.pictures.beside import beside
from flows.ledger.pictures.funnel import funnel, funnel_svg
from flows.ledger.pictures.grid import Group, Line, grid
from flows.ledger.pictures.line import spark_svg
from flows.ledger.pictures.month import weeks
from flows.ledger.pictures.numbers import brief, exact
from flows.ledger.series import Cell, begun, days, series
from flows.playbook.model import Book
from flows.store import tables as t
from flows.store.read import Row, first, rows
from flows.web.board.ask import Ask
from flows.web.board.metrics_csv import as_csv
from flows.web.board.metrics_goals import goals, shares
from flows.web.board.words.metrics import METRICS

_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
_LATELY = timedelta(days=35)  # so old is the newest word of a source that still says something
_DAYS = ("월화수목금토일", "MTWTFSS")


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell of the month: its class, what stands in it, and what its marks mean."""

    day: str
    kind: str
    text: str
    told: str


@dataclass(frozen=True, slots=True)
class Weeks:
    """A metric's four weeks beside the four before them."""

    id: str
    label: str
    these: str
    those: str
    grew: str
    notes: list[str]
    spark: str


def get(ask: Ask, session: Connection) -> Response:
    book, said = ask.context.world.book, ask.words(METRICS)
    if not book.metrics.metrics:
        return ask.page("metrics_empty.html", METRICS)
    today = ask.now.astimezone(book.company.zone).date()
    yesterday = today - timedelta(days=1)
    these, those = weeks(today)
    since = _month(ask.said("month"), yesterday)
    newest = since is None
    asked = these if since is None else days(since, min(_end(since), yesterday))
    begin = those[0] if newest else asked[0]
    cells = series(session, book, book.metrics.metrics, begin, asked[-1], ask.now)
    month = grid(book, cells, asked, those if newest else (), begun(session, book, cells, begin, yesterday))
    if ask.said("as") == "csv":
        return as_csv(month)
    flow = funnel(book, month)
    shown = asked[-1].replace(day=1)
    return ask.page(
        "metrics.html", METRICS,
        month=month, shown={line.id: _shown(ask, line, asked, said) for line in month.lines},
        sums={line.id: _sum(ask, line) for line in month.lines},
        heads=[(day.day, _DAYS[said["lang"] == "en"][day.weekday()], day.weekday() > 4) for day in asked],
        title=said["these_weeks"] if newest else _named(shown, said), this="" if newest else f"{shown:%Y-%m}",
        before=_turn(asked[-1] if newest else shown - timedelta(days=1), said),
        after=_turn(_end(shown) + timedelta(days=1), said) if not newest and _end(shown) < yesterday else None,
        newest=newest, yesterday=ask.say.day(yesterday), on=yesterday.isoformat(),
        lacking=[line for line in month.lines if line.cells[-1].status == "missing"] if newest else [],
        pulled=_pulled(session, ask.now) if newest else None, failed=_failed(session, book, ask.now) if newest else [],
        goals=goals(ask, session, month) if newest else [], shares=shares(ask, session, cells, asked),
        weeks=[_weeks(ask, group, said) for group in month.groups] if newest else [],
        flow=flow, flow_svg=funnel_svg(book, flow) if flow.steps else "",
        flow_days=said["funnel_days"].format(ask.say.day(asked[0]), ask.say.day(asked[-1])),
        marked=any(line.metric.day_basis == "source" for line in month.lines),
    )  # fmt: skip


def _month(asked: str, yesterday: date) -> date | None:
    """The first day of the month that is asked for; None for none, an odd one or one to come."""
    found = _MONTH.fullmatch(asked)
    wanted = date(int(found[1]), int(found[2]), 1) if found else date.max
    return wanted if wanted <= yesterday else None


def _turn(day: date, said: dict[str, str]) -> tuple[str, str]:
    """A month as the address says it, and its name."""
    return f"{day:%Y-%m}", _named(day, said)


def _named(day: date, said: dict[str, str]) -> str:
    return said["month_of"].format(day.year, day.month, calendar.month_name[day.month])


def _end(since: date) -> date:
    return since.replace(day=calendar.monthrange(since.year, since.month)[1])


def _shown(ask: Ask, line: Line, asked: list[date], said: dict[str, str]) -> list[Shown]:
    form = ask.context.world.book.company.format
    found = []
    for day, cell in zip(asked, line.cells, strict=True):
        kinds = kinds_of(cell)
        text = {"missing": "?", "not_applicable": "–"}.get(cell.status, "")
        told = ", ".join(said[f"legend_{name}"] for name in kinds if name != "provisional")
        short = brief(cell.value, line.metric.unit, form) if cell.value is not None else text
        found.append(Shown(day.isoformat(), " ".join(_SHORT[name] for name in kinds), short, told))
    return found


_SHORT = {"missing": "m", "none": "n", "provisional": "p", "restated": "r", "pinned": "k", "conflict": "c"}


def kinds_of(cell: Cell) -> list[str]:
    """What a cell's marks say, by the keys of their words."""
    known = cell.known
    marks = (
        ("missing", cell.status == "missing"),
        ("none", cell.status == "not_applicable"),
        ("provisional", known and cell.provisional),
        ("restated", cell.restated),
        ("pinned", cell.pinned),
        ("conflict", cell.conflict),
    )
    return [name for name, holds in marks if holds]


def _sum(ask: Ask, line: Line) -> str:
    return (
        exact(line.total.value, line.metric.unit, ask.context.world.book.company.format)
        if line.total.value is not None
        else "–"
    )


def _weeks(ask: Ask, group: Group, said: dict[str, str]) -> tuple[str, list[Weeks]]:
    return group.label, [_week(ask, line, said) for line in group.lines]


def _week(ask: Ask, line: Line, said: dict[str, str]) -> Weeks:
    form, unit = ask.context.world.book.company.format, line.metric.unit
    now, then = line.total, line.before
    before, compared = then.value if then else None, beside(line)
    notes = (
        ("missing_now", compared.missing), ("missing_before", compared.missing_before), ("days_both", compared.fewer),
        ("too_few", compared.too_few),
    )  # fmt: skip
    return Weeks(
        line.id, line.metric.label, exact(now.value, unit, form) if now.value is not None else "–",
        exact(before, unit, form) if before is not None else "–", compared.grew,
        [said[name].format(many) for name, many in notes if many], spark_svg(line),
    )  # fmt: skip


def _pulled(session: Connection, now: datetime) -> Row | None:
    p = t.pull.c
    asked = select(p.state, p.begun_at, p.kept, p.restated, p.missing).where(p.begun_at <= now)
    return first(session, asked.order_by(p.begun_at.desc()).limit(1))


def _failed(session: Connection, book: Book, now: datetime) -> list[Row]:
    """Why sources brought nothing: each when it was last asked, whatever was pulled of others since."""
    part, p = t.pull_part.c, t.pull.c
    asked = {metric.source.use for metric in book.metrics.metrics.values() if metric.source.use}
    lately = select(func.max(part.id)).join(t.pull).where(p.begun_at <= now, p.begun_at > now - _LATELY)
    newest = lately.where(part.source.in_(asked), part.state != "open").group_by(part.source)
    last = select(part.source, part.pull_id).where(part.id.in_(newest)).subquery()
    failed = select(part.source, part.reason).distinct().where(part.reason.is_not(None))  # or a file of it is wrong
    same = and_(part.source == last.c.source, part.pull_id == last.c.pull_id)
    return rows(session, failed.join(last, same).order_by(part.source).limit(20))
