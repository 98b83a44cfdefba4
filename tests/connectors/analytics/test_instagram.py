"""Instagram: what is asked by day and what as a series, whose day a number is, and Meta's codes of errors."""

from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.errors import NotConnected, Rejected, Unavailable
from tests.connectors.samples.instagram import INSIGHTS, refused, series, total


def query(asked):
    return {name: one for name, (one,) in parse_qs(urlsplit(asked.path).query, keep_blank_values=True).items()}


def test_totals_are_asked_for_day_by_day(connect):
    answers = [(200, {"data": [total("views", at)]}) for at in (3, 4, 5)]
    made = connect("instagram", {INSIGHTS: answers})
    found = made.readings(since="2026-11-18", of=["views"])
    assert [(str(one["day"]), one["value"]) for one in found] == [
        ("2026-11-18", Decimal(3)), ("2026-11-19", Decimal(4)), ("2026-11-20", Decimal(5)),
    ]  # fmt: skip
    first = query(made.asked()[0])
    assert (first["metric"], first["metric_type"], first["period"]) == ("views", "total_value", "day")
    assert int(first["until"]) - int(first["since"]) == 86_400


def test_the_token_travels_in_a_header_and_never_in_an_address(connect):
    made = connect("instagram")
    made.readings()
    (asked,) = made.asked()
    assert asked.headers["authorization"].startswith("Bearer EAAG")
    assert "EAAG" not in asked.path


@pytest.mark.parametrize(
    "ends",
    [
        ["2026-11-20T08:00:00+0000", "2026-11-21T08:00:00+0000"],  # midnight in California
        ["2026-11-20T07:00:00+0000", "2026-11-21T07:00:00+0000"],  # in summer
        ["2026-11-19T15:00:00+0000", "2026-11-20T15:00:00+0000"],  # in Seoul
        ["2026-11-20T00:00:00+0000", "2026-11-21T00:00:00+0000"],  # UTC
    ],
)
def test_a_number_of_a_series_is_of_the_day_that_ended_then(connect, ends):
    answer = {"data": [series("reach", *zip(ends, (210, 190), strict=True))]}
    found = connect("instagram", {INSIGHTS: (200, answer)}).readings(since="2026-11-19", of=["reach"])
    assert [(str(one["day"]), one["value"]) for one in found] == [("2026-11-19", 210), ("2026-11-20", 190)]


def test_days_beside_those_asked_for_are_left_out(connect):
    answer = {"data": [series("follower_count", ("2026-11-20T08:00:00+0000", 3), ("2026-11-21T08:00:00+0000", 4))]}
    (one,) = connect("instagram", {INSIGHTS: (200, answer)}).readings(of=["follower_count"])
    assert (str(one["day"]), one["value"]) == ("2026-11-20", 4)


def test_series_and_totals_are_calls_of_their_own(connect):
    answers = [(200, {"data": []}), (200, {"data": []}), (200, {"data": [total("likes", 2)]})]
    made = connect("instagram", {INSIGHTS: answers})
    (one,) = made.readings(of=["likes", "reach", "follower_count"])
    assert (one["metric"], one["value"]) == ("likes", 2)
    assert [query(asked)["metric"] for asked in made.asked()] == ["reach", "follower_count", "likes"]


def test_what_instagram_leaves_out_is_unknown(connect):
    answer = {"data": [total("views", 9), {**total("likes", 0), "total_value": {}}]}
    found = connect("instagram", {INSIGHTS: (200, answer)}).readings()
    assert [one["metric"] for one in found] == ["views"]


def test_what_was_not_asked_for_is_not_taken(connect):
    with pytest.raises(Rejected, match="metric 1: it was not asked for"):
        connect("instagram", {INSIGHTS: (200, {"data": [total("saves", 9)]})}).readings()


@pytest.mark.parametrize("status", [400, 403, 200])
@pytest.mark.parametrize(
    ("code", "error"), [(190, NotConnected), (10, NotConnected), (4, Unavailable), (17, Unavailable), (100, Rejected)]
)
def test_a_code_of_meta_says_what_to_do_next(connect, status, code, error):
    made = connect("instagram", {INSIGHTS: refused(code, status)})
    with pytest.raises(error) as caught:
        made.readings()
    assert "010-1234" not in str(caught.value)
