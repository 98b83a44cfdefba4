"""A metric's days as people see them: what is made of revisions, of parts, and of days without a number."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from flows.ledger.readings import Value, correct, keep, key_of, release
from flows.ledger.series import NO_NUMBER, NO_SUM, Cell, Total, days, history, series, total
from flows.playbook.metrics import Metric

DAY = date(2026, 11, 20)


def metric(split=(), **more):
    source = {"use": "numbers.readings"} | ({"split": list(split)} if split else {})
    return {"label": "조회", "on": "apply", "settle_days": 1, "source": source, **more}


@pytest.fixture
def ledger(shop):
    shop.files["metrics"] = {"metrics": {"views": metric()}}
    return shop.open([shop.person("call")])


def asks(ledger, **more):
    """The metric is defined anew."""
    ledger.files["metrics"] = {"metrics": {"views": metric(**more)}}
    ledger.write_files()
    ledger.load()


def word(number, day=DAY, ad="", **more):
    value = None if number in {None, "n/a"} else Decimal(number)
    parts = {"ad": ad} if ad else {}
    return Value("views", day, value, "x", dimensions=parts, applies=number != "n/a", **more)


def keeps(ledger, *values):
    ledger.later(minutes=1)
    with ledger.store.write() as session:
        keep(session, ledger.world.book, values, ledger.clock.now())


def says(ledger, value):
    ledger.later(minutes=1)
    with ledger.store.write() as session:
        correct(session, ledger.world.book, value, ledger.clock.now(), "by hand")


def lets_go(ledger, value):
    ledger.later(minutes=1)
    with ledger.store.write() as session:
        book = ledger.world.book
        release(session, book, key_of(book, value), "han", ledger.clock.now(), "theirs")


def cells(ledger, as_of=None):
    with ledger.store.read() as session:
        first = DAY - timedelta(days=9)
        return series(session, ledger.world.book, ["views"], first, DAY + timedelta(days=9), ledger.clock.now(), as_of)[
            "views"
        ]


def cell(ledger):
    return cells(ledger).get(DAY, Cell())


@pytest.mark.parametrize(
    ("parts", "value", "status"),
    [
        ({"a": "1", "b": "2.5"}, Decimal("3.5"), "ok"),
        ({"a": "0", "b": "0"}, 0, "zero"),
        ({"a": "5", "b": "-5"}, 0, "zero"),
        ({"a": "1", "b": None}, None, "missing"),  # a sum without a part would be a smaller number than the truth
        ({"a": "1", "b": "n/a"}, 1, "ok"),
        ({"a": "n/a", "b": "n/a"}, None, "not_applicable"),
        ({"a": "n/a", "b": None}, None, "missing"),
        ({}, None, "missing"),
    ],
)
def test_a_days_number_is_the_sum_of_its_parts_and_missing_where_one_is(ledger, parts, value, status):
    asks(ledger, split=["ad"])
    keeps(ledger, *(word(number, ad=ad) for ad, number in parts.items()))
    assert (cell(ledger).value, cell(ledger).status, cell(ledger).known) == (value, status, value is not None)


def test_a_whole_and_its_parts_are_never_added_up(ledger):
    keeps(ledger, word("10"))
    asks(ledger, split=["ad"])
    assert cell(ledger).value == 10  # a day of before stays as it was asked
    keeps(ledger, word("4", ad="a"), word("7", ad="b"))
    assert cell(ledger).value == 11
    asks(ledger)
    keeps(ledger, word("12"))
    assert cell(ledger).value == 12


def test_an_account_that_is_told_later_is_not_added_to_the_whole(ledger):
    keeps(ledger, word("10"))
    keeps(ledger, word("11", account="1"))
    assert cell(ledger).value == 11
    keeps(ledger, word("5", account="2"))
    assert cell(ledger).value == 16


def test_a_mark_of_a_missing_day_hides_no_part_that_came_later(ledger):
    asks(ledger, split=["ad"])
    keeps(ledger, word(None))
    assert cell(ledger).status == "missing"
    keeps(ledger, word("4", ad="a"))
    assert cell(ledger).value == 4
    keeps(ledger, word("1", DAY - timedelta(days=1), ad="a"), word(None, DAY - timedelta(days=1)))
    assert cells(ledger)[DAY - timedelta(days=1)].value == 1


def test_a_correction_of_the_whole_stands_above_its_parts(ledger):
    asks(ledger, split=["ad"])
    keeps(ledger, word("4", ad="a"), word("7", ad="b"))
    says(ledger, word("20", by="yoon"))
    assert (cell(ledger).value, cell(ledger).pinned, cell(ledger).conflict) == (20, True, False)
    keeps(ledger, word("5", ad="a"))
    assert (cell(ledger).value, cell(ledger).conflict) == (20, True)
    lets_go(ledger, word(None))
    assert (cell(ledger).value, cell(ledger).pinned, cell(ledger).conflict) == (12, False, False)


def test_a_correction_of_a_part_is_of_that_part(ledger):
    asks(ledger, split=["ad"])
    keeps(ledger, word("4", ad="a"), word("7", ad="b"))
    says(ledger, word("5", ad="a"))
    assert (cell(ledger).value, cell(ledger).pinned) == (12, True)
    keeps(ledger, word("6", ad="a"))
    assert (cell(ledger).value, cell(ledger).conflict) == (12, True)


def test_a_number_that_was_another_before_is_restated_and_one_typed_late_is_not(ledger):
    keeps(ledger, word(None), word("1", DAY - timedelta(days=1)), word(None, DAY - timedelta(days=2)))
    keeps(ledger, word("5"), word("2", DAY - timedelta(days=1)))
    says(ledger, word("3", DAY - timedelta(days=2)))
    assert [cells(ledger)[DAY - timedelta(days=back)].restated for back in (0, 1, 2)] == [False, True, False]


def test_a_day_is_provisional_until_its_source_has_settled_also_as_it_was_known_then(ledger):
    ledger.clock.set(ledger.moment("2026-11-23 10:00"))
    keeps(ledger, word("5", date(2026, 11, 22)), word("5", date(2026, 11, 21)))
    then = ledger.clock.now()
    assert [one.provisional for _, one in sorted(cells(ledger).items())] == [False, True]
    ledger.later(days=1)
    assert [one.provisional for _, one in sorted(cells(ledger).items())] == [False, False]
    assert [one.provisional for _, one in sorted(cells(ledger, then).items())] == [False, True]


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Asia/Seoul"])
def test_a_day_settles_at_the_companys_midnight_also_when_clocks_change(ledger, zone):
    ledger.files["company"] = ledger.files["company"] | {"zone": zone}
    asks(ledger)
    ledger.clock.set(ledger.moment("2027-03-01 10:00"))
    with ledger.store.write() as session:
        for day in days(date(2027, 3, 10), date(2027, 4, 2)):
            keep(session, ledger.world.book, [word("1", day)], ledger.clock.now())
    for day in days(date(2027, 3, 12), date(2027, 4, 1)):
        midnight = (day + timedelta(days=2)).strftime("%Y-%m-%d 00:00")
        at = ledger.moment(midnight).replace(tzinfo=ledger.world.book.company.zone)
        with ledger.store.read() as session:
            asked = (session, ledger.world.book, ["views"], day, day)
            assert series(*asked, at - timedelta(seconds=1))["views"][day].provisional
            assert not series(*asked, at)["views"][day].provisional


def test_all_revisions_of_a_day_are_told_by_what_they_are_about(ledger):
    keeps(ledger, word("1", ad="a"), word("2", ad="b"))
    keeps(ledger, word("3", ad="a"))
    with ledger.store.read() as session:
        found = history(session, "views", DAY)
    assert [[row["value"] for row in one] for one in found.values()] == [[1, 3], [2]]


A, B, C = (Cell(Decimal(number), "ok") for number in (3, 4, 5))


@pytest.mark.parametrize(
    ("sum_", "found", "said"),
    [
        ("sum", [A, B, C], Total(Decimal(12), False, 0)),
        ("sum", [A, None, C], Total(Decimal(8), False, 1)),
        ("sum", [A, Cell(status="not_applicable"), C], Total(Decimal(8), False, 0)),
        ("sum", [A, Cell(provisional=True)], Total(Decimal(3), True, 1)),
        ("last", [A, B, None], Total(Decimal(4), False, 1)),
        ("none", [A, B], Total(None, False, 0, NO_SUM)),
        ("none", [A], Total(Decimal(3), False, 0)),
        ("sum", [None, None], Total(None, False, 2, NO_NUMBER)),
        ("sum", [], Total(None, False, 0, NO_NUMBER)),
    ],
)
def test_a_period_is_the_sum_of_its_days_or_its_last_one_and_says_what_it_lacks(sum_, found, said):
    numbers = {DAY + timedelta(days=ahead): one for ahead, one in enumerate(found) if one}
    asked = [DAY + timedelta(days=ahead) for ahead in range(len(found))]
    assert total(Metric.model_validate(metric(sum=sum_)), numbers, asked) == said
