"""The metrics ledger (지표장부): readings a day with revisions. Missing, zero and not applicable are three things."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from pydantic import BaseModel
from rich.cells import cell_len
from sqlalchemy import Connection, func, insert, select

from connectors.base import Connector, action
from connectors.errors import ConnectorError, Rejected
from flows.ledger.call import Call
from flows.playbook.metrics import Metric
from flows.playbook.model import Book
from flows.store import tables as t
from flows.store.read import Row, first, rows

LOOK_BACK = 7  # days


@dataclass(frozen=True, slots=True)
class Value:
    """One number to be kept: a metric's of one day. No value means missing."""

    metric: str
    day: date  # in the company's zone, or the source's where the metric says so
    value: Decimal | None
    source: str
    by: str | None = None
    account: str = ""


class Pulled(BaseModel):
    """What `metrics.pull` gives back: counts of readings kept and missing, and the grid as text."""

    readings: int
    missing: int
    summary: str


class Kept(BaseModel):
    """What `metrics.record` gives back."""

    metric: str
    day: date
    revision: int


def keep(session: Connection, book: Book, value: Value, now: datetime, pull: str | None = None) -> int:
    """Keep one value and return its revision. The same value again makes no row; missing erases nothing."""
    metric = book.metrics.metrics[value.metric]
    known = _current(session, value)
    if known and (value.value is None or known["value"] == value.value):
        return int(known["revision"])
    status = "missing" if value.value is None else "zero" if value.value == 0 else "ok"
    revision = known["revision"] + 1 if known else 1
    session.execute(
        insert(t.reading).values(
            metric=value.metric,
            channel=metric.channel or "",
            account=value.account,
            day=value.day.isoformat(),
            revision=revision,
            value=value.value,
            status=status,
            finality="final" if final(book, metric, value.day, now) else "provisional",
            source=value.source,
            pull=pull,
            at=now,
            by=value.by,
        )
    )
    return revision


def final(book: Book, metric: Metric, day: date, now: datetime) -> bool:
    """Whether a day's number is settled by now; a reading's own `finality` is as of when it was kept."""
    return day < now.astimezone(book.company.zone).date() - timedelta(days=metric.settle_days)


def _current(session: Connection, value: Value) -> Row | None:
    r = t.reading.c
    found = (
        select(t.reading)
        .where(r.metric == value.metric, r.day == value.day.isoformat(), r.account == value.account)
        .order_by(r.revision.desc())
        .limit(1)
    )
    return first(session, found)


def current(session: Connection, metric: str, first: date, last: date) -> dict[date, Row]:
    """The newest revision of each day, first and last included."""
    r = t.reading.c
    asked = select(t.reading).where(r.metric == metric, r.day >= first.isoformat(), r.day <= last.isoformat())
    return {date.fromisoformat(row["day"]): row for row in rows(session, asked.order_by(r.revision))}


def window(book: Book, metric: Metric, now: datetime) -> tuple[date, date]:
    """The days that a daily pull asks for: from today less the days it settles, to yesterday.

    What is counted from our own exchanges costs nothing, so the last week is counted anew each time.
    """
    today = now.astimezone(book.company.zone).date()
    back = max(metric.settle_days, LOOK_BACK if metric.source.exchanges else 1)
    return today - timedelta(days=back), today - timedelta(days=1)


def derived(session: Connection, metric: Metric, day: date) -> Decimal:
    """How many unvoided exchanges of the metric's kind, by persons and companies, a day has."""
    x, p = t.exchange.c, t.party.c
    gone = select(x.voids).where(x.voids.is_not(None))
    count = (
        select(func.count())
        .select_from(t.exchange.join(t.party))
        .where(
            x.kind == metric.source.exchanges,
            x.day == day.isoformat(),
            x.voids.is_(None),
            x.id.not_in(gone),
            p.kind.in_(("person", "company")),
        )
    )
    if metric.source.sale:
        count = count.where(x.sale == metric.source.sale)
    if metric.channel:
        count = count.where(x.channel == metric.channel)
    return Decimal(session.execute(count).scalar() or 0)


def _days(first: date, last: date) -> Iterable[date]:
    return (last - timedelta(days=back) for back in range((last - first).days + 1))  # newest first


class MetricsLedger(Connector):
    """The metrics ledger: pull the day's numbers, or write one down."""

    service = "metrics"
    then: ClassVar = {"pull": "keep_pulled"}  # what the engine does with a result, in the turn that takes it

    @action(effect="inside")
    def record(self, metric: str, value: Decimal, day: date, *, call: Call) -> Kept:
        """Write down a metric's number of one day, as the person of the step before typed it."""
        if metric not in call.book.metrics.metrics:
            raise Rejected(f"there is no metric {metric}; add it to metrics.yaml")
        typist = _typist(call)
        revision = keep(call.session, call.book, Value(metric, day, value, "person", typist), call.now)
        return Kept(metric=metric, day=day, revision=revision)

    @action(effect="read")
    def pull(self, *, call: Call) -> Pulled:
        """Ask every source for the days that may still change, and keep what differs."""
        values: list[dict[str, Any]] = []
        failed: dict[str, str] = {}
        for id, metric in call.book.metrics.metrics.items():
            first, last = window(call.book, metric, call.now)
            try:
                values += [_row(value) for value in _ask(call, id, metric, first, last)]
            except ConnectorError as error:
                failed[id] = error.reason
        return {"values": values, "failed": failed}  # type: ignore[return-value]  # `keep_pulled` makes it Pulled

    def keep_pulled(self, result: Mapping[str, Any], call: Call) -> Pulled:
        """Keep what a pull brought, and a missing mark where it brought nothing."""
        brought = {(row["metric"], row["day"]) for row in result["values"]}
        for row in result["values"]:
            keep(call.session, call.book, Value(**row), call.now, call.key)
        missing = 0
        for id, metric in call.book.metrics.metrics.items():
            for day in _days(*window(call.book, metric, call.now)):
                if (id, day) not in brought and not _known(call.session, id, day):
                    unknown = metric.absent_day == "unknown" or metric.source.by or id in result["failed"]
                    value = None if unknown else Decimal(0)
                    keep(call.session, call.book, Value(id, day, value, "pull"), call.now, call.key)
                    missing += value is None
        return Pulled(readings=len(result["values"]), missing=missing, summary=grid(call.session, call.book, call.now))


def _row(value: Value) -> dict[str, Any]:
    return {"metric": value.metric, "day": value.day, "value": value.value, "source": value.source}


def _known(session: Connection, metric: str, day: date) -> bool:
    return bool(current(session, metric, day, day))


def _ask(call: Call, id: str, metric: Metric, first: date, last: date) -> list[Value]:
    source = metric.source
    if source.exchanges:
        return [Value(id, day, derived(call.session, metric, day), "exchanges") for day in _days(first, last)]
    if not source.use:
        return []
    name, _, does = source.use.partition(".")
    found: Any = call.connection(name).call(does, {"since": first, "until": last})
    return [
        Value(id, row["day"], row["value"], source.use)
        for row in found
        if row["metric"] == id and first <= row["day"] <= last
    ]


def _typist(call: Call) -> str | None:
    done = (
        select(t.assignment.c.done_by)
        .where(t.assignment.c.case_id == call.case["id"], t.assignment.c.state == "done")
        .order_by(t.assignment.c.done_at.desc())
    )
    return call.session.execute(done).scalar()


def grid(session: Connection, book: Book, now: datetime, days: int = 7) -> str:
    """The last days of every metric in columns: `-` is missing, `*` may still change, `+` was restated."""
    last = now.astimezone(book.company.zone).date() - timedelta(days=1)
    first = last - timedelta(days=days - 1)
    asked = [first + timedelta(days=ahead) for ahead in range(days)]
    lines = [["", *(day.strftime("%m-%d") for day in asked)]]
    for id, metric in book.metrics.metrics.items():
        known = current(session, id, first, last)
        cells = [_cell(known.get(day), settled=final(book, metric, day, now)) for day in asked]
        lines.append([metric.label, *cells])
    wide = [max(cell_len(line[place]) for line in lines) for place in range(days + 1)]
    return "\n".join("  ".join(_padded(line, wide)) for line in lines)


def _padded(line: list[str], wide: list[int]) -> Iterable[str]:
    """Labels to the left, numbers to the right; Korean letters are two columns wide."""
    yield line[0] + " " * (wide[0] - cell_len(line[0]))
    for cell, width in zip(line[1:], wide[1:], strict=True):
        yield " " * (width - cell_len(cell)) + cell


def _cell(row: Row | None, *, settled: bool) -> str:
    if row is None or row["value"] is None:
        return "-"
    mark = "+" if settled and row["revision"] > 1 else "" if settled else "*"
    return f"{row['value']:,f}{mark}"
