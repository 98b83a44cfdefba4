"""One metric: its last ninety days as a line and as a table, its target, and where its numbers come from."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection
from starlette.responses import Response

from flows.ledger.pictures.grid import grid, places
from flows.ledger.pictures.line import line_svg
from flows.ledger.pictures.numbers import exact
from flows.ledger.series import begun, days, series
from flows.playbook.metrics import Metric
from flows.web.board.ask import Ask
from flows.web.board.metrics import kinds_of
from flows.web.board.metrics_goals import goals
from flows.web.board.words.metrics import METRICS
from flows.web.body import Refused

DAYS = 90


@dataclass(frozen=True, slots=True)
class Day:
    on: str
    label: str
    value: str
    marks: list[str]


def get(ask: Ask, session: Connection) -> Response:
    book, id = ask.context.world.book, ask.request.path_params["metric"]
    metric = book.metrics.metrics.get(id)
    if metric is None:
        raise Refused(404, ask.words()["nothing"])
    yesterday = ask.now.astimezone(book.company.zone).date() - timedelta(days=1)
    asked = days(yesterday - timedelta(days=DAYS - 1), yesterday)
    cells = series(session, book, [id], asked[0], asked[-1], ask.now)
    begin = begun(session, book, cells, asked[0], yesterday)
    asked = [day for day in asked if day >= begin.get(id, asked[0])] or asked[-1:]
    whole = grid(book, {name: cells.get(name, {}) for name in book.metrics.metrics}, asked, (), begin)
    line = next(one for one in whole.lines if one.id == id)
    daily = next((one.value for one in book.metrics.targets if one.metric == id and one.per == "day"), None)
    told, said = list[Day](), ask.words(METRICS)
    for day, cell in zip(asked, line.cells, strict=True):
        value = exact(cell.value, metric.unit, book.company.format) if cell.value is not None else ""
        marks = [said[f"legend_{name}"] for name in kinds_of(cell)]
        told.append(Day(day.isoformat(), ask.say.day(day), value, marks))
    return ask.page(
        "metric.html", METRICS, id=id, metric=metric, channel=line.channel,
        place=dict(places(book)).get(metric.on, metric.on), on=yesterday.isoformat(),
        counted=bool(metric.source.exchanges or metric.source.minutes_of), source=source_said(ask, metric),
        settles=metric.settle_days, picture=line_svg(book, line, asked, daily),
        told=told[::-1], goals=goals(ask, session, whole, id),
    )  # fmt: skip


def source_said(ask: Ask, metric: Metric) -> str:
    """Where a metric's numbers come from, in a few words."""
    source, said = metric.source, ask.words(METRICS)
    if source.use:
        return said["by_connection"].format(source.use.partition(".")[0])
    if source.exchanges:
        return said["by_exchanges"]
    if source.minutes_of:
        return said["by_minutes"].format(ask.say.who(source.minutes_of))
    who = ask.say.who(source.by)
    return said["by_person_due"].format(who, f"{source.due:%H:%M}") if source.due else said["by_person"].format(who)


def day_of(ask: Ask) -> date:
    """The day of the address, today at the latest. Raises Refused for another."""
    today = ask.now.astimezone(ask.context.world.book.company.zone).date()
    try:
        found = date.fromisoformat(ask.request.path_params["day"])
    except ValueError:
        found = date.max
    if not date(2000, 1, 1) <= found <= today or found.isoformat() != ask.request.path_params["day"]:
        raise Refused(404, ask.words()["nothing"])
    return found
