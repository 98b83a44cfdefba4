"""Any JSON service: what is asked as it is declared, how pages are turned, and declarations that cannot work."""

import json
import re
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.errors import Rejected
from connectors.registry import find
from tests.connectors.samples.web_json import DAILY, ROWS, SETTINGS, answer, row


def query(asked):
    return {name: one for name, (one,) in parse_qs(urlsplit(asked.path).query, keep_blank_values=True).items()}


def days(found):
    return [str(one["day"]) for one in found]


def test_numbers_are_exact_and_null_is_unknown(connect):
    found = connect("web_json").readings()
    assert [(one["metric"], one["dimensions"]["branch"], one["value"]) for one in found] == [
        ("visits", "성수", Decimal(41)), ("sales", "성수", Decimal(330000)), ("visits", "합정", Decimal(0)),
        ("sales", "합정", Decimal("12000.50")), ("visits", "성수", Decimal(38)),
    ]  # fmt: skip


def test_numbers_with_a_point_never_become_binary(connect):
    text = json.dumps(answer(row("2026-11-20", "a", 0.1, "@"))).replace('"@"', "12345678901234567.89")
    found = connect("web_json", {DAILY: (200, text)}).readings()
    assert [one["value"] for one in found] == [Decimal("0.1"), Decimal("12345678901234567.89")]


def test_what_is_asked_is_filled_in_and_the_token_travels_in_its_header(connect):
    made = connect("web_json", token_header="X-Api-Key", days_as="%Y%m%d")
    made.readings()
    (asked,) = made.asked()
    assert query(asked) == {"from": "20261120", "to": "20261121", "page": "1", "size": "3"}
    assert asked.headers["x-api-key"] == "booking-token-91ab"


def test_only_what_is_wanted_is_taken(connect):
    found = connect("web_json").readings(of=["visits"], where={"branch": "성수"}, split=[], until="2026-11-20")
    assert [(one["metric"], one["value"], one["dimensions"]) for one in found] == [("visits", 41, {})]


def test_rows_that_differ_only_by_what_is_not_split_are_not_added_up(connect):
    said = r"page 1, row 2: this day and metric stand there twice \(2026-11-20: 41 and 0\)"
    with pytest.raises(Rejected, match=said) as refused:
        connect("web_json").readings(split=[])
    assert "`split` or `where`" in refused.value.next_step
    assert "성수" not in str(refused.value)


@pytest.mark.parametrize(
    ("paging", "params", "said"),
    [
        ({"kind": "offset", "limit": 2}, {"n": "{offset}"}, "row 3: amount is no number"),
        ({"kind": "page", "limit": 2, "first": 0}, {"n": "{page}"}, "page 1, row 1: amount is no number"),
        ({"kind": "cursor", "next": "data.next"}, {"n": "{cursor}"}, "row 1: amount is no number"),
    ],
)
def test_a_row_is_named_with_its_page(connect, paging, params, said):
    pages = [answer(*ROWS[:2]), answer(row("2026-11-21", "성수", 38, "-"))]
    pages[0]["data"]["next"] = "Kim"
    made = connect("web_json", {DAILY: [(200, one) for one in pages]}, paging=paging, params=params)
    with pytest.raises(Rejected) as refused:
        made.readings()
    assert refused.value.reason.startswith(said)
    assert "support" in refused.value.next_step


def test_a_metric_may_stand_in_a_row_of_its_own(connect):
    rows = [{"at": "21.11.2026", "what": "visits", "n": 5}, {"at": "21.11.2026", "what": "calls", "n": 2}]
    plain = {"values": {}, "params": {}, "paging": None, "dimensions": {}, "rows": ""}
    named = {"day": "at", "day_format": "%d.%m.%Y", "metric": "what", "value": "n", "channel": "what"}
    made = connect("web_json", {DAILY: (200, rows)}, **plain, **named)
    (one,) = made.readings(of=["calls"], split=[])
    assert (days([one]), one["metric"], one["channel"], one["value"]) == (["2026-11-21"], "calls", "calls", 2)


def test_a_row_of_no_account_is_of_none_named_so(connect):
    rows = [{"day": "2026-11-21", "n": 5, "of": None}]
    plain = {"values": {"n": "n"}, "params": {}, "paging": None, "dimensions": {}, "rows": "", "day": "day"}
    made = connect("web_json", {DAILY: (200, rows)}, **plain, account="of")
    (one,) = made.readings(of=["n"], where={}, split=[])
    assert one["account"] == ""


TOTAL = {"total": "data.total"}
PAGED = [
    ("page", {"kind": "page", "limit": 2}, {"n": "{page}"}, [{"n": "1"}, {"n": "2"}]),
    ("page from zero", {"kind": "page", "first": 0, "limit": 2}, {"n": "{page}"}, [{"n": "0"}, {"n": "1"}]),
    ("page and total", {"kind": "page", "limit": 2, **TOTAL}, {"n": "{page}"}, [{"n": "1"}, {"n": "2"}]),
    ("offset", {"kind": "offset", "limit": 2}, {"n": "{offset}"}, [{"n": "0"}, {"n": "2"}]),
    ("offset and total", {"kind": "offset", "limit": 2, **TOTAL}, {"n": "{offset}"}, [{"n": "0"}, {"n": "2"}]),
    ("cursor", {"kind": "cursor", "next": "data.next"}, {"n": "{cursor}"}, [{}, {"n": "c2"}]),
    ("link", {"kind": "link", "next": "data.next"}, {}, [{}, {"n": "9"}]),
]  # fmt: skip


@pytest.mark.parametrize(("paging", "params", "queries"), [one[1:] for one in PAGED], ids=[one[0] for one in PAGED])
def test_pages_are_turned_as_it_is_declared(connect, paging, params, queries):
    pages = [answer(*ROWS[:2], total=3), answer(*ROWS[2:], total=3)]
    pages[0]["data"]["next"] = {"cursor": "c2", "link": "?n=9"}.get(paging["kind"])
    made = connect("web_json", {DAILY: [(200, one) for one in pages]}, paging=paging, params=params)
    assert days(made.readings(of=["visits"])) == ["2026-11-20", "2026-11-20", "2026-11-21"]
    assert [query(one) for one in made.asked()] == queries


def test_a_page_may_be_of_one_day(connect):
    answers = {f"GET /v1/2026-11-{day}": (200, [{"n": day}]) for day in (20, 21)}
    plain = {"params": {}, "dimensions": {}, "rows": "", "values": {"visits": "n"}}
    made = connect("web_json", answers, **plain, path="/v1/{day}", day="", paging={"kind": "day"})
    found = made.readings(of=["visits"], split=[])
    assert [(one, reading["value"]) for one, reading in zip(days(found), found, strict=True)] == [
        ("2026-11-20", 20), ("2026-11-21", 21),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("paging", "params", "more", "said"),
    [
        ({"kind": "cursor", "next": "data.next"}, {"n": "{cursor}"}, {"next": "c1"}, "the pages never end"),
        ({"kind": "link", "next": "data.next"}, {}, {"next": "/v1/daily?n=1"}, "the pages never end"),
        ({"kind": "link", "next": "data.next"}, {}, {"next": "https://elsewhere.example/"}, "another service"),
        ({"kind": "link", "next": "data.next"}, {}, {"next": "//127.0.0.1:1/v1"}, "another service"),
        ({"kind": "cursor", "next": "data.next"}, {"n": "{cursor}"}, {"next": {"a": 1}}, "data.next is no cursor"),
        ({"kind": "page", "limit": 3}, {"n": "{page}"}, {}, "two pages bring the same day and metric"),
        (
            {"kind": "page", "limit": 9, **TOTAL},
            {"n": "{page}"},
            {"total": 90},
            "brings 3 rows and not 9",
        ),
        ({"kind": "page", "limit": 3, "total": "data.sum"}, {"n": "{page}"}, {}, "the answer has no data.sum"),
        ({"kind": "page", "limit": 3, **TOTAL}, {"n": "{page}"}, {"total": 10**9}, "no number of rows"),
        ({"kind": "page", "limit": 3, **TOTAL}, {"n": "{page}"}, {"total": "3"}, "no number of rows"),
    ],
)
def test_pages_without_an_end_or_of_another_length_are_told(connect, paging, params, more, said):
    whole = answer(*ROWS)
    whole["data"] |= more
    made = connect("web_json", {DAILY: (200, whole)}, paging=paging, params=params)
    with pytest.raises(Rejected, match=said):
        made.readings(of=["visits"])
    assert len(made.asked()) < 4


def test_a_cursor_that_changes_for_ever_is_ended(connect):
    answers = []
    for at in range(501):
        page = answer(row(f"{2000 + at // 300}-{at % 300 // 25 + 1:02}-{at % 25 + 1:02}", "a", 1, 1))
        page["data"]["next"] = f"c{at}"
        answers.append((200, page))
    plain = {"paging": {"kind": "cursor", "next": "data.next"}, "params": {"n": "{cursor}"}}
    made = connect("web_json", {DAILY: answers}, **plain)
    with pytest.raises(Rejected, match="the pages never end"):
        made.readings(since="2000-01-01")
    assert len(made.asked()) == 500


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"params": {"from": "{sinse}"}}, r"\{sinse\} is not known; did you mean since\?"),
        ({"params": {"from": "{since}"}}, r"pages are turned by page, and neither path nor params say \{page\}"),
        ({"values": {}}, "say either `values`, a field for each metric, or `metric` and `value`"),
        ({"metric": "m", "value": "v"}, "say either"),
        ({"values": {}, "metric": "m"}, "say either"),
        ({"paging": {"kind": "cursor"}}, "`next` says where the cursor or the link"),
        ({"paging": {"kind": "page", "next": "a"}}, "`next` says where"),
        ({"paging": {"kind": "day", "total": "a"}}, "`total` is for pages that are counted"),
        ({"paging": {"kind": "page"}}, "say `limit`, the rows of a full page"),
        ({"paging": {"kind": "scroll"}}, "Input should be 'page', 'offset', 'cursor', 'link' or 'day'"),
        ({"paging": {"kind": "page", "pages": "1"}}, "paging.pages: Extra inputs"),
        ({"day": ""}, "`day` may be empty only where"),
        ({"row": "data"}, r"row: no such setting; did you mean rows\?"),
    ],
)
def test_a_declaration_that_cannot_work_is_told_by_check(change, said):
    told = " ".join(find("web_json").check_settings({**SETTINGS, **change}))
    assert re.search(said, told)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("data.list", "the answer has no data.list"),
        ("data.total", "holds no list at data.total"),
        ("data.items.9", "has no"),
    ],
)
def test_where_no_list_stands_is_named(connect, place, said):
    with pytest.raises(Rejected, match=said):
        connect("web_json", rows=place).readings()


@pytest.mark.parametrize(("day", "kept"), [("2026-11-21T09:00:00+09:00", True), ("2026-11-21 09:00", True),
                                           ("2026-11-211", False), ("2026-11-21x", False)])  # fmt: skip
def test_a_time_behind_the_day_is_passed_over_and_nothing_else(connect, day, kept):
    plain = {"values": {"n": "n"}, "params": {}, "paging": None, "dimensions": {}, "rows": "", "day": "day"}
    made = connect("web_json", {DAILY: (200, [{"day": day, "n": 5}])}, **plain)
    if kept:
        assert days(made.readings(of=["n"], split=[])) == ["2026-11-21"]
        return
    with pytest.raises(Rejected, match="day is no date like"):
        made.readings(of=["n"], split=[])


def test_a_service_that_passes_over_the_days_that_it_is_asked_for_is_told(connect):
    plain = {"values": {"n": "n"}, "paging": None, "dimensions": {}, "rows": "", "day": "day"}
    answers = {DAILY: (200, [{"day": "2020-01-01", "n": 5}])}
    with pytest.raises(Rejected, match="all its rows are of days that were not asked for"):
        connect("web_json", answers, **plain, params={"from": "{since}"}).readings(of=["n"], split=[])
    assert connect("web_json", answers, **plain, params={}).readings(of=["n"], split=[]) == []  # it tells what it has
