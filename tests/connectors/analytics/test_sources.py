"""What every source of numbers promises when its service answers wrongly: named, bounded, and nothing is taken."""

import copy
import json
from decimal import Decimal

import pytest

from connectors.analytics import Asked
from connectors.errors import Rejected
from tests.connectors.samples import ga4, instagram, naver_searchad, search_console, web_json

PAGE = "<html><body>customer 010-1234-5678: please log in</body></html>"
ODD = {"ok": "yes", "data": ["customer 010-1234-5678"]}
SERVICES = {
    "ga4": ga4.REPORT,
    "search_console": search_console.QUERY,
    "naver_searchad": naver_searchad.STATS,
    "instagram": instagram.INSIGHTS,
    "web_json": web_json.DAILY,
}
GOOD = {
    "ga4": ga4.report(ga4.ROWS),
    "search_console": search_console.ANSWER,
    "naver_searchad": {"data": naver_searchad.DATA},
    "instagram": instagram.GOOD[instagram.INSIGHTS][1],
    "web_json": web_json.answer(*web_json.ROWS),
}
# Where the first row's number stands in the good answer, and where its day does.
NUMBER = {
    "ga4": ("rows", 0, "metricValues", 0, "value"),
    "search_console": ("rows", 0, "clicks"),
    "naver_searchad": ("data", 0, "clkCnt"),
    "instagram": ("data", 0, "total_value", "value"),
    "web_json": ("data", "items", 0, "count", "visits"),
}
DAY = {
    "ga4": ("rows", 0, "dimensionValues", 0, "value"),
    "search_console": ("rows", 0, "keys", 0),
    "web_json": ("data", "items", 0, "date"),
}
LIST = {
    "ga4": ("rows",), "search_console": ("rows",), "naver_searchad": ("data",), "instagram": ("data",),
    "web_json": ("data", "items"),
}  # fmt: skip


def changed(service, place, value):
    """The good answer with something else at a place; `...`: without it."""
    made = copy.deepcopy(GOOD[service])
    *before, last = place
    inner = made
    for name in before:
        inner = inner[name]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return made


def again(service):
    """The good answer with its first row twice."""
    inner = GOOD[service]
    for name in LIST[service]:
        inner = inner[name]
    return changed(service, LIST[service], [*inner, inner[0]])


def raw(service, text):
    """The good answer as text with its number written as `text`."""
    return json.dumps(changed(service, NUMBER[service], "@")).replace('"@"', text)


def wrong():
    """(service, what is wrong, the answer, what is said of it)."""
    for one in SERVICES:
        yield one, "a page", PAGE, "a web page instead of data"
        yield one, "nothing", "", "no JSON"
        yield one, "10 MB", '"' + "a" * 11_000_000 + '"', "too long"
        yield one, "another shape", ODD, r"shape|question|no data\.items"
        yield one, "a list", [1, 2], r"shape|no data\.items"
        yield (
            one,
            "a number that is a word",
            changed(one, NUMBER[one], "많음"),
            r"is no number|shape, at .*\.(clicks|value)",
        )
        yield one, "NaN", raw(one, "NaN"), "no JSON"
        yield one, "Infinity", raw(one, "-Infinity"), "no JSON"
        yield one, "a number of 400 digits", raw(one, "1e400"), "is no number|shape, at rows.0.metricValues.0.value"
        yield one, "the same row twice", again(one), "twice|brings 4 rows and not"
    for one in ("search_console", "naver_searchad", "web_json"):
        yield one, "a column is missing", changed(one, NUMBER[one], ...), "is missing|shape, at rows.0.clicks"
    yield "ga4", "a column is missing", changed("ga4", ("rows", 0, "metricValues"), []), "row 1: a column is missing"
    yield (
        "instagram",
        "a column is missing",
        changed("instagram", ("data", 0, "total_value"), ...),
        "total_value is missing",
    )
    for one, day in DAY.items():
        yield one, "no day", changed(one, day, "yesterday"), "row 1: .*is no d"
    for one, told in (("ga4", "20260101"), ("search_console", "2026-01-01")):
        yield one, "a day not asked for", changed(one, DAY[one], told), "row 1: the day was not asked for"


@pytest.mark.parametrize(
    ("service", "answer", "said"), [pytest.param(a, c, d, id=f"{a}: {b}") for a, b, c, d in wrong()]
)
def test_a_wrong_answer_is_named_and_nothing_of_it_is_taken(connect, service, answer, said):
    made = connect(service, {SERVICES[service]: (200, answer)})
    with pytest.raises(Rejected, match=said) as caught:
        made.readings()
    assert "010-1234" not in str(caught.value)
    assert "unexpectedly" not in str(caught.value)
    assert caught.value.connection == service


@pytest.mark.parametrize("service", SERVICES)
def test_an_answer_that_was_kept_is_read_again_without_asking_anybody(connect, service):
    made = connect(service)
    usual = Asked(**made.usual)
    first = made.source.answer_of(usual, None)
    pages = [first, *(made.source.answer_of(usual, one) for one in made.source.page(usual, first).more)]
    before = len(made.script.asked)
    found = [one for page in pages for one in made.source.page(usual, page).readings]
    assert len(made.script.asked) == before
    assert [one.model_dump() for one in found] == made.readings()
    assert all(isinstance(one.value, Decimal) for one in found)


@pytest.mark.parametrize("service", SERVICES)
def test_a_day_without_a_number_is_unknown_and_not_zero(connect, service):
    empty = changed(service, LIST[service], [])
    if service == "ga4":
        empty = ga4.report([])
    if service == "web_json":
        empty = web_json.answer()
    assert connect(service, {SERVICES[service]: (200, empty)}).readings() == []


@pytest.mark.parametrize(
    ("service", "asked", "said"),
    [
        ("search_console", {"of": ["click"]}, r"click: no such number of Search Console; did you mean clicks\?"),
        ("search_console", {"split": ["devices"]}, r"did you mean device\?"),
        ("naver_searchad", {"of": ["impcnt"]}, r"did you mean impCnt\?"),
        (
            "naver_searchad",
            {"where": {"campaign": "x"}},
            "did you mean nccCampaignId|did you mean campaignTp|there are",
        ),
        ("instagram", {"of": ["view"]}, r"did you mean views\?"),
        ("instagram", {"split": ["age"]}, "Instagram's numbers are not split"),
        ("web_json", {"of": ["visit"]}, r"did you mean visits\?"),
        ("web_json", {"split": ["shop"]}, "there are: branch"),
        ("ga4", {"of": []}, "wants the names of metrics"),
    ],
)
def test_a_name_that_the_service_does_not_have_is_answered_with_the_nearest(connect, service, asked, said):
    made = connect(service)
    with pytest.raises(Rejected, match=said):
        made.readings(**asked)
    assert made.asked() == []
