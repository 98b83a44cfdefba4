"""What a pull asks for: which days of which metrics, as few questions, newest days first."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, and_, func, or_, select

from connectors.analytics import Source
from connectors.base import Connector
from connectors.errors import ConnectorError, Rejected
from flows.ledger.pull.settled import unsettled, written_late
from flows.ledger.series import days
from flows.playbook.metrics import Metric
from flows.playbook.model import Book
from flows.playbook.problem import nearest
from flows.store import tables as t

Kind = Literal["daily", "holes", "all", "again"]
COUNTED_BACK = 7  # days that are counted anew each time, where the numbers are our own
MOST_BACK = 400  # days that are looked through for holes, unless somebody names a day
LATE = 35  # days in which what a source left out may still come: the file of a week, or of a month
MOST_METRICS, MOST_DAYS = 10, 31  # of one question, where the source does not say
MOST_CELLS = 20_000  # days times metrics of one question: it is kept as a whole
EXCHANGES, MINUTES, PERSON = "exchanges", "minutes", "person"
_r = t.reading.c


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants pulled. No metrics: all. No days: as its kind says.

    `late`: so many days back holes are also days that their source answered without a number; None: however old.
    """

    kind: Kind = "daily"
    metrics: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    late: int | None = LATE


@dataclass(frozen=True, slots=True)
class Part:
    """One question to one source, or one count of our own: kept as a whole or not at all."""

    source: str  # connection.action, or EXCHANGES or MINUTES
    metrics: tuple[str, ...]
    since: date
    until: date
    where: Mapping[str, str] = field(default_factory=dict)
    split: tuple[str, ...] = ()

    @property
    def connection(self) -> str:
        """Whom it is asked of; empty: it is counted from what we have."""
        return self.source.partition(".")[0] if "." in self.source else ""

    def names(self, book: Book) -> dict[str, list[str]]:
        """The service's own names, and our metrics of each."""
        found = defaultdict[str, list[str]](list)
        for name in self.metrics:
            found[book.metrics.metrics[name].source.of or name].append(name)
        return dict(found)


def plan(
    session: Connection, book: Book, connection: Callable[[str], Connector], wish: Wish, now: datetime
) -> list[Part]:
    """All questions, those of the newest days first. Raises Rejected for a metric that is not there."""
    today = now.astimezone(book.company.zone).date()
    groups = defaultdict[tuple[object, ...], dict[str, set[date]]](dict)
    daily = wish.kind == "daily"
    late = unsettled(session, book, today, MOST_BACK) if daily else {}
    written = {day for day in written_late(session) if day < today} if daily else set()
    for name, metric in _asked(book, wish):
        more = written if metric.source.exchanges else late.get(name, set())
        if wanted := _days(session, name, metric, wish, today) | _within(more, wish):
            groups[_together(metric, name)][name] = wanted
    found = [part for wanted in groups.values() for part in _parts(book, connection, wanted)]
    return sorted(found, key=lambda part: part.until, reverse=True)


def typed(book: Book, wish: Wish) -> list[str]:
    """Metrics that a person types."""
    return [name for name, metric in _chosen(book, wish) if metric.source.by]


def window(metric: Metric, today: date) -> tuple[date, date]:
    """The days that a daily pull asks for: those that the source may still change; at least yesterday."""
    ours = metric.source.exchanges or metric.source.minutes_of
    back = max(metric.settle_days, COUNTED_BACK if ours else 1)
    return today - timedelta(days=back), today - timedelta(days=1)


def _answered(session: Connection, name: str, first: date, last: date, late: date) -> set[date]:
    """A metric's days that are no holes: a number is known, or its source had none and it is older than `late`."""
    left_out = and_(_r.raw.is_not(None), _r.day < late.isoformat())
    asked = select(_r.day).where(_r.metric == name, or_(_r.status != "missing", left_out)).distinct()
    found = session.execute(asked.where(_r.day >= first.isoformat(), _r.day <= last.isoformat())).scalars()
    return {date.fromisoformat(day) for day in found}


def _chosen(book: Book, wish: Wish) -> Iterator[tuple[str, Metric]]:
    all_ = book.metrics.metrics
    for name in wish.metrics:
        if name not in all_:
            raise Rejected(f"there is no metric {name}{nearest(name, all_)}", next_step="correct its name")
    yield from ((name, metric) for name, metric in all_.items() if not wish.metrics or name in wish.metrics)


def _asked(book: Book, wish: Wish) -> Iterator[tuple[str, Metric]]:
    return ((name, metric) for name, metric in _chosen(book, wish) if not metric.source.by)


def _days(session: Connection, name: str, metric: Metric, wish: Wish, today: date) -> set[date]:
    yesterday = today - timedelta(days=1)
    if wish.kind == "daily":
        first, last = window(metric, today)
    else:
        first, last = wish.since or _first(session, name, yesterday), yesterday
    first, last = max(wish.since or first, first), min(wish.until or last, last)
    wanted = set(days(first, last))
    if wish.kind == "holes" and wanted:
        late = date.min if wish.late is None else today - timedelta(days=wish.late)
        wanted -= _answered(session, name, first, last, late)
    return wanted


def _within(found: set[date], wish: Wish) -> set[date]:
    return {day for day in found if (wish.since or day) <= day <= (wish.until or day)}


def _first(session: Connection, name: str, yesterday: date) -> date:
    """The metric's first day in the ledger, within bounds; there is none: there is nothing to look through."""
    first = session.execute(select(func.min(_r.day)).where(_r.metric == name)).scalar()
    return max(date.fromisoformat(first), yesterday - timedelta(days=MOST_BACK)) if first else yesterday


def _together(metric: Metric, name: str) -> tuple[object, ...]:
    """Metrics that one question can be about have the same."""
    source = metric.source
    if source.use is None:
        return (name,)
    return source.use, metric.settle_days, tuple(sorted(source.where.items())), tuple(source.split)


def _parts(book: Book, connection: Callable[[str], Connector], wanted: Mapping[str, set[date]]) -> Iterator[Part]:
    source = book.metrics.metrics[next(iter(wanted))].source
    if source.use is None:
        ((name, missing),) = wanted.items()
        counted = EXCHANGES if source.exchanges else MINUTES
        yield from (Part(counted, (name,), first, last) for first, last in runs(missing, MOST_BACK))
        return
    most_metrics, most_days = _most(connection, source.use)
    names = list(wanted)
    for place in range(0, len(names), most_metrics):
        together = tuple(names[place : place + most_metrics])
        missing = set().union(*(wanted[name] for name in together))
        for first, last in runs(missing, min(most_days, MOST_CELLS // len(together))):
            yield Part(source.use, together, first, last, source.where, tuple(source.split))


def runs(wanted: Iterable[date], most: int) -> Iterator[tuple[date, date]]:
    """Days without a gap, newest first, so many at most at once."""
    first = last = None
    for day in sorted(wanted, reverse=True):
        if first is None or last is None or first - day > timedelta(days=1) or (last - day).days >= most:
            if first and last:
                yield first, last
            last = day
        first = day
    if first and last:
        yield first, last


def _most(connection: Callable[[str], Connector], use: str) -> tuple[int, int]:
    """Metrics and days of one question."""
    name, _, does = use.partition(".")
    try:
        made = connection(name)
    except ConnectorError:  # whoever asks will say so
        return MOST_METRICS, MOST_DAYS
    if isinstance(made, Source):
        return min(made.most_metrics, MOST_CELLS), made.most_days
    named = "of" in made.actions()[does].parameters if does in made.actions() else False
    return (MOST_METRICS if named else MOST_CELLS), MOST_DAYS
