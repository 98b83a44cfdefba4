"""Search Console: which rows are asked for, their pages, and days that it leaves out."""

import json
from decimal import Decimal

import pytest

from connectors.analytics import Asked
from connectors.analytics.rows import marked
from connectors.errors import Rejected
from connectors.registry import find
from tests.connectors.samples.search_console import ANSWER, QUERY, row


def test_days_without_data_are_left_out_and_rates_are_exact(connect):
    found = connect("search_console").readings(of=["ctr"])
    assert [(str(one["day"]), one["dimensions"]["device"], one["value"]) for one in found] == [
        ("2026-11-16", "MOBILE", Decimal("0.04")),
        ("2026-11-16", "DESKTOP", Decimal(0)),
        ("2026-11-18", "MOBILE", Decimal("0.03103448275862069")),
    ]


@pytest.mark.parametrize(("fresh", "state"), [("no", "FINAL"), ("yes", "ALL")])
def test_only_final_numbers_are_asked_for_unless_fresh_ones_are_wanted(connect, fresh, state):
    made = connect("search_console", fresh=fresh)
    made.readings()
    (asked,) = made.asked("query")
    body = asked.json()
    assert body["dataState"] == state
    assert body["dimensions"] == ["DATE", "DEVICE"]
    (group,) = body["dimensionFilterGroups"]
    assert group["filters"] == [{"dimension": "COUNTRY", "operator": "EQUALS", "expression": "kor"}]


def test_without_names_all_four_numbers_come(connect):
    found = connect("search_console").readings(of=[])
    assert {one["metric"] for one in found} == {"clicks", "impressions", "ctr", "position"}


def test_a_full_page_is_followed_by_the_next(connect):
    made = connect("search_console")
    full = {**ANSWER, "rows": [row("2026-11-16", f"d{at}", 1, 1, 1, 1) for at in range(25_000)]}
    usual = Asked(**{**made.usual, "of": ["clicks"]})
    assert made.source.page(usual, marked({"start": 0}, json.dumps(full).encode())).more == ("25000",)
    last = made.source.page(usual, made.source.answer_of(usual, "25000"))
    assert (len(last.readings), last.more) == (3, ())
    assert made.asked("query")[0].json()["startRow"] == 25_000


def test_a_key_that_is_missing_is_named(connect):
    short = {**ANSWER, "rows": [{**ANSWER["rows"][0], "keys": ["2026-11-16"]}]}
    with pytest.raises(Rejected, match="row 1: a key is missing"):
        connect("search_console", {QUERY: (200, short)}).readings()


@pytest.mark.parametrize(
    ("site", "good"),
    [
        ("sc-domain:a.kr", True),
        ("https://a.kr/", True),
        ("https://a.kr/shop/", True),
        ("a.kr", False),
        ("https://a.kr", False),
    ],
)
def test_the_site_is_written_as_search_console_calls_it(site, good):
    assert (find("search_console").check_settings({"site": site}) == []) is good
