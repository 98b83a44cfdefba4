"""Numbers from a file: whole or not at all, and a bad line is named."""

import tracemalloc
from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest

from connectors.analytics import Asked
from connectors.analytics.csv import Csv
from connectors.errors import Rejected

GOOD = (
    "day,metric,value,channel,note\n2026-03-01,visits,10,naver,x\n\n2026-03-02,visits,0.30,,\n2026-03-03,visits,3,,\n"
)


def read(home, content, **between):
    if content is not None:
        (home / "files").mkdir(exist_ok=True)
        (home / "files" / "n.csv").write_bytes(content)
    span = {"since": "2026-03-01", "until": "2026-03-02"} | between
    return Csv.connect("numbers", {"file": "n.csv"}, environ={}, home=home).call("readings", span)


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "cp949"])
def test_numbers_are_exact_and_both_days_count(tmp_path, coding):
    found = read(tmp_path, GOOD.replace("naver", "네이버").encode(coding))
    assert [(one["day"], one["value"], one["channel"]) for one in found] == [
        (date(2026, 3, 1), Decimal(10), "네이버"),
        (date(2026, 3, 2), Decimal("0.30"), ""),
    ]


HEAD = "day,metric,value\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "n.csv is not there"),
        (b"", "line 1: the column day is missing"),
        (b"date,metric,value\n", "line 1: the column day is missing"),
        (b"day,metric,Values\n", "the column value is missing; is values meant?"),
        (f"{HEAD}2026-03-01,visits,10\nyesterday,visits,1\n".encode(), "line 3: day is no date like 2026-03-31"),
        (f"{HEAD}2026-03-01,visits,many\n".encode(), "line 2: value is no number like 1234.5"),
        (f"{HEAD}2026-03-01,visits,NaN\n".encode(), "line 2: value is no number"),
        (f"{HEAD}2026-03-01,visits,1e-9999999\n".encode(), "line 2: value is no number"),
        (f"{HEAD}2026-03-01,visits\n".encode(), "line 2: value is empty"),
        (f"{HEAD}2026-03-01,visits,1\n2026-03-01,visits,1\n".encode(), "line 3: this day and metric stand there twice"),
        (HEAD.encode() + b"x,y,z\n" * 9, "and 6 more"),
        (f'{HEAD}2026-03-01,"visits,1\n'.encode(), "the quotes do not fit together"),
        (b"\xff\xff\xff", "neither UTF-8 nor cp949"),
    ],
)
def test_a_bad_file_says_where_it_is_bad(tmp_path, content, said):
    with pytest.raises(Rejected) as caught:
        read(tmp_path, content)
    assert said in caught.value.reason


def test_dates_that_are_none_are_rejected(tmp_path):
    with pytest.raises(Rejected, match="since"):
        read(tmp_path, GOOD.encode(), since="soon")


@pytest.mark.parametrize("line", ["2026-02-01,visits{},1\n", "2026-03-01,visits{},1\n", "x{},visits,1\n"])
def test_lines_that_nobody_asks_for_take_no_memory(tmp_path, line):
    raw = (HEAD + "".join(line.format(number) for number in range(10_000))).encode()
    source = Csv.connect("numbers", {"file": "n.csv"}, environ={}, home=tmp_path)
    asked = Asked(since=date(2026, 3, 1), until=date(2026, 3, 2), of=("visits7",))
    tracemalloc.start()
    with suppress(Rejected):
        assert len(source.parse(asked, raw).readings) <= 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * len(raw)  # a reading of each line would take a hundred times a line
