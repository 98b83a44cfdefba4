"""A folder of files: both layouts, both kinds of file, the newest counts, a bad one is told beside the good ones."""

import os
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook

from connectors.analytics import Asked
from connectors.analytics.folder import Folder
from connectors.errors import Rejected

NOVEMBER = Asked(since=date(2026, 11, 1), until=date(2026, 11, 30))


@pytest.fixture
def drop(tmp_path):
    """Put files into the folder, in this order; returns the connection."""
    folder = tmp_path / "files" / "numbers"
    folder.mkdir(parents=True)
    count = len(list(folder.iterdir()))

    def put(**files):
        nonlocal count
        for name, content in files.items():
            count += 1
            path = folder / name.replace("__", ".")
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            os.utime(path, (1_800_000_000 + count, 1_800_000_000 + count))
        return Folder.connect("drop", {"folder": "numbers"}, environ={}, home=tmp_path)

    return put


def book(*lines):
    made = Workbook()
    for line in lines:
        made.active.append(line)
    content = BytesIO()
    made.save(content)
    return content.getvalue()


def page(connection, of=()):
    asked = NOVEMBER.model_copy(update={"of": tuple(of)})
    return connection.page(asked, connection.answer_of(asked, None))


def told(connection, of=()):
    return [(str(one.day), one.metric, one.value, one.channel) for one in page(connection, of).readings]


TEN = ("visits", 10, "naver")
LONG = "day,metric,value,channel\n2026-11-20,visits,10,naver\n2026-11-20,visits,0.30,\n2026-12-01,visits,1,\n"


@pytest.mark.parametrize(
    "files",
    [
        {"a__csv": LONG},
        {"a__csv": LONG.replace("day,metric,value,channel", "날짜,지표,값,채널").encode("cp949")},
        {"a__CSV": LONG.replace("day", "Date").encode("utf-8-sig")},
        {"a__xlsx": book(["날짜", "지표", "값", "채널"], [date(2026, 11, 20), *TEN], ["2026-11-20", "visits", 0.3])},
    ],
)  # fmt: skip
def test_a_line_a_day_and_metric_is_read(drop, files):
    assert told(drop(**files)) == [
        ("2026-11-20", "visits", Decimal(10), "naver"), ("2026-11-20", "visits", Decimal("0.3"), ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "files",
    [
        {"a__csv": "day,visits,sales,note\n2026-11-20,10,330000,rain\n\n2026-11-21,,12.5,\n"},
        {
            "a__xlsx": book(
                ["day", "visits", "sales", "note"],
                [datetime(2026, 11, 20), 10, 330000, "rain"],  # noqa: DTZ001 - as a cell has it
                [None, None, None, None],
                [date(2026, 11, 21), None, 12.5, None],
            )
        },
    ],
)
def test_a_line_a_day_and_a_column_a_metric_is_read_and_an_empty_cell_is_unknown(drop, files):
    assert told(drop(**files), ["visits", "sales"]) == [
        ("2026-11-20", "visits", Decimal(10), ""), ("2026-11-20", "sales", Decimal(330000), ""),
        ("2026-11-21", "sales", Decimal("12.5"), ""),
    ]  # fmt: skip


def test_the_file_that_was_changed_last_counts(drop):
    made = drop(b__csv="day,visits\n2026-11-20,1\n2026-11-21,1\n", a__csv="day,visits\n2026-11-20,2\n2026-11-22,2\n")
    assert [(one[0][-2:], one[2]) for one in sorted(told(made))] == [("20", 2), ("21", 1), ("22", 2)]
    again = drop(b__csv="day,visits\n2026-11-20,3\n")
    assert [(one[0][-2:], one[2]) for one in sorted(told(again))] == [("20", 3), ("22", 2)]


def test_the_same_files_are_the_same_answer(drop):
    made = drop(a__csv=LONG)
    first = made.answer_of(NOVEMBER, None)
    assert drop(a__csv=LONG).answer_of(NOVEMBER, None) == first


HEAD = "day,metric,value\n"
BOMB = BytesIO()
with ZipFile(BOMB, "w", ZIP_DEFLATED) as packed:
    packed.writestr("xl/sharedStrings.xml", bytes(70_000_000))
BAD = {
    "no day": ("date1,visits\n1,2\n", "line 1: the column day is missing"),
    "no value": ("day,metric\n", "line 1: the column value is missing"),
    "no metric": ("day,value\n", "line 1: the column metric is missing"),
    "twice a column": ("day,visits,visits\n", "line 1: column C has a name that stands there twice"),
    "no date": (f"{HEAD}2026-11-20,a,1\nyesterday,a,1\n", "line 3: day is no date like 2026-03-31"),
    "a word": (f"{HEAD}2026-11-20,a,many\n", "line 2: value is no number like 1234.5"),
    "a word in a column": ("day,visits\n2026-11-20,n/a\n", "line 2: visits is no number like 1234.5"),
    "a comma in a number": ('day,visits\n2026-11-20,"1,200"\n', "line 2: visits is no number like 1234.5"),
    "not a number": (f"{HEAD}2026-11-20,a,NaN\n", "line 2: value is no number"),
    "no name": (f"{HEAD}2026-11-20,,1\n", "line 2: metric is empty"),
    "twice a day": (f"{HEAD}2026-11-20,a,1\n2026-11-20,a,2\n", "line 3: this day and metric stand there twice"),
    "many": (HEAD + "x,a,1\n" * 9, "and 6 more"),
    "quotes": (f'{HEAD}2026-11-20,"a,1\n', "the quotes do not fit together"),
    "no text": (b"\xff\xff\xff", "neither UTF-8 nor cp949"),
    "nothing": (b"", "the column day is missing"),
}
WORSE = {
    "no workbook": (b"PK\x03\x04 no", "cannot be read as an Excel file"),
    "a page": (b"<html>", "cannot be read as an Excel file"),
    "another zip": (BOMB.getvalue(), "too large when it is unpacked"),
    "an error in a cell": (book(["day", "visits"], [date(2026, 11, 20), "#DIV/0!"]), "line 2: visits is no number"),
    "yes": (book(["day", "visits"], [date(2026, 11, 20), True]), "line 2: visits is no number"),
}


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [pytest.param("csv", *one, id=name) for name, one in BAD.items()]
    + [pytest.param("xlsx", *one, id=name) for name, one in WORSE.items()]
    + [("xls", b"\xd0\xcf\x11\xe0", "it is no .xlsx; open it and save it as .xlsx or as CSV")],
)
def test_nothing_of_a_bad_file_is_taken_the_others_are_and_it_is_told(drop, kind, content, said):
    made = drop(good__csv="day,visits\n2026-11-20,7\n", **{f"bad__{kind}": content})
    found = page(made)
    assert [one.value for one in found.readings] == [7]
    (odd,) = found.odd
    assert odd.startswith(f"bad.{kind}: ")
    assert said in odd
    with pytest.raises(Rejected, match=f"bad.{kind}: "):  # a step has nobody else to tell
        made.call("readings", {"since": "2026-11-01", "until": "2026-11-30"})


def test_what_is_no_table_is_left_alone(drop):
    assert told(drop(a__txt="x", readme="x", **{"~$a__xlsx": "x", "__hidden__csv": "x"})) == []


def test_too_many_files_are_refused(drop):
    with pytest.raises(Rejected, match="500 files"):
        page(drop(**{f"f{at}__csv": HEAD for at in range(501)}))


@pytest.mark.parametrize("folder", ["../secrets", "/etc", ".hidden", "a\\b"])
def test_a_folder_outside_the_files_is_refused(folder):
    assert Folder.check_settings({"folder": folder})


def test_a_folder_that_is_not_there_is_told(tmp_path):
    made = Folder.connect("drop", {"folder": "numbers"}, environ={}, home=tmp_path)
    with pytest.raises(Rejected, match="numbers is not there"):
        made.probe()


def test_a_link_out_of_the_folder_is_not_followed(drop, tmp_path):
    made = drop(a__csv=LONG)
    (tmp_path / "else.csv").write_text(LONG)
    (tmp_path / "files" / "numbers" / "b.csv").symlink_to(tmp_path / "else.csv")
    with pytest.raises(Rejected, match="leaves the files folder"):
        page(made)


def test_the_probe_counts_files_and_numbers(drop):
    assert drop(a__csv=LONG).probe() == "numbers has 1 files with 3 numbers"


def test_a_file_tells_of_its_own_days_and_of_no_empty_cell(drop):
    wide = "day,visits,sales\n2026-11-10,1,\n2026-11-12,3,5\n"
    made = drop(a__csv=wide, b__csv="day,metric,value\n2026-11-15,calls,7\n")
    found = page(made)
    days = range(9, 17)
    told = {
        name: [day for day in days if found.tells(name, date(2026, 11, day))] for name in ("visits", "sales", "calls")
    }
    assert told == {"visits": [10, 11, 12], "sales": [11, 12], "calls": [15]}
    later = page(drop(c__csv="day,metric,value\n2026-11-10,sales,4\n"))  # the number that the cell lacked
    assert later.tells("sales", date(2026, 11, 10))


def test_a_formula_that_no_program_has_worked_out_is_no_number(drop):
    found = page(drop(a__xlsx=book(["day", "visits"], [date(2026, 11, 10), "=2+2"], [date(2026, 11, 11), 3])))
    assert not found.tells("visits", date(2026, 11, 10))
