"""The ledger in other programs: a sheet that follows it, a CSV that keeps every digit and runs nothing."""

import csv
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from openpyxl import load_workbook

from connectors.analytics.csv import Csv
from flows.ledger.mirror import COLUMNS, MOST, changed, export, last_mirrored
from flows.ledger.pull.brought import without_room
from flows.ledger.readings import Value, correct, keep
from flows.store import tables as t
from flows.store.write import add

DAY = date(2026, 11, 22)
TYPED = {"label": "조회수", "on": "apply", "channel": "web", "source": {"by": "manager", "due": "09:30"}}
SPLIT = {"label": "=HYPERLINK(1)", "on": "apply", "source": {"use": "numbers.readings", "split": ["device"]}}


@pytest.fixture
def shop(shop):
    shop.files["metrics"] = {"metrics": {"views": TYPED, "clicks": SPLIT}}
    return shop.open()


def value(metric="views", day=DAY, number="132", **more):
    return Value(metric, day, None if number is None else Decimal(number), "person", **more)


def kept(shop, *values, pull=None):
    with shop.store.write() as session:
        keep(session, shop.world.book, values, shop.clock.now(), pull)


def told(shop, since=None):
    with shop.store.read() as session:
        return changed(session, shop.world.book, since).rows


def test_a_row_of_the_mirror_speaks_the_companys_words(shop):
    kept(shop, value(by="yoon"))
    assert told(shop) == [
        {"row_id": "views/2026-11-22",
         "row": {"날짜": "2026-11-22", "지표": "조회수", "채널": "웹", "값": Decimal(132), "상태": "있음",
                 "출처": "사람", "적은 때": "2026-11-23 10:00", "적은 사람": "yoon님"}},
    ]  # fmt: skip
    shop.files["company"]["language"] = "en"
    shop.write_files()
    shop.load()
    assert list(told(shop)[0]["row"]) == ["day", "metric", "channel", "value", "status", "source", "written at",
                                          "written by"]  # fmt: skip


def test_missing_zero_and_what_is_split_are_told_apart(shop):
    kept(shop, value(number=None), value(number="0", day=DAY - timedelta(days=1)),
         value("clicks", number="1.50", dimensions={"device": "phone"}, account="a/1"),
         value("clicks", number="2", dimensions={"device": "desk"}, account="a/1"))  # fmt: skip
    rows = {one["row_id"]: one["row"] for one in told(shop)}
    assert {id: (row["값"], row["상태"]) for id, row in rows.items()} == {
        "views/2026-11-22": ("", "없음"),
        "views/2026-11-21": (Decimal(0), "영"),
        'clicks/2026-11-22//a/1/{"device": "phone"}': (Decimal("1.50"), "있음"),
        'clicks/2026-11-22//a/1/{"device": "desk"}': (Decimal(2), "있음"),
    }


def test_the_mirror_follows_what_was_written_since_also_by_people(shop):
    kept(shop, value(), value(day=DAY - timedelta(days=1)))
    shop.later(hours=1)
    since = shop.clock.now()
    shop.later(hours=1)
    assert told(shop, since) == []
    with shop.store.write() as session:
        correct(session, shop.world.book, value(number="130", by="yoon"), shop.clock.now(), "typed twice")
    shop.later(hours=1)
    kept(shop, value(number="131"))  # beside a person's word
    (row,) = told(shop, since)
    assert (row["row_id"], row["row"]["값"]) == ("views/2026-11-22", Decimal(130))


def test_of_too_many_rows_the_newest_days_go(shop):
    days = [DAY - timedelta(days=back) for back in range(MOST + 10)]
    kept(shop, *(value(day=day) for day in reversed(days)))
    with shop.store.read() as session:
        rows, left = changed(session, shop.world.book, None)
    assert (len(rows), left) == (MOST, 10)
    (said,) = without_room(shop.world.book, left)
    assert "10" in said
    assert without_room(shop.world.book, 0) == []
    assert rows[0]["row"]["날짜"] == "2026-11-22"
    assert rows[-1]["row"]["날짜"] == days[MOST - 1].isoformat()


def test_what_a_failed_pull_or_one_by_hand_left_is_mirrored_by_the_next(shop):
    begun = shop.clock.now()
    with shop.store.write() as session:
        for id, kind, state, key, back in (("a", "holes", "done", "k1", 30), ("b", "daily", "done", "k2", 20),
                                           ("c", "holes", "failed", "k3", 10), ("d", "holes", "done", None, 5),
                                           ("e", "holes", "running", "k4", 0)):  # fmt: skip
            add(session, t.pull, id=id, kind=kind, state=state, key=key, since="x", until="x",
                begun_at=begun - timedelta(hours=back))  # fmt: skip
    with shop.store.read() as session:
        assert last_mirrored(session, "holes", "e") == begun - timedelta(hours=30)
        assert last_mirrored(session, "all", "e") is None


def test_the_mirrors_numbers_can_be_added_up_in_an_excel_file_and_too_long_ones_are_text(shop):
    kept(shop, value(number="12345678901234567.10"), value("clicks", number="-5"))
    connection = shop.world.connection("sheet")
    connection.call("upsert_rows", {"rows": told(shop)}, key="k")
    connection.call("upsert_rows", {"rows": told(shop)}, key="k")
    sheet = load_workbook(shop.home / "files" / "list.xlsx").active
    lines = [[cell.value for cell in line] for line in sheet.iter_rows()]
    assert [line[lines[0].index("값")] for line in lines[1:]] == ["12345678901234567.10", -5]
    assert [(cell.value, cell.data_type) for cell in sheet["C"][1:]] == [("조회수", "s"), ("=HYPERLINK(1)", "s")]


def lines_of(shop, **more):
    with shop.store.read() as session:
        text = "".join(export(session, shop.world.book, DAY - timedelta(days=30), DAY, shop.clock.now(), **more))
    assert text.startswith("\ufeff")
    return list(csv.DictReader(StringIO(text.removeprefix("\ufeff"))))


def test_a_csv_keeps_every_digit_and_no_cell_of_it_is_a_formula(shop):
    kept(shop, value(number="12345678901234567.10"), value(number="-5", day=DAY - timedelta(days=1)),
         value("clicks", number=None, day=DAY - timedelta(days=1)),
         value("clicks", number="1", account="@SUM(1)", channel="-1+1"))  # fmt: skip
    found = lines_of(shop)
    assert tuple(found[0]) == COLUMNS
    assert [(one["day"], one["value"], one["status"]) for one in found] == [
        ("2026-11-21", "", "missing"), ("2026-11-21", "-5", "ok"), ("2026-11-22", "1", "ok"),
        ("2026-11-22", "12345678901234567.10", "ok"),
    ]  # fmt: skip
    texts = {cell for one in found for name, cell in one.items() if name != "value"}
    assert not [cell for cell in texts if cell[:1] in ("=", "+", "-", "@")]
    assert "'=HYPERLINK(1)" in texts


def test_a_csv_never_has_a_whole_and_its_parts_both(shop):
    kept(shop, value(number=None))
    kept(shop, value(number="1", account="north"), value(number="2", account="south"))
    assert [(one["account"], one["value"]) for one in lines_of(shop)] == [("north", "1"), ("south", "2")]


def test_the_mirror_adds_up_to_what_the_ledger_says(shop):
    kept(shop, value("clicks", number=None))
    kept(shop, value("clicks", number="3", account="north"), value("clicks", number="10", account="south"))

    def added_up():
        return {one["row_id"]: (one["row"]["값"], one["row"]["상태"]) for one in told(shop)}

    assert added_up() == {"clicks/2026-11-22": ("", "다른 줄에서 셈"), "clicks/2026-11-22//north": (3, "있음"),
                          "clicks/2026-11-22//south": (10, "있음")}  # fmt: skip
    with shop.store.write() as session:
        correct(session, shop.world.book, value("clicks", number="20", by="yoon"), shop.clock.now(), "all of it")
    assert added_up() == {"clicks/2026-11-22": (20, "있음"), "clicks/2026-11-22//north": ("", "다른 줄에서 셈"),
                          "clicks/2026-11-22//south": ("", "다른 줄에서 셈")}  # fmt: skip


def test_a_csv_says_final_of_a_day_that_has_settled_since(shop):
    shop.files["metrics"] = {"metrics": {"views": TYPED | {"settle_days": "3"}}}
    shop.write_files()
    shop.load()
    kept(shop, value())
    assert [one["finality"] for one in lines_of(shop)] == ["provisional"]
    then = shop.clock.now()
    shop.clock.set(then + timedelta(days=4))
    assert [one["finality"] for one in lines_of(shop)] == ["final"]
    assert [one["finality"] for one in lines_of(shop, as_of=then)] == ["provisional"]


def test_a_csv_can_be_what_was_known_then(shop):
    kept(shop, value())
    then = shop.clock.now()
    shop.later(hours=1)
    kept(shop, value(number="140"))
    assert [one["value"] for one in lines_of(shop)] == ["140"]
    assert [one["value"] for one in lines_of(shop, as_of=then)] == ["132"]


def test_a_csv_can_be_read_again_as_a_source(shop):
    kept(shop, value(), value(number="1.50", day=DAY - timedelta(days=1)))
    with shop.store.read() as session:
        text = "".join(export(session, shop.world.book, DAY - timedelta(days=30), DAY, shop.clock.now()))
    (shop.home / "files" / "again.csv").write_text(text)
    source = Csv.connect("again", {"file": "again.csv"}, environ={}, home=shop.home)
    assert [(one["metric"], one["value"]) for one in source.call("readings", {"since": DAY, "until": DAY})] == [
        ("views", Decimal(132))
    ]
