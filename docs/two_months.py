"""Two months of numbers for pictures: an invented company's, with the holes and corrections that months have."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from sqlalchemy import Connection

from flows.ledger.readings import Value, correct, keep
from flows.ledger.series import days
from flows.playbook.model import Book
from flows.store import tables as t
from flows.store.store import Store

USUAL = {  # of a weekday; a Sunday has a fifth of it where the studio is closed
    "place_views": 130, "ad_cost": 31_000, "ad_clicks": 46, "ig_reach": 820, "trial_requests": 3,
    "trial_attended": 2.2, "memberships_new": 0.8, "visits_regular": 38,
    "owner_minutes": 70,
}  # fmt: skip
_OPEN_ALL_WEEK = frozenset({"place_views", "ad_cost", "ad_clicks", "ig_reach", "trial_requests"})


def fill(store: Store, book: Book, now: datetime) -> None:
    """Readings up to yesterday in place of all others, as pulls and people would have kept them.

    The newest pull failed in part.
    """
    yesterday = now.astimezone(book.company.zone).date() - timedelta(days=1)
    asked, chance = days(yesterday - timedelta(days=62), yesterday), Random(7)
    with store.write() as session:
        for table in (t.reading, t.private_answer, t.pull_part, t.pull):
            session.execute(table.delete())
        for day in asked:
            pulled = _morning(book, now) - timedelta(days=(yesterday - day).days)
            keep(session, book, list(_day(book, day, yesterday, chance)), pulled, "morning")
        for back, factor in ((3, "1.04"), (5, "0.97")):  # the advert's cost settles for a week
            day = yesterday - timedelta(days=back)
            keep(session, book, [Value("ad_cost", day, 31_000 * Decimal(factor), "ads-csv.readings")], now)
        _corrected(session, book, yesterday, now)
        _pull(session, yesterday, _morning(book, now))


def _morning(book: Book, now: datetime) -> datetime:
    return min(now, now.astimezone(book.company.zone).replace(hour=6, minute=30, second=0))


def _day(book: Book, day: date, yesterday: date, chance: Random) -> Iterator[Value]:
    for id, usual in USUAL.items():
        closed = day.weekday() == 6 and id not in _OPEN_ALL_WEEK
        many = 0 if closed else max(0, round(usual * chance.uniform(0.6, 1.4)))
        back = (yesterday - day).days
        source = book.metrics.metrics[id].source
        lost = (id == "ig_reach" and back < 2) or (id == "place_views" and back in {0, 9, 16}) or (
            id in {"ad_cost", "ad_clicks"} and back in {12, 13})  # fmt: skip
        said = "pull" if lost else source.use or ("person" if source.by else "exchanges")
        typist = "yoon" if source.by and not lost else None
        yield Value(id, day, None if lost else Decimal(many), said, typist, applies=not closed)


def _corrected(session: Connection, book: Book, yesterday: date, now: datetime) -> None:
    day = yesterday - timedelta(days=10)
    said = Value("ad_clicks", day, Decimal(38), "person", "yoon")
    correct(session, book, said, now - timedelta(days=2), "광고 화면의 숫자와 달라 바로잡음")
    keep(session, book, [Value("ad_clicks", day, Decimal(41), "ads-csv.readings")], _morning(book, now), "morning")
    typed = Value("place_views", yesterday - timedelta(days=4), Decimal(121), "person", "yoon")
    correct(session, book, typed, now - timedelta(days=1), "다음 날 화면을 다시 보고 고침")


def _pull(session: Connection, yesterday: date, begun: datetime) -> None:
    since = (yesterday - timedelta(days=7)).isoformat()
    session.execute(
        t.pull.insert().values(
            id="morning",
            key=None,
            state="partial",
            since=since,
            until=yesterday.isoformat(),
            kind="daily",
            by=None,
            begun_at=begun,
            ended_at=begun + timedelta(seconds=9),
            kept=14,
            restated=2,
            missing=3,
        )
    )
    for source, state, reason in (
        ("ads-csv.readings", "done", None), ("instagram-csv.readings", "failed", "instagram.csv is not there"),
    ):  # fmt: skip
        session.execute(
            t.pull_part.insert().values(
                pull_id="morning",
                source=source,
                asked="{}",
                since=since,
                until=yesterday.isoformat(),
                state=state,
                pages=1,
                reason=reason,
                ended_at=begun + timedelta(seconds=9),
            )
        )
