"""An Excel file keeps what it is told, once: numbers as numbers, all else as text."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from openpyxl import Workbook, load_workbook

from connectors.errors import NotConnected, Rejected, Unavailable
from connectors.spreadsheets.excel import Excel


def roster(home, file="roster.xlsx", **settings):
    return Excel.connect("roster", {"file": file, **settings}, environ={}, home=home)


def test_text_stays_text(tmp_path):
    row = {
        "phone": "01012345678",
        "note": '=HYPERLINK("http://x")',
        "odd": "#N/A",
        "bell": "a\x07b",
        "yes": True,
        "no": None,
    }
    roster(tmp_path).call("upsert_row", {"row_id": "1", "row": row})
    sheet = load_workbook(tmp_path / "files" / "roster.xlsx").active
    found = {sheet.cell(1, c.column).value: (c.value, c.data_type) for c in sheet[2] if c.value is not None}
    assert found == {
        "id": ("1", "s"),
        "phone": ("01012345678", "s"),
        "note": ('=HYPERLINK("http://x")', "s"),
        "odd": ("#N/A", "s"),
        "bell": ("ab", "s"),
        "yes": ("True", "s"),
    }


@pytest.mark.parametrize(
    ("value", "number", "read", "look"),
    [
        (12, 12, "12", "0"),
        (0, 0, "0", "0"),
        (-5.0, -5, "-5", "0"),
        (12.5, 12.5, "12.5", "0.0"),
        (0.1 + 0.2, 0.3, "0.3", "0.0"),
        (Decimal("1.50"), 1.5, "1.50", "0.00"),
        (Decimal("50000.00"), 50000, "50000.00", "0.00"),
        (Decimal("123456789012.345"), 123456789012.345, "123456789012.345", "0.000"),
    ],
)
def test_a_number_is_written_as_one_and_read_as_the_text_it_was(tmp_path, value, number, read, look):
    excel = roster(tmp_path)
    for _ in range(2):
        assert excel.call("upsert_row", {"row_id": "1", "row": {"n": value}})["cells"]["n"] == read
    cell = load_workbook(tmp_path / "files" / "roster.xlsx").active["B2"]
    assert (cell.value, cell.data_type, cell.number_format) == (number, "n", look)
    assert excel.call("read", {}) == [{"id": "1", "cells": {"id": "1", "n": read}}]


@pytest.mark.parametrize("value", [10**15, Decimal("12345678901234.56"), Decimal("1E+400"), Decimal("1E-31")])
def test_a_number_that_a_sheet_would_round_is_text(tmp_path, value):
    roster(tmp_path).call("upsert_row", {"row_id": "1", "row": {"n": value}})
    cell = load_workbook(tmp_path / "files" / "roster.xlsx").active["B2"]
    assert (Decimal(cell.value), cell.data_type) == (Decimal(value), "s")


def test_an_id_is_text_also_where_it_is_a_number(tmp_path):
    excel = roster(tmp_path)
    for _ in range(2):
        excel.call("append_rows", {"rows": [{"id": 7, "n": 1}]}, key="k")
    excel.call("upsert_row", {"row_id": "7", "row": {"n": 2}})
    assert excel.call("read", {}) == [{"id": "7", "cells": {"id": "7", "n": "2"}}]
    assert load_workbook(tmp_path / "files" / "roster.xlsx").active["A2"].data_type == "s"


def test_a_number_keeps_the_look_that_somebody_chose_and_loses_that_of_a_text_or_a_day(tmp_path):
    book = Workbook()
    looks = {"won": '"₩"#,##0', "text": "@", "day": "yyyy-mm-dd"}
    book.active.append(["id", *looks])
    book.active.append(["a", 1, "1", 1])
    for at, look in enumerate(looks.values(), 2):
        book.active.cell(2, at).number_format = look
    (tmp_path / "files").mkdir()
    book.save(tmp_path / "files" / "roster.xlsx")
    row = roster(tmp_path).call("upsert_row", {"row_id": "a", "row": dict.fromkeys(looks, 12000)})
    assert row["cells"] == {"id": "a", **dict.fromkeys(looks, "12000")}
    found = load_workbook(tmp_path / "files" / "roster.xlsx").active
    assert [(cell.value, cell.number_format) for cell in found[2][1:]] == [
        (12000, looks["won"]),
        (12000, "0"),
        (12000, "0"),
    ]


def test_the_same_row_twice_is_one_row(tmp_path):
    excel = roster(tmp_path)
    for visits in ("1", "2"):
        excel.call("upsert_row", {"row_id": "a", "row": {"visits": visits}})
    for _ in range(2):
        excel.call("append_rows", {"rows": [{"name": "가"}, {"id": "b", "name": "나"}]}, key="case/step")
    rows = {row["id"]: row["cells"] for row in excel.call("read", {})}
    assert list(rows) == ["a", "case/step#1", "b"]
    assert (rows["a"]["visits"], rows["b"]["name"]) == ("2", "나")


def test_what_people_typed_stays(tmp_path):
    book = Workbook()
    book.active.append(["name", "id", "total"])
    book.active.append(["kim", 7, "=1+1"])
    book.active.append(["without an id", None, 3.0])
    (tmp_path / "files").mkdir()
    book.save(tmp_path / "files" / "roster.xlsx")
    excel = roster(tmp_path)
    excel.call("upsert_row", {"row_id": "7", "row": {"name": "lee"}})
    excel.call("upsert_row", {"row_id": "8", "row": {"name": "new"}})
    assert [row["id"] for row in excel.call("read", {})] == ["7", "8"]
    sheet = load_workbook(tmp_path / "files" / "roster.xlsx").active
    assert (sheet["A2"].value, sheet["C2"].data_type, sheet["A3"].value) == ("lee", "f", "without an id")
    assert sheet["A4"].value == "new"


def test_no_row_is_lost_between_threads_and_connections(tmp_path):
    def write(number):
        roster(tmp_path).call("upsert_row", {"row_id": f"r{number % 20}", "row": {"n": str(number)}})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    assert len(roster(tmp_path).call("read", {})) == 20


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "cannot be read"), (b"PK\x03\x04 broken", "cannot be read"), (b"id,name\n", "cannot be read")],
)
def test_a_broken_file_is_told_and_left_alone(tmp_path, content, said):
    file = tmp_path / "files" / "roster.xlsx"
    file.parent.mkdir()
    file.write_bytes(content)
    for name, arguments in (("read", {}), ("upsert_row", {"row_id": "1", "row": {}})):
        with pytest.raises(Rejected, match=said):
            roster(tmp_path).call(name, arguments)
    assert file.read_bytes() == content


def test_a_file_that_somebody_has_open_is_left_for_later(tmp_path):
    excel = roster(tmp_path)
    excel.call("upsert_row", {"row_id": "1", "row": {}})
    (tmp_path / "files" / ".~lock.roster.xlsx#").touch()
    with pytest.raises(Unavailable, match="open in a spreadsheet program"):
        excel.call("upsert_row", {"row_id": "2", "row": {}})
    assert len(excel.call("read", {})) == 1


def test_a_missing_sheet_or_column_is_named(tmp_path):
    roster(tmp_path).call("upsert_row", {"row_id": "1", "row": {}})
    with pytest.raises(Rejected, match="no sheet 봄"):
        roster(tmp_path, sheet="봄").call("read", {})
    with pytest.raises(Rejected, match="no column member"):
        roster(tmp_path, id_column="member").call("read", {})
    with pytest.raises(Rejected, match="32767"):
        roster(tmp_path).call("upsert_row", {"row_id": "1", "row": {"a": "x" * 40_000}})


@pytest.mark.parametrize("file", ["../x.xlsx", "/etc/x.xlsx", "a/../../x.xlsx", "..\\x.xlsx", "~/x.xlsx", "a//x.xlsx"])
def test_a_file_outside_the_home_is_refused(tmp_path, file):
    with pytest.raises(Rejected, match="plain name"):
        roster(tmp_path / "home", file).call("read", {})


def test_a_link_out_of_the_home_is_refused(tmp_path):
    (tmp_path / "home" / "files").mkdir(parents=True)
    (tmp_path / "home" / "files" / "out").symlink_to(tmp_path)
    (tmp_path / "home" / "files" / "x.xlsx").symlink_to(tmp_path / "x.xlsx")
    for file in ("out/x.xlsx", "x.xlsx"):
        with pytest.raises(Rejected, match="link"):
            roster(tmp_path / "home", file).call("upsert_row", {"row_id": "1", "row": {}})
    assert not (tmp_path / "x.xlsx").exists()


def test_only_xlsx_is_taken(tmp_path):
    with pytest.raises(NotConnected, match="file"):
        roster(tmp_path, "a.xls")
