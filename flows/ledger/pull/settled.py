"""Days that a source has answered only while it could still change them: they are asked for once more.

A daily pull asks for each day until it is settled. If the pulls of those last days were missed, because digilog was off
or the source was away, the number that stands there may be one that was changed since.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache

from sqlalchemy import Connection, func, select

from flows.ledger.derived import TAKEN
from flows.ledger.parties import family
from flows.ledger.series import days
from flows.playbook.model import Book
from flows.store import tables as t

_p, _q, _x = t.pull.c, t.pull_part.c, t.exchange.c
_LATELY = 20_000  # events that are looked through; a few hundred cases have them in a day


def unsettled(session: Connection, book: Book, today: date, back: int) -> dict[str, set[date]]:
    """By metric the days of the last `back` ones that its source answered, though never after they were settled."""
    earliest = today - timedelta(days=back)
    found, sure = defaultdict[str, set[date]](set), defaultdict[str, set[date]](set)
    asked = select(_q.source, _q.asked, _q.since, _q.until, _q.ended_at, _p.kind).join(t.pull)
    asked = asked.where(_q.state == "done", _q.until >= earliest.isoformat(), _p.kind != "again")
    for source, said, since, until, ended, kind in session.execute(asked):
        on = ended.astimezone(book.company.zone).date()
        for name in _metrics(said):
            metric = book.metrics.metrics.get(name)
            if metric is None or metric.source.use != source:
                continue
            settled = on - timedelta(days=metric.settle_days)  # the newest day that could change no more
            first, last = max(date.fromisoformat(since), earliest), date.fromisoformat(until)
            found[name].update(days(max(first, settled + timedelta(days=1)), last))
            if kind != "holes":  # which takes nothing of a day that is known
                sure[name].update(days(first, min(last, settled)))
    return {name: _over(wanted - sure[name], book, name, today) for name, wanted in found.items()}


def written_late(session: Connection) -> set[date]:
    """Days of the exchanges that were written down lately, and of those that they correct or give back, however old."""
    newest = select(func.max(t.event.c.id)).scalar_subquery()
    told = select(t.event.c.subject).where(t.event.c.id > newest - _LATELY, t.event.c.name == "exchange.recorded")
    written = select(_x.day, _x.voids, _x.party_id, _x.kind).where(_x.id.in_(told))
    found, voided, given = set[str](), set[str](), set[str]()
    for day, voids, party, kind in session.execute(written):
        found.add(day)
        if voids:
            voided.add(voids)
        if family(kind) in TAKEN:  # a metric may take it off on the sale's day
            given.add(party)
    for some in (_x.id.in_(voided), _x.party_id.in_(given)):
        found.update(session.execute(select(_x.day).where(some).distinct()).scalars())
    return {date.fromisoformat(day) for day in found}


def _over(wanted: set[date], book: Book, name: str, today: date) -> set[date]:
    """Without those that can still change: they are asked for anyway."""
    settled = today - timedelta(days=book.metrics.metrics[name].settle_days)
    return {day for day in wanted if day < settled}


@lru_cache(maxsize=4_096)
def _metrics(asked: str) -> tuple[str, ...]:
    said: Mapping[str, list[str]] = json.loads(asked)
    return tuple(said["metrics"])
