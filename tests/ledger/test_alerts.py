"""What of the numbers is told: a table of cases for each kind, on made-up days."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from flows.engine.books import open_book
from flows.ledger.alerts import told
from flows.ledger.alerts.judge import Change, Facts, Failure, Finding, judge
from flows.ledger.ratios import Pace
from flows.ledger.series import Cell
from flows.playbook.metrics import Metrics
from flows.playbook.model import Book
from tests.conftest import Shop

ZONE = ZoneInfo("Asia/Seoul")
MONDAY = date(2026, 11, 23)
TYPED = {"label": "조회", "on": "apply", "source": {"by": "manager", "due": "09:30"}}
PULLED = {"label": "비용", "on": "apply", "unit": "KRW", "source": {"use": "numbers.readings"}, "settle_days": "3"}


@pytest.fixture
def book(tmp_path) -> Book:
    shop = Shop(tmp_path)
    shop.write_files()
    return open_book(shop.folder)


def day(back: int, today: date = MONDAY) -> date:
    return today - timedelta(days=back)


def facts(book: Book, metric: dict, alert: dict, cells: dict[date, object], at="2026-11-23 10:00", **more) -> Facts:
    """One metric `m` with an alert; a cell is a number, none for missing, or a whole `Cell`."""
    found = Metrics.model_validate({
        "metrics": {"m": metric}, "alerts": {"m": alert} if alert else {}, "targets": more.pop("targets", {}),
    })  # fmt: skip
    now = datetime.fromisoformat(at).replace(tzinfo=ZONE).astimezone(UTC)
    return Facts(replace(book, metrics=found), now, {"m": {on: cell(value) for on, value in cells.items()}}, **more)


def cell(value: object, *, provisional: bool = False) -> Cell:
    if isinstance(value, Cell):
        return value
    if value is None:
        return Cell()
    number = Decimal(str(value))
    return Cell(number, "ok" if number else "zero", provisional=provisional)


def maybe(value: object) -> Cell:
    return cell(value, provisional=True)


def told_of(found: Facts) -> dict[str, tuple[date, ...]]:
    return {one.kind: one.days for one in judge(found)}


@pytest.mark.parametrize(
    ("at", "cells", "days"),
    [
        ("2026-11-24 09:29", {2: 5}, ()),
        ("2026-11-24 09:30", {2: 5}, (1,)),
        ("2026-11-24 09:30", {2: 5, 1: 0}, ()),  # zero is a number
        ("2026-11-24 09:30", {2: 5, 1: Cell(status="not_applicable")}, ()),
        ("2026-11-24 09:30", {5: 5, 4: 5, 3: 5}, (2, 1)),
        ("2026-11-24 09:30", {}, (1,)),  # no number at all: yesterday alone
        ("2026-11-24 09:29", {}, ()),
        ("2026-11-24 09:30", {30: 5}, (7, 6, 5, 4, 3, 2, 1)),  # at most a week
        ("2026-11-22 12:00", {3: 5, 2: 5}, ()),  # a Sunday, closed: Saturday's number is not due
        ("2026-11-23 09:29", {4: 5, 3: 5}, ()),
        ("2026-11-23 09:30", {4: 5}, (3, 2, 1)),  # Friday's, Saturday's and Sunday's are due on Monday
    ],
)
def test_a_typed_number_is_missing_after_its_due_time_on_a_business_day(book, at, cells, days):
    today = date.fromisoformat(at[:10])
    found = facts(book, TYPED, {"missing_by": "09:30"}, {day(back, today): value for back, value in cells.items()}, at)
    assert told_of(found) == ({"missing": tuple(day(back, today) for back in days)} if days else {})


def test_of_a_number_that_never_was_the_newest_due_day_is_missing(book):
    found = facts(book, TYPED, {"missing_by": "09:30"}, {}, "2026-11-24 09:29")
    assert told_of(found) == {}
    found = facts(book, TYPED, {"missing_by": "09:30"}, {}, "2026-11-24 09:30")
    asked = {"m": {day(back, found.today): cell(None) for back in (1, 2, 3)}}
    for cells in ({}, asked, asked | {"n": {day(30): cell(5)}}):  # whatever others have
        assert told_of(replace(found, cells=cells)) == {"missing": (day(1, found.today),)}


def test_a_number_is_missing_from_its_first_reading_on_and_not_before(book):
    cells = {4: None, 3: 5, 2: None}
    found = facts(book, PULLED, {"missing_by": "09:30"}, {day(back): value for back, value in cells.items()})
    assert told_of(found) == {"missing": (day(4), day(2), day(1))}
    assert told_of(replace(found, begins={"m": day(7)})) == {
        "missing": (day(7), day(6), day(5), day(4), day(2), day(1))
    }
    assert told_of(replace(found, begins={"m": found.today})) == {}


def test_a_holiday_is_no_due_day_for_people_and_one_for_services(book):
    cells = {date(2026, 9, 22): 5, date(2026, 9, 23): 5}
    at = "2026-09-25 12:00"  # Chuseok
    assert told_of(facts(book, TYPED, {"missing_by": "09:30"}, cells, at)) == {}
    assert told_of(facts(book, PULLED, {"missing_by": "09:30"}, cells, at)) == {"missing": (date(2026, 9, 24),)}


def test_a_number_is_missing_by_its_sources_due_time_and_by_none_without_one(book):
    assert told_of(facts(book, TYPED, {"zero_for": "9d"}, {})) == {"missing": (day(1),)}
    assert told_of(facts(book, PULLED, {"zero_for": "9d"}, {})) == {}
    assert told_of(facts(book, TYPED, {}, {})) == {}  # nobody asked to be told


WEEKS = {7 * back: 100 + back for back in range(1, 9)}  # 101 to 108 on the same weekday: 104.5, distance 2


@pytest.mark.parametrize(
    ("value", "before", "times", "unusual"),
    [
        (104, WEEKS, 3, False),
        (125, WEEKS, 3, True),  # a twentieth of the median is 5.2: the bounds are 15.7 away
        (120, WEEKS, 3, False),
        (80, WEEKS, 3, True),
        (0, WEEKS, 3, True),
        (None, WEEKS, 3, False),
        (125, {7 * back: 100 + back for back in range(1, 6)}, 3, True),  # five known weeks are enough
        (125, {7 * back: 100 + back for back in range(1, 5)}, 3, False),
        (125, {**WEEKS, 7: None, 14: None, 21: None, 28: None}, 3, False),
        (3, dict.fromkeys(WEEKS, 2), 3, False),  # a constant series does not cry at a change of one
        (5, dict.fromkeys(WEEKS, 2), 3, False),
        (6, dict.fromkeys(WEEKS, 2), 3, True),
        (4, dict.fromkeys(WEEKS, 0), 3, True),
        (3, dict.fromkeys(WEEKS, 0), 3, False),
        # one wild week moves the mean to 113 and its distance to 23, and neither the median nor its own
        (130, {**dict.fromkeys(WEEKS, 100), 7: 200}, 3, True),
        (500, {7: 10, 14: 400, 21: 30, 28: 900, 35: 20, 42: 700, 49: 5, 56: 300}, 3, False),  # a wild one
    ],
)
def test_a_number_is_unusual_against_the_same_weekday_of_eight_weeks(book, value, before, times, unusual):
    today = date(2026, 11, 25)  # a Wednesday
    cells = {day(1, today): value} | {day(1 + back, today): one for back, one in before.items()}
    found = facts(book, TYPED | {"source": {"exchanges": "apply"}}, {"unusual": times}, cells, "2026-11-25 10:00")
    assert told_of(found) == ({"unusual": (day(1, today),)} if unusual else {})


@pytest.mark.parametrize(("value", "unusual"), [(maybe(20), False), (maybe(200), True), (cell(20), True)])
def test_a_number_that_may_still_grow_is_not_called_too_low(book, value, unusual):
    cells = {day(4): value} | {day(4 + back): one for back, one in WEEKS.items()}
    assert ("unusual" in told_of(facts(book, PULLED, {"unusual": 3}, cells))) is unusual


def test_an_unusual_day_stays_news_for_a_week(book):
    cells = {day(7): 200} | {day(7 + back): one for back, one in WEEKS.items()}
    assert told_of(facts(book, PULLED, {"unusual": 3}, cells)) == {"unusual": (day(7),)}
    cells = {day(8): 200} | {day(8 + back): one for back, one in WEEKS.items()}
    assert told_of(facts(book, PULLED, {"unusual": 3}, cells)) == {}


def test_a_day_is_compared_with_days_that_were_open_as_it_is(book):
    holiday = date(2026, 9, 25)  # a Friday
    cells = {holiday: 0} | {holiday - timedelta(days=back): one for back, one in WEEKS.items()}
    assert told_of(facts(book, PULLED, {"unusual": 3}, cells, "2026-09-30 10:00")) == {}
    friday = date(2026, 10, 30)  # seven weeks before it: 11 September to 23 October, one of them closed
    cells = {friday - timedelta(weeks=back): 100 for back in range(1, 9)} | {friday: 130, holiday: 0}
    found = facts(book, PULLED, {"unusual": 3}, cells, "2026-11-03 10:00")
    assert [one.numbers["weeks"] for one in judge(found)] == [6]  # 9 October is closed as well


@pytest.mark.parametrize(
    ("cells", "zeros"),
    [
        ({3: 0, 4: 0, 5: 0}, (5, 4, 3)),  # Wednesday to Friday; the closed days are passed over
        ({1: 0, 2: 0, 3: 0, 4: 0}, ()),  # two of them are closed
        ({1: 0, 2: 0, 3: 0, 4: 0, 5: 0}, (5, 4, 3)),
        ({1: 7, 2: 0, 3: 0, 4: 0, 5: 0}, ()),  # a closed day with a number ends it
        ({3: 0, 4: None, 5: 0, 6: 0}, ()),  # missing is not zero
        ({3: None, 4: 0, 5: 0, 6: 0}, (6, 5, 4)),  # nor is it a number
        ({3: 1, 4: 0, 5: 0, 6: 0}, ()),
    ],
)
def test_a_number_is_stuck_at_zero_for_business_days_in_a_row(book, cells, zeros):
    found = facts(book, PULLED, {"zero_for": "3d"}, {day(back): value for back, value in cells.items()})
    assert told_of(found) == ({"zero": tuple(day(back) for back in zeros)} if zeros else {})


def pace(value, by_now, share="0.5", *, behind=True) -> Pace:
    number = None if value is None else Decimal(value)
    return Pace(number, Decimal(by_now), Decimal(60), Decimal(share), behind, False, 0, day(20), day(1))


@pytest.mark.parametrize(
    ("said", "stands", "behind"),
    [
        (">= 60 a month", pace(20, 30), True),
        (">= 60 a month", pace(28, 30), False),  # within a tenth
        (">= 60 a month", pace(20, 30, behind=False), False),
        (">= 60 a month", pace(0, 6, "0.1"), False),  # the month has only begun
        (">= 60 a month", pace(None, 30, behind=False), False),
        ("<= 60 a month", pace(40, 30), True),
        ("<= 60 a month", pace(32, 30), False),
    ],
)
def test_a_target_is_behind_by_more_than_a_tenth_once_a_fifth_is_over(book, said, stands, behind):
    found = facts(book, PULLED, {"behind": True}, {}, targets={"m": said})
    found = replace(found, paces=((found.book.metrics.targets[0], stands),))
    assert list(told_of(found)) == (["behind"] if behind else [])


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [(100, 121, True), (100, 79, True), (100, 120, False), (100, 100, False), (0, 1, True), (-100, -130, True)],
)
def test_a_number_that_moved_by_more_than_the_share_is_told(book, before, after, told):
    changes = (Change("m", day(3), Decimal(before), Decimal(after), datetime.now(UTC)),)
    found = facts(book, PULLED, {"restated": "20%"}, {}, changes=changes)
    assert told_of(found) == ({"restated": (day(3),)} if told else {})


def test_a_source_fails_when_it_did_on_two_days_and_nobody_is_asked_about_it_already(book):
    bad = Failure("numbers.readings", (day(1), day(0)), "the service cannot be reached")
    assert told_of(facts(book, PULLED, {}, {}, failures=(bad,))) == {"failing": (day(1), day(0))}
    assert told_of(facts(book, PULLED, {}, {}, failures=(replace(bad, days=(day(0),)),))) == {}
    assert told_of(facts(book, PULLED, {}, {}, failures=(replace(bad, told=True),))) == {}


SAID = [
    (Finding("m", "missing", (day(1),)), "비용: 11월 22일(일) 숫자가 없습니다"),
    (
        Finding("m", "unusual", (day(1),), {"value": Decimal(9500), "usual": Decimal("3000.5"), "low": Decimal(2000),
                                            "high": Decimal(4000), "weeks": Decimal(8)}),
        "비용: 11월 22일(일) 9,500원, 평소 3,001원 (2,000원 ~ 4,000원)",
    ),
    (Finding("m", "zero", (day(3), day(2), day(1))), "비용: 11월 20일(금)부터 3일째 0입니다"),
    (
        Finding("m", "restated", (day(3), day(2)), {"before": Decimal(100), "after": Decimal(150)}),
        "비용: 11월 20일(금) 숫자가 100원에서 150원(으)로 바뀌었습니다 (외 1일)",
    ),
    (
        Finding("m", "behind", (), {"value": Decimal(1), "by_now": Decimal("2.5"), "wanted": Decimal(5)}),
        "비용: 1원, 오늘까지 3원, 목표 5원",
    ),
    (
        Finding("a.readings", "failing", (day(1), day(0)), {}, "no answer"),
        "a.readings: 2일째 숫자를 가져오지 못합니다 (no answer)",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("finding", "korean"), SAID)
def test_a_finding_is_a_sentence_with_its_numbers_and_kept_exactly(book, finding, korean):
    whole = facts(book, PULLED, {"zero_for": "3d"}, {}).book
    assert told.sentence(whole, finding) == korean
    english = replace(whole, company=whole.company.model_copy(update={"language": "en"}))
    assert finding.subject in told.sentence(english, finding) or "비용" in told.sentence(english, finding)
    assert told.over(whole, finding) != told.over(english, finding)
    assert told.load(told.dump(finding)) == finding
    assert all(label and value for label, value in told.facts(whole, finding))


@pytest.mark.parametrize(
    ("unit", "value", "said"),
    [("count", "1234", "1,234"), ("count", "2.50", "2.5"), ("minutes", "90", "90분"), ("ratio", "0.8", "80%"),
     ("KRW", "45000.4", "45,000원"), ("USD", "1234.5", "$1,234.50"), ("count", "1000", "1,000")],
)  # fmt: skip
def test_a_number_is_said_with_its_unit(book, unit, value, said):
    assert told.said_value(facts(book, PULLED | {"unit": unit}, {}, {}).book, "m", Decimal(value)) == said
