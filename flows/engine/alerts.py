"""Tells what is wrong with the numbers: one assignment each with the evidence, taken back when it is over.

Looked at once a minute at most, and only where something happened since: a number was kept, a pull ended, a due time
passed, a day began, or the files changed. What is told stands in the table `alert`, so a kill tells nothing twice.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert  # SQLite's compiler writes it as well

from flows.engine.world import World
from flows.ledger.alerts import told
from flows.ledger.alerts.evidence import gather
from flows.ledger.alerts.judge import Finding, due_at, judge
from flows.people.assignments import OPEN, person_of
from flows.people.links import Links
from flows.people.notices import notice
from flows.playbook.model import Book
from flows.playbook.time import Time
from flows.store import tables as t
from flows.store.locks import WATCHING, try_alone
from flows.store.read import Row, first, rows
from flows.store.store import Store
from flows.store.write import change, open_assignment

KIND = "alert"  # a kind of assignment
PULLING = timedelta(hours=1)  # so long a pull is waited for: what it brings may be what is missing
FAILING_RESTS = timedelta(days=1)
_DUE = Time.parse("1 business day")  # as any work of whose time nobody said more
_NAMED = 5  # alerts of one notice that are named, each with its link
_WORDS = {
    "ko": {
        "one": "[숫자] {}", "many": "[숫자] 살펴볼 것 {}건", "link": "여기서 처리",
        "more": "외 {}건은 할 일에 있습니다", "over": "{} (끝남: {})",
    },
    "en": {
        "one": "[Numbers] {}", "many": "[Numbers] {} to look at", "link": "do it here",
        "more": "{} more are among your work", "over": "{} (over: {})",
    },
}  # fmt: skip
_Seen = tuple[object, ...]


class Watch:
    """Remembers what the last look saw, so that nothing is judged where nothing happened."""

    def __init__(self) -> None:
        self._seen: _Seen | None = None
        self._again: datetime | None = None  # when something has rested

    def turn(self, store: Store, world: World) -> bool:
        """One look, if anything happened since the last. Says whether it looked."""
        now = world.clock.now()
        with store.read() as session:
            seen = _happened(session, world.book, now)
            if seen is None or (seen == self._seen and not (self._again and now >= self._again)):
                return False
            news = _news(session, world.book, now)
        if news.any:  # seldom; only then is anybody kept waiting
            with store.write(beside=True) as session:
                if not try_alone(session, WATCHING):  # another engine tells it; in a minute nothing is left to tell
                    return False
                news = _news(session, world.book, now)
                _act(session, world.book, news, now, world.links)
        self._seen, self._again = seen, news.again
        return True


@dataclass(frozen=True, slots=True)
class _News:
    """What is to be done: told, brought up to date, taken back. `again`: when what was told before has rested."""

    new: list[Finding]
    renewed: list[tuple[Finding, Row]]
    over: list[Row]
    again: datetime | None

    @property
    def any(self) -> bool:
        return bool(self.new or self.renewed or self.over)


def _news(session: Connection, book: Book, now: datetime) -> _News:
    """The numbers judged, beside what was told of them. Nothing is changed."""
    found = {one.key: one for one in judge(gather(session, book, now))}
    known = {row["key"]: row for row in rows(session, _KNOWN)}
    rests = {key: _rests_until(book, one, known[key]) for key, one in found.items() if key in known}
    return _News(
        [one for key, one in found.items() if key not in known or ((until := rests[key]) and until <= now)],
        [
            (one, known[key])
            for key, one in found.items()
            if key in known and _is_open(known[key]) and told.dump(one) != known[key]["evidence"]
        ],
        [row for key, row in known.items() if key not in found and row["over_at"] is None],
        min((until for until in rests.values() if until and until > now), default=None),
    )


def _act(session: Connection, book: Book, news: _News, now: datetime, links: Links) -> None:
    for row in news.over:
        _over(session, book, row, now)
    for finding, row in news.renewed:
        _renew(session, book, finding, row, now)
    _tell(session, book, [(one, _open(session, book, one, now)) for one in news.new], now, links)


_a, _alert = t.assignment.c, t.alert.c
_KNOWN = select(t.alert, _a.state, _a.due_at, _a.done_at, _a.done_by).outerjoin(
    t.assignment, _a.id == _alert.assignment_id
)
_STANDING = select(func.count()).select_from(t.alert.join(t.assignment, _a.id == _alert.assignment_id))
_OPEN = _STANDING.where(_alert.over_at.is_(None), _a.state.in_(OPEN))
_NEWEST_PULL = select(t.pull.c.id, t.pull.c.state, t.pull.c.begun_at).order_by(t.pull.c.begun_at.desc()).limit(1)


def _happened(session: Connection, book: Book, now: datetime) -> _Seen | None:
    """What a look depends on, in short; none while a pull is under way."""
    pull = first(session, _NEWEST_PULL.where(t.pull.c.begun_at <= now))
    if pull and pull["state"] == "running" and now - pull["begun_at"] < PULLING:
        return None
    today = now.astimezone(book.company.zone).date()
    yesterday = today - timedelta(days=1)
    metrics = [name for name in book.metrics.alerts if name in book.metrics.metrics]
    past = tuple(name for name in metrics if (by := due_at(book, name, yesterday)) and by <= now)
    counts = (session.execute(select(func.max(t.reading.c.id))).scalar(), session.execute(_OPEN).scalar())
    return (counts, pull and (pull["id"], pull["state"]), today, past, book.metrics, book.company)


def _is_open(row: Row) -> bool:
    return row["over_at"] is None and row["state"] in OPEN


def _rests_until(book: Book, finding: Finding, row: Row) -> datetime | None:
    """When what was told is told again: so long after a person did it, or else it was told. None: it stands."""
    since: datetime = row["done_at"] if row["done_by"] else row["told_at"]
    return None if _is_open(row) else since + _rest(book, finding)


def _rest(book: Book, finding: Finding) -> timedelta:
    alert = book.metrics.alerts.get(finding.subject)
    return alert.cool_down.delta if alert else FAILING_RESTS


def _open(session: Connection, book: Book, finding: Finding, now: datetime) -> Row:
    """One assignment, of which nobody is told by itself. Gives its row."""
    role = _role(book, finding)
    person = person_of(book, role)
    id = open_assignment(
        session, now, kind=KIND, role=role, reason=told.sentence(book, finding), due_at=_due(book, now)
    )
    change(session, t.assignment, id, person=person, told_at=now, next_at=None)
    kept = {"since": now, "told_at": now, "over_at": None, "evidence": told.dump(finding), "assignment_id": id}
    new = upsert(t.alert).values(key=finding.key, **kept)
    session.execute(new.on_conflict_do_update(index_elements=["key"], set_=kept))
    return {"id": id, "person": person}


def _due(book: Book, now: datetime) -> datetime | None:
    return _DUE.resolve(now, lambda _: None, book.company.calendar)


def _renew(session: Connection, book: Book, finding: Finding, row: Row, now: datetime) -> None:
    """What stands already keeps its newest evidence, and nobody is told again. It is due after what it is about."""
    session.execute(update(t.alert).where(_alert.key == finding.key).values(evidence=told.dump(finding)))
    change(session, t.assignment, row["assignment_id"], reason=told.sentence(book, finding))
    due = row["due_at"].astimezone(book.company.zone).date() if row["due_at"] else None
    if due and finding.days and due <= min(finding.days):
        change(session, t.assignment, row["assignment_id"], due_at=_due(book, now))


def _role(book: Book, finding: Finding) -> str:
    alert, metric = book.metrics.alerts.get(finding.subject), book.metrics.metrics.get(finding.subject)
    return (alert.to if alert else None) or (metric.source.by if metric else None) or "owner"


def _over(session: Connection, book: Book, row: Row, now: datetime) -> None:
    """Nobody has to do anything any more."""
    session.execute(update(t.alert).where(_alert.key == row["key"]).values(over_at=now))
    if row["state"] in OPEN:
        was = told.load(row["evidence"])
        reason = _WORDS[book.company.language]["over"].format(told.sentence(book, was), told.over(book, was))
        change(session, t.assignment, row["assignment_id"], state="withdrawn", next_at=None, done_at=now, reason=reason)


def _tell(session: Connection, book: Book, new: list[tuple[Finding, Row]], now: datetime, links: Links) -> None:
    """One notice to each person, however many alerts there are for them."""
    mine = defaultdict[str | None, list[tuple[Finding, Row]]](list)
    for finding, row in new:
        mine[row["person"]].append((finding, row))
    for person, found in mine.items():
        text = _said(book, [(told.sentence(book, one), links.url(row["id"], now)) for one, row in found])
        notice(session, book, now, text, person, key=f"alerts/{found[0][1]['id']}")


def _said(book: Book, lines: list[tuple[str, str]]) -> str:
    words = _WORDS[book.company.language]
    if len(lines) == 1:
        return f"{words['one'].format(lines[0][0])}\n{words['link']}: {lines[0][1]}"
    lines_told = [words["many"].format(len(lines))]
    for sentence, address in lines[:_NAMED]:
        lines_told += [f"- {sentence}", f"  {words['link']}: {address}"]
    return "\n".join([*lines_told, words["more"].format(len(lines) - _NAMED)] if len(lines) > _NAMED else lines_told)
