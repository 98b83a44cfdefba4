"""What the store knows of the numbers that are judged: gathered here, and nothing is changed by it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, select

from flows.ledger.alerts.judge import LOOK_BACK, SPAN, Change, Facts, Failure
from flows.ledger.ratios import Pace, pace
from flows.ledger.readings import current, current_of
from flows.ledger.series import begun, series
from flows.playbook.metrics import Target
from flows.playbook.model import Book
from flows.store import tables as t
from flows.store.read import Row, rows

_FAILURES = timedelta(days=14)  # of pulls that are looked through
_p, _q = t.pull.c, t.pull_part.c


def gather(session: Connection, book: Book, now: datetime, *, whole: bool = False) -> Facts:
    """The facts of a look. `whole`: of all metrics and targets, and not only of those that have an alert."""
    found, alerts = book.metrics, book.metrics.alerts
    names = [name for name in found.metrics if whole or name in alerts]
    targets = [one for one in found.targets if whole or (one.metric in alerts and alerts[one.metric].behind)]
    today = now.astimezone(book.company.zone).date()
    first, last = today - timedelta(days=SPAN), today - timedelta(days=1)
    restated = [name for name in names if whole or alerts[name].restated is not None]
    cells = series(session, book, names, first, last, now) if names else {}
    return Facts(
        book,
        now,
        cells,
        tuple(_changes(session, restated, first, last, now)) if restated else (),
        tuple(_paces(session, book, targets, now)),
        tuple(_failures(session, book, now)),
        dict.fromkeys(names, first) | begun(session, book, cells, first, last),
    )


def _paces(session: Connection, book: Book, targets: Iterable[Target], now: datetime) -> Iterator[tuple[Target, Pace]]:
    for target in targets:
        yield target, pace(session, book, target, now)


def _changes(session: Connection, names: list[str], first: date, last: date, now: datetime) -> Iterator[Change]:
    """Days that a source restated within the last week; what a person corrected is none of its doing."""
    parts: defaultdict[tuple[str, str], list[tuple[Row, Row]]] = defaultdict(list)
    since = now - timedelta(days=LOOK_BACK)
    for key, history in current(session, names, first, last).items():
        newest = current_of(history)
        if newest is not None and newest["value"] is not None:
            before = newest if newest["standing"] == "pinned" else _before(history, since)
            parts[key.metric, key.day].append((before, newest))
    for (metric, day), found in parts.items():
        was, is_ = sum(before["value"] for before, _ in found), sum(newest["value"] for _, newest in found)
        if was != is_:
            at = max(newest["at"] for before, newest in found if before is not newest)
            yield Change(metric, date.fromisoformat(day), was, is_, at)


def _before(history: list[Row], since: datetime) -> Row:
    """What was known when the week began, or what was known first in it."""
    known = [row for row in history if row["value"] is not None and row["standing"] != "beside"]
    return next((row for row in reversed(known) if row["at"] <= since), known[0])


def _failures(session: Connection, book: Book, now: datetime) -> Iterator[Failure]:
    """Of each source that did not answer the newest daily pull: since when, and why. A part that failed is enough."""
    asked = {metric.source.use for metric in book.metrics.metrics.values() if metric.source.use}
    found = (
        select(_q.source, _q.pull_id, _q.state, _q.reason, _p.begun_at)
        .join(t.pull, _p.id == _q.pull_id)
        .where(_p.begun_at >= now - _FAILURES, _p.kind == "daily", _q.state.in_(("done", "failed")))
        .order_by(_q.id)  # as they were asked, whatever a clock said then
    )
    bad: defaultdict[str, dict[str, tuple[datetime, str]]] = defaultdict(dict)
    for (source, pull), parts in _by_pull(rows(session, found)).items():
        failed = [row for row in parts if row["state"] == "failed" or row["reason"]]  # or a file of it is wrong
        if failed:
            bad[source][pull] = (failed[-1]["begun_at"], failed[-1]["reason"] or "")
        else:
            bad.pop(source, None)
    a = t.assignment.c
    waits = select(a.connection).where(a.kind == "reconnect", a.state.in_(("open", "claimed")))
    told = set(session.execute(waits).scalars()) if bad else set()
    for source in sorted(asked & bad.keys()):
        tried = [*bad[source].values()]
        days = sorted({at.astimezone(book.company.zone).date() for at, _ in tried})
        yield Failure(source, tuple(days), tried[-1][1], source.partition(".")[0] in told)


def _by_pull(found: list[Row]) -> dict[tuple[str, str], list[Row]]:
    parts: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in found:
        parts[row["source"], row["pull_id"]].append(row)
    return parts
