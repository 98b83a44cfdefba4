"""The metrics ledger for other programs: rows for a sheet that follows it, and a CSV of its numbers."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, func, select

from flows.ledger.readings import Key, current, current_of, final
from flows.ledger.series import counting
from flows.playbook.metrics import Metric
from flows.playbook.model import Book
from flows.store import tables as t
from flows.store.read import Row, first, rows

MOST = 5_000  # days of metrics in one call to a sheet; the newest go first
SIGNATURE = "\ufeff"  # without it Excel takes a CSV for the coding of its own language
COLUMNS = (
    "day", "metric", "label", "channel", "account", "dimensions", "value", "status", "finality", "source", "revision",
    "at", "by",
)  # fmt: skip
_WORDS: Mapping[str, tuple[str, str]] = {
    "day": ("날짜", "day"), "metric": ("지표", "metric"), "channel": ("채널", "channel"),
    "account": ("계정", "account"), "dimensions": ("구분", "dimensions"), "value": ("값", "value"),
    "status": ("상태", "status"),
    "source": ("출처", "source"), "at": ("적은 때", "written at"), "by": ("적은 사람", "written by"),
    "ok": ("있음", "known"), "zero": ("영", "zero"), "missing": ("없음", "missing"),
    "not_applicable": ("해당 없음", "not applicable"), "not_counted": ("다른 줄에서 셈", "in other rows"),
    "person": ("사람", "a person"), "exchanges": ("거래장부", "exchanges"), "minutes": ("사람이 쓴 시간", "minutes"),
}  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet program would run these
_r, _p = t.reading.c, t.pull.c


class Changed(NamedTuple):
    """Rows of `upsert_rows`, and how many days of metrics had no room among them."""

    rows: list[dict[str, Any]]
    left: int


def changed(session: Connection, book: Book, since: datetime | None) -> Changed:
    """The current numbers of all days of which something was written since a moment; since none: of all.

    The newest `MOST` days of metrics. Of a whole and its parts only those have a value that the day's number is made
    of, so that a sum over the sheet is the ledger's.
    """
    newer = select(_r.metric, _r.day).where(_r.metric.in_(list(book.metrics.metrics))).distinct()
    if since is not None:
        newer = newer.where(_r.id > _last_before(session, since))
    wanted = newer.order_by(_r.day.desc(), _r.metric).limit(MOST).subquery()
    same = and_(_r.metric == wanted.c.metric, _r.day == wanted.c.day)
    found: defaultdict[tuple[str, str], dict[Key, list[Row]]] = defaultdict(dict)
    for row in rows(session, select(t.reading).join(wanted, same).order_by(_r.revision)):
        found[row["day"], row["metric"]].setdefault(_key(row), []).append(row)
    told = [
        entry
        for (_, name), keys in sorted(found.items(), key=lambda one: one[0], reverse=True)
        for entry in _entries(book, book.metrics.metrics[name], keys)
    ]
    count = session.execute(select(func.count()).select_from(newer.subquery())).scalar_one()
    return Changed(told, count - len(found))


def _entries(book: Book, metric: Metric, keys: Mapping[Key, list[Row]]) -> Iterator[dict[str, Any]]:
    counts = {_key(history[0]) for history in counting(metric, keys)}
    for key, history in sorted(keys.items(), key=lambda one: one[0]):
        if row := current_of(history):
            yield _entry(book, key, row if key in counts else row | {"value": None, "status": "not_counted"})


def last_mirrored(session: Connection, kind: str, but: str) -> datetime | None:
    """When the pull of that kind before the pull `but` began, among those that a playbook made.

    One that a wrong clock dated ahead of it is none, or the sheet would stand still until then.
    """
    own = select(_p.begun_at).where(_p.id == but).scalar_subquery()
    before = select(_p.begun_at).where(
        _p.kind == kind, _p.id != but, _p.key.is_not(None), _p.state.in_(("done", "partial")), _p.begun_at <= own
    )
    at: datetime | None = session.execute(before.order_by(_p.begun_at.desc()).limit(1)).scalar()
    return at


def export(
    session: Connection, book: Book, since: date, until: date, now: datetime, as_of: datetime | None = None
) -> Iterator[str]:
    """Lines of a CSV: every number of these days that counts, exact; `as_of`: as it was known then.

    Of a whole and its parts only those that the day's number is made of: nobody adds up both.
    """
    yield SIGNATURE + _line(COLUMNS)
    days: defaultdict[tuple[str, str], dict[Key, list[Row]]] = defaultdict(dict)
    for key, history in current(session, book.metrics.metrics, since, until, as_of).items():
        days[key.day, key.metric][key] = history
    for (day, name), found in sorted(days.items(), key=lambda one: one[0]):
        metric = book.metrics.metrics[name]
        settled = final(book, metric, date.fromisoformat(day), as_of or now)
        told = {_key(row): row for history in counting(metric, found) if (row := current_of(history))}
        for key, row in sorted(told.items(), key=lambda one: one[0]):
            more = {"label": metric.label, "at": _moment(book, row["at"]), "channel": _channel(book, key)}
            more["finality"] = "final" if settled else "provisional"
            yield _line(_cell((row | more)[column]) for column in COLUMNS)


def _last_before(session: Connection, since: datetime) -> int:
    """Readings are numbered as they come, so that this looks at few of them."""
    row = first(session, select(_r.id).where(_r.at < since).order_by(_r.id.desc()).limit(1))
    return int(row["id"]) if row else 0


def _key(row: Row) -> Key:
    return Key(row["metric"], row["day"], row["channel"], row["account"], row["dimensions"])


def _entry(book: Book, key: Key, row: Row) -> dict[str, Any]:
    at = 0 if book.company.language == "ko" else 1

    def word(name: str) -> str:
        return _WORDS[name][at] if name in _WORDS else name

    people, channels, channel = book.company.people, book.company.channels, _channel(book, key)
    told = {
        "day": key.day,
        "metric": book.metrics.metrics[key.metric].label,
        "channel": channels.get(channel, channel),
        "value": "" if row["value"] is None else row["value"],  # a number, so that a sheet can add it up
        "status": word(row["status"]),
        "source": word(row["source"]),
        "at": _moment(book, row["at"]),
        "by": people[row["by"]].name if row["by"] in people else row["by"] or "",
    }
    more = {name: value for name, value in (("account", key.account), ("dimensions", key.dimensions)) if value}
    id = "/".join((key.metric, key.day, *key[2:])).rstrip("/")
    return {"row_id": id, "row": {word(name): value for name, value in (told | more).items()}}


def _channel(book: Book, key: Key) -> str:
    return book.metrics.metrics[key.metric].channel or key.channel


def _moment(book: Book, at: datetime) -> str:
    return f"{at.astimezone(book.company.zone):%Y-%m-%d %H:%M}"


def _exact(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"


def _cell(value: object) -> str:
    if value is None or isinstance(value, Decimal):
        return _exact(value)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(cells: Iterable[str]) -> str:
    line = StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
