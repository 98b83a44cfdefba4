"""Google Analytics: which report is asked for, its pages, and what Google says of names that it does not know."""

from datetime import date
from decimal import Decimal

import pytest

from connectors.errors import Rejected
from connectors.registry import find
from tests.connectors.samples.ga4 import REPORT, ROWS, SPLIT, report, row


def test_numbers_are_exact_and_keep_what_they_are_split_by(connect):
    found = connect("ga4").readings()
    assert [(str(one["day"]), one["metric"], one["value"], one["dimensions"][SPLIT]) for one in found][-2:] == [
        ("2026-11-21", "sessions", Decimal(38), "Organic Search"),
        ("2026-11-21", "purchaseRevenue", Decimal("165000.5"), "Organic Search"),
    ]


def test_the_report_is_of_the_days_asked_and_filtered_by_google(connect):
    made = connect("ga4")
    made.readings()
    (asked,) = made.asked("runReport")
    body = asked.json()
    assert body["dateRanges"] == [{"startDate": "2026-11-20", "endDate": "2026-11-21"}]
    assert [one["name"] for one in body["dimensions"]] == ["date", SPLIT]
    (only,) = body["dimensionFilter"]["andGroup"]["expressions"]
    assert (only["filter"]["fieldName"], only["filter"]["stringFilter"]["value"]) == ("country", "South Korea")
    assert body["keepEmptyRows"] is False


def test_all_further_pages_are_known_from_the_first_and_none_from_the_others(connect):
    rows = [row("20261120", f"channel {number}", "1", "0") for number in range(20_001)]
    pages = [report(rows[begin : begin + 10_000], 20_001) for begin in (0, 10_000, 20_000)]
    made = connect("ga4", {REPORT: [(200, one) for one in pages]})
    assert len(made.readings()) == 2 * 20_001
    assert [one.json()["offset"] for one in made.asked("runReport")] == ["0", "10000", "20000"]


@pytest.mark.parametrize(("rows", "count", "said"), [(ROWS, 4, "3 rows and not 4"), (ROWS, 2, "3 rows and not 2")])
def test_a_page_that_lacks_rows_is_not_taken_for_the_whole(connect, rows, count, said):
    with pytest.raises(Rejected, match=said):
        connect("ga4", {REPORT: (200, report(rows, count))}).readings()


def test_a_report_without_end_is_refused(connect):
    with pytest.raises(Rejected, match="more rows than can be listed"):
        connect("ga4", {REPORT: (200, report(ROWS, 5_000_001))}).readings()


def test_two_pages_with_the_same_row_are_not_added_up(connect):
    rows = [row("20261120", f"channel {number}", "1", "0") for number in range(10_000)]
    made = connect("ga4", {REPORT: [(200, report(rows, 10_001)), (200, report(rows[:1], 10_001))]})
    with pytest.raises(Rejected, match="two pages bring the same day and metric"):
        made.readings()


@pytest.mark.parametrize("asked", [{"of": ["purchaseRevenue", "sessions"]}, {"split": ["country"]}])
def test_an_answer_to_another_question_is_not_taken(connect, asked):
    with pytest.raises(Rejected, match="answered another question"):
        connect("ga4").readings(**asked)


def test_a_name_that_google_does_not_know_is_answered_with_the_nearest(connect):
    refused = {"error": {"code": 400, "message": "Did you mean 010?", "status": "INVALID_ARGUMENT"}}
    made = connect("ga4", {REPORT: (400, refused)})
    with pytest.raises(Rejected, match=r"screenViews: did you mean screenPageViews\?"):
        made.readings(of=["sessions", "screenViews"])


@pytest.mark.parametrize("property", ["345678901", "properties/345678901"])
def test_the_property_may_be_written_as_google_does(property):
    assert find("ga4").check_settings({"property": property}) == []


def test_a_measurement_id_is_no_property():
    (said,) = find("ga4").check_settings({"property": "G-AB12CD34"})
    assert said.startswith("property: ")


def test_a_day_is_the_propertys_own(connect):
    odd = connect("ga4", {REPORT: (200, report([row("20261121", "Direct", "1", "0")]))})
    assert odd.readings()[0]["day"] == date(2026, 11, 21)
