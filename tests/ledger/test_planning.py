"""What a pull asks for: the days that may still change, or holes; few questions, the newest days first."""

from datetime import date
from decimal import Decimal

import pytest

from flows.ledger.exchanges import Exchange, record
from flows.ledger.parties import find_or_make
from flows.ledger.pull.planning import LATE, MOST_BACK, Wish, plan, window
from flows.ledger.readings import Value, keep
from flows.store import tables as t
from tests.ledger.desk import DAY, Desk

USE = {"use": "numbers.readings"}
METRICS = {
    "views": {"label": "조회", "on": "apply", "source": USE, "settle_days": "3"},
    "cost": {"label": "비용", "on": "apply", "source": USE, "settle_days": "3"},
    "last": {"label": "셋째", "on": "apply", "source": USE, "settle_days": "3"},
    "ads": {"label": "광고", "on": "apply", "source": USE | {"where": {"ad": "1"}}, "settle_days": "3"},
    "reach": {"label": "도달", "on": "apply", "source": USE},
    "requests": {"label": "신청", "on": "apply", "source": {"exchanges": "apply"}, "absent_day": "zero"},
    "typed": {"label": "손으로", "on": "apply", "source": {"by": "manager"}},
}
YESTERDAY = date(2026, 11, 22)


@pytest.fixture
def desk(shop):
    shop.files["metrics"] = {"metrics": METRICS}
    shop.open(at="2026-11-23 00:10")  # still the 22nd in UTC
    made = Desk(shop)
    made.source("numbers")  # 5 days, 2 metrics at once
    return made


def asked(desk, kind="daily", *metrics, since=None, until=None, late=LATE):
    with desk.shop.store.read() as session:
        wish = Wish(kind, metrics, since, until, late)
        found = plan(session, desk.shop.world.book, lambda name: desk.sources[name], wish, desk.shop.clock.now())
    return [(",".join(one.metrics), (YESTERDAY - one.until).days, (one.until - one.since).days + 1) for one in found]


def put(desk, metric, back, value=1, raw=None):
    with desk.shop.store.write() as session:
        number = None if value is None else Decimal(value)
        values = [Value(metric, YESTERDAY - days * DAY, number, "numbers.readings", raw=raw) for days in back]
        keep(session, desk.shop.world.book, values, desk.shop.clock.now())


def test_a_daily_pull_asks_for_the_days_that_may_still_change(desk):
    assert asked(desk) == [
        ("views,cost", 0, 3), ("last", 0, 3), ("ads", 0, 3), ("reach", 0, 1), ("requests", 0, 7),
    ]  # fmt: skip


@pytest.mark.parametrize(("metric", "days"), [("views", 3), ("reach", 1), ("requests", 7), ("typed", 1)])
def test_a_window_ends_yesterday_and_is_at_least_a_day(desk, metric, days):
    first, last = window(desk.shop.world.book.metrics.metrics[metric], YESTERDAY + DAY)
    assert (last, (last - first).days + 1) == (YESTERDAY, days)


def test_a_backfill_goes_from_the_newest_day_in_pieces_that_the_source_takes(desk):
    since = YESTERDAY - 11 * DAY
    assert asked(desk, "all", "views", since=since) == [("views", 0, 5), ("views", 5, 5), ("views", 10, 2)]
    assert asked(desk, "all", "views", since=since, until=YESTERDAY - 9 * DAY) == [("views", 9, 3)]
    assert asked(desk, "all", "views", since=YESTERDAY, until=YESTERDAY + 9 * DAY) == [("views", 0, 1)]


def test_holes_are_days_without_a_number_and_no_others(desk):
    put(desk, "views", [0, 2, 5, 12])
    put(desk, "views", [3, 4], value=None, raw="answer")  # the source had no number of them, and may have it late
    put(desk, "views", [1, 6], value=None)  # it did not answer
    assert asked(desk, "holes", "views") == [("views", 1, 1), ("views", 3, 2), ("views", 6, 5), ("views", 11, 1)]
    assert asked(desk, "holes", "views", since=YESTERDAY - 2 * DAY) == [("views", 1, 1)]


def test_what_a_source_left_out_is_asked_again_for_a_month_and_by_hand_however_old_it_is(desk):
    put(desk, "views", [*range(33), *range(36, 50)])
    put(desk, "views", [33, 34, 35], value=None, raw="answer")
    assert asked(desk, "holes", "views") == [("views", 33, 2)]
    assert asked(desk, "holes", "views", late=None) == [("views", 33, 3)]
    assert asked(desk, "holes", "views", since=YESTERDAY - 40 * DAY, late=None) == [("views", 33, 3)]


def test_holes_begin_with_the_first_day_that_was_asked_for_though_nothing_came(desk):
    put(desk, "views", [0, 1], value=None)
    put(desk, "views", [2, 3], value=None, raw="answer")
    assert asked(desk, "holes", "views") == [("views", 0, 4)]


def test_metrics_that_lack_the_same_days_are_asked_together(desk):
    put(desk, "views", [0, 3])
    put(desk, "cost", [0, 1, 3])
    assert asked(desk, "holes", "views", "cost") == [("views,cost", 1, 2)]


def test_holes_are_looked_for_four_hundred_days_back_at_most(desk):
    put(desk, "reach", [MOST_BACK + 100])
    found = asked(desk, "holes", "reach")
    assert max(back + days for _, back, days in found) == MOST_BACK + 1
    assert sum(days for _, _, days in found) == MOST_BACK + 1


def test_a_metric_that_was_never_known_has_no_holes_but_yesterday(desk):
    assert asked(desk, "holes", "reach") == [("reach", 0, 1)]
    assert asked(desk, "holes", "typed") == []


@pytest.mark.parametrize(
    ("zone", "yesterday"), [("Asia/Seoul", 22), ("America/New_York", 21), ("Pacific/Kiritimati", 22)]
)
def test_days_are_those_of_the_companys_zone(desk, zone, yesterday):
    desk.shop.files["company"]["zone"] = zone
    desk.shop.write_files()
    desk.shop.load()
    with desk.shop.store.read() as session:
        wish, now = Wish("daily", ("reach",)), desk.shop.clock.now()
        (part,) = plan(session, desk.shop.world.book, lambda name: desk.sources[name], wish, now)
    assert part.since == part.until == date(2026, 11, yesterday)


def test_an_exchange_of_long_ago_that_is_written_down_or_corrected_now_is_counted_again(desk):
    shop = desk.shop

    def recorded(back, kind="apply", voids=None):
        at = shop.clock.now() - back * DAY
        with shop.store.write() as session:
            party = find_or_make(session, "person", "phone", "+821012345678", at)
            told = {"by": "yoon", "system": "desk", "reference": f"{back}{kind}{voids}", "voids": voids}
            return record(session, shop.world.book, party, Exchange(kind=kind), at, **told)

    def counted(kind="daily"):
        return [(back, length) for names, back, length in asked(desk, kind) if names == "requests"]

    assert counted() == [(0, 7)]
    old = recorded(31)
    assert counted() == [(0, 7), (30, 1)]
    _much_happens(shop, 1_000_000)
    assert counted() == [(0, 7)]
    recorded(0, voids=old)
    assert counted() == [(0, 7), (30, 1)]
    _much_happens(shop, 2_000_000)
    recorded(0, "refund")  # a metric may take it off on the sale's day, whenever that was
    assert counted() == [(0, 7), (30, 1)]


def _much_happens(shop, number):
    """What was written down before is long ago by the events, too."""
    facts = {"connection": "x", "key": str(number), "name": "x", "state": "decided", "at": shop.clock.now()}
    with shop.store.write() as session:
        session.execute(t.event.insert().values(id=number, **facts))
