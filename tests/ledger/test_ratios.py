"""Ratios are ratios of sums, read when asked for; targets are paced by the days on which the company is open."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from flows.ledger.exchanges import Exchange, record
from flows.ledger.parties import find_or_make
from flows.ledger.ratios import NO_DAY, NOBODY, NOTHING, pace, ratio
from flows.ledger.readings import Value, keep
from flows.ledger.series import NO_NUMBER, NO_SUM

FIRST, LAST = date(2026, 11, 2), date(2026, 11, 8)  # a Monday; the company is open from Monday to Friday


def metric(sum_="sum", **more):
    return {"label": "수", "on": "apply", "sum": sum_, "settle_days": 1, "source": {"by": "manager"}, **more}


METRICS = {
    "cost": metric(), "clicks": metric(), "members": metric("last"), "place": metric("none"),
    "asked": metric(source={"exchanges": "apply"}), "came": metric(source={"exchanges": "visit_trial"}),
    "bought": metric(source={"exchanges": "purchase_card", "count": "amount"}),
    "again": metric(source={"exchanges": "purchase_card", "sale": "repeat"}),
}  # fmt: skip
RATIOS = {
    "click": {"of": "cost", "by": "clicks"}, "each": {"of": "cost", "by": "members"},
    "show": {"of": "came", "by": "asked", "cohort": "7d"}, "join": {"of": "bought", "by": "asked", "cohort": "7d"},
    "return": {"of": "again", "by": "bought", "cohort": "30d"},
}  # fmt: skip


class Books:
    """Keeps readings by the day of November, records exchanges, reads ratios."""

    def __init__(self, shop):
        self.shop, self.book, self.number = shop, shop.world.book, 0

    def keeps(self, **series):
        """Numbers of a metric from the first day on; None is missing, "-" does not apply."""
        for name, numbers in series.items():
            values = [
                Value(name, FIRST + timedelta(days=ahead), None if said in {None, "-"} else Decimal(said), "x",
                      applies=said != "-")
                for ahead, said in enumerate(numbers)
            ]  # fmt: skip
            with self.shop.store.write() as session:
                keep(session, self.book, values, self.shop.clock.now())

    def does(self, who, kind, at, amount=None):
        self.number += 1
        with self.shop.store.write() as session:
            about = find_or_make(session, "person", "email", f"{who}@x.example", self.shop.clock.now())
            number = None if amount is None else Decimal(amount)
            told = {"by": "x", "system": "s", "reference": str(self.number)}
            record(session, self.book, about, Exchange(kind=kind, amount=number), self.shop.moment(at), **told)

    def ratio(self, name, first=FIRST, last=LAST, **more):
        with self.shop.store.read() as session:
            return ratio(session, self.book, name, first, last, self.shop.clock.now(), **more)

    def pace(self, at, metric, value, **more):
        from flows.playbook.metrics import Target

        with self.shop.store.read() as session:
            target = Target(metric=metric, value=Decimal(value), **more)
            return pace(session, self.book, target, self.shop.moment(at))


@pytest.fixture
def books(shop):
    shop.files["metrics"] = {"metrics": METRICS, "ratios": RATIOS}
    return Books(shop.open([shop.person("call")], at="2026-11-23 10:00"))


@pytest.mark.parametrize(
    ("cost", "clicks", "said"),
    [
        ([10, 90], [1, 4], (20, 0, None)),  # the ratio of sums, not the mean of 10 and 22.5
        ([10, 90, 50], [1, 4, None], (20, 1, None)),  # what lacks one number counts on neither side
        ([10, None, 90], [1, 7, 4], (20, 1, None)),
        ([10, "-", 90], [1, 7, 4], (20, 0, None)),
        ([0, 0], [3, 4], (0, 0, None)),
        ([5, 5], [0, 0], (None, 0, NOTHING)),
        ([5, None], [None, 5], (None, 2, NO_DAY)),
        ([1], [3], (Decimal(1) / 3, 0, None)),
    ],
)
def test_a_ratio_is_one_sum_by_another_and_none_with_a_reason_where_there_is_nothing_to_divide_by(
    books, cost, clicks, said
):
    books.keeps(cost=cost, clicks=clicks)
    found = books.ratio("click", last=FIRST + timedelta(days=len(cost) - 1))
    assert (found.value, found.missing, found.reason) == said


def test_a_level_is_divided_by_as_it_stood_last(books):
    books.keeps(cost=[10, 20, 30], members=[5, None, 6])
    assert books.ratio("each", last=date(2026, 11, 4)).value == 10
    assert books.pace("2026-11-04 06:30", "place", "3").reason == NO_SUM
    assert books.ratio("each", date(2026, 10, 1), date(2026, 10, 2)).reason == NO_NUMBER


def test_a_ratio_is_provisional_while_one_of_its_days_is(books):
    books.keeps(cost=[None] * 19 + [1, 1, 1], clicks=[None] * 19 + [1, 1, 1])
    assert not books.ratio("click", date(2026, 11, 21), date(2026, 11, 21)).provisional
    assert books.ratio("click", date(2026, 11, 21), date(2026, 11, 22)).provisional


def test_a_ratio_as_of_then_knows_what_was_known_then(books):
    books.keeps(cost=[10], clicks=[5])
    before = books.shop.clock.now()
    books.shop.later(days=1)
    books.keeps(cost=[20])
    assert books.ratio("click", last=FIRST).value == 4
    assert books.ratio("click", last=FIRST, as_of=before).value == 2


def test_a_cohort_is_the_share_of_those_who_began_that_followed_in_time(books):
    books.does("in time", "apply", "2026-11-02 10:00"), books.does("in time", "visit_trial", "2026-11-09 10:00")
    books.does("late", "apply", "2026-11-02 10:00"), books.does("late", "visit_trial", "2026-11-09 10:01")
    books.does("before", "visit_trial", "2026-11-01 10:00"), books.does("before", "apply", "2026-11-03 10:00")
    books.does("twice", "apply", "2026-11-02 10:00"), books.does("twice", "apply", "2026-11-08 23:59")
    books.does("twice", "visit_trial", "2026-11-15 23:59")
    books.does("other week", "apply", "2026-11-09 00:00"), books.does("other week", "visit_trial", "2026-11-09 10:00")
    found = books.ratio("show")
    assert (found.value, found.provisional, found.reason) == (Decimal("0.5"), False, None)
    assert books.ratio("show", date(2026, 10, 1), date(2026, 10, 2)).reason == NOBODY


def test_a_cohort_is_provisional_until_its_last_day_is_old_enough(books):
    books.does("a", "apply", "2026-11-16 10:00")
    books.shop.clock.set(books.shop.moment("2026-11-23 23:59"))
    assert books.ratio("show", last=date(2026, 11, 16)).provisional
    books.shop.clock.set(books.shop.moment("2026-11-24 00:00"))
    assert not books.ratio("show", last=date(2026, 11, 16)).provisional


def test_what_was_given_back_followed_from_nothing(books):
    for who in ("keeps", "returns"):
        books.does(who, "apply", "2026-11-02 10:00"), books.does(who, "purchase_card", "2026-11-03 10:00", 100)
    books.does("returns", "refund", "2026-11-20 10:00", 100)
    assert books.ratio("join").value == Decimal("0.5")


def test_a_sale_does_not_follow_itself(books):
    for day in (2, 3):
        books.does("regular", "purchase_card", f"2026-11-0{day} 10:00", 1)
    books.does("new", "purchase_card", "2026-11-04 10:00", 1)
    assert books.ratio("return").value == Decimal("0.5")
    assert books.ratio("return", date(2026, 11, 3), date(2026, 11, 3)).value == 0


NOVEMBER = [2] * 22  # from the 2nd to the 23rd; 21 business days in the month, 16 of them over on the 24th


@pytest.mark.parametrize(
    ("numbers", "target", "said"),
    [
        (NOVEMBER, "63", (44, 48, True)),
        (NOVEMBER, "57.75", (44, 44, False)),
        ([2] * 10 + [None] * 12, "57.75", (20, 22, True)),  # 8 business days with a number: what is missing is not zero
        ([4] * 10 + [None] * 12, "57.75", (40, 22, False)),
        ([None] * 22, "57.75", (None, 0, False)),
    ],
)
def test_a_months_target_is_paced_by_business_days_that_have_a_number(books, numbers, target, said):
    books.keeps(cost=numbers)
    found = books.pace("2026-11-24 06:30", "cost", target)
    assert (found.value, found.wanted_by_now, found.behind) == said
    assert found.share_of_business_days == Decimal(16) / 21
    assert found.provisional
    limit = books.pace("2026-11-24 06:30", "cost", target, direction="at_most")
    assert limit.behind == (said[0] is not None and said[0] > said[1])


def test_nothing_is_behind_before_a_fifth_of_the_months_business_days_has_a_number(books):
    at = "2026-11-24 06:30"
    books.keeps(cost=[None] * 15 + [1, 1, 1, 1])  # begun in the middle of the month: the 17th is the first
    found = books.pace(at, "cost", "210")
    assert (found.value, found.wanted_by_now, found.behind) == (4, 40, False)
    assert not books.pace(at, "cost", "6", direction="at_most").behind
    assert books.pace(at, "cost", "3", direction="at_most").behind  # over the whole limit already
    books.keeps(cost=[None] * 14 + [1, 1, 1, 1, 1])
    assert books.pace(at, "cost", "210").behind


def test_holidays_are_no_days_of_a_pace(shop):
    shop.files["company"]["holidays"] = ["2026-11-03", "2026-11-30"]
    shop.files["metrics"] = {"metrics": METRICS}
    books = Books(shop.open([shop.person("call")]))
    books.keeps(cost=[1, 1, 1])
    found = books.pace("2026-11-05 06:30", "cost", "19")
    assert (found.wanted_by_now, found.share_of_business_days) == (2, Decimal(2) / 19)


def test_the_first_of_a_month_looks_back_at_the_whole_one_before(books):
    books.keeps(cost=[3] * 29)
    found = books.pace("2026-12-01 06:30", "cost", "90")
    assert (found.first, found.last) == (date(2026, 11, 1), date(2026, 11, 30))
    assert (found.value, found.wanted_by_now, found.share_of_business_days) == (87, 90, 1)


@pytest.mark.parametrize(
    ("at", "direction", "behind", "by_now"),
    [
        ("2026-11-07 06:30", "at_least", True, 3), ("2026-11-07 06:30", "at_most", False, 3),
        ("2026-11-09 06:30", "at_least", False, 0),  # of a Sunday
        ("2026-11-09 06:30", "at_most", True, 3),
    ],
)  # fmt: skip
def test_a_days_target_is_yesterdays_and_asks_nothing_of_a_closed_day(books, at, direction, behind, by_now):
    books.keeps(cost=[2, 2, 2, 2, 2, 2, 5])
    if direction == "at_least" and by_now == 0:
        books.keeps(cost=[2, 2, 2, 2, 2, 2, 1])
    found = books.pace(at, "cost", "3", direction=direction, per="day")
    assert (found.behind, found.wanted_by_now) == (behind, by_now)


def test_levels_and_ratios_are_compared_and_not_paced(books):
    books.keeps(members=[90, 95], cost=[10, 10], clicks=[1, 4], place=[7, 9])
    at = "2026-11-04 06:30"
    assert (books.pace(at, "members", "100").value, books.pace(at, "members", "100").behind) == (95, True)
    assert (books.pace(at, "click", "4", direction="at_most").value, books.pace(at, "click", "4").behind) == (4, False)
    assert books.pace(at, "place", "8", per="day").behind is False
    empty = books.pace("2026-11-02 06:30", "click", "4")
    assert (empty.value, empty.behind, empty.reason) == (None, False, NO_DAY)


def test_a_cohorts_target_is_held_to_those_who_had_their_time(books):
    books.does("a", "apply", "2026-11-02 10:00"), books.does("a", "visit_trial", "2026-11-03 10:00")
    books.does("b", "apply", "2026-11-20 10:00")
    found = books.pace("2026-11-23 06:30", "show", "0.8")
    assert (found.first, found.last) == (date(2026, 10, 19), date(2026, 11, 15))
    assert (found.value, found.behind, found.provisional) == (1, False, False)
