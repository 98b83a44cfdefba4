"""What is planned for a sheet: rows stand under their ids, nothing else changes, a second time changes nothing."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import Rejected
from connectors.spreadsheets.grid import Figure, cell_text, figure, planned, rows_of

HEADER = ["id", "이름", "상태"]
SHEET = [HEADER, ["m-1", "김하나", "상담"], ["m-2", "박둘"]]
TEXTS = st.text(alphabet="가나다=0 1", max_size=4)
COLUMNS = ("이름", "상태", "메모", "연락처")
IDS = st.sampled_from(["m-1", "m-2", "m-3", "n"])
ROWS = st.lists(st.fixed_dictionaries({"id": IDS}, optional=dict.fromkeys(COLUMNS, TEXTS)), max_size=6)


def written(lines, rows):
    """The sheet as the plan leaves it."""
    plan = planned(lines, "id", rows)
    after = [list(line) for line in lines] or [[]]

    def put(line, column, text):
        line.extend([""] * (column + 1 - len(line)))
        line[column] = text

    for column, name in plan.names.items():
        put(after[0], column, name)
    for change in plan.changes:
        assert lines[change.line][0].strip() == change.id
        for column, text in change.texts.items():
            put(after[change.line], column, text)
    after[plan.at : plan.at] = [list(line) for line in plan.lines]
    return after


@given(ROWS, ROWS)
def test_rows_stand_under_their_ids_and_a_second_time_changes_nothing(first, second):
    after = written(written(SHEET, first), second)
    assert planned(after, "id", second).empty
    found = {row.id: row.cells for row in rows_of(after, "id")}
    assert len(found) == len(rows_of(after, "id"))
    for row in (*first, *second):
        last = {name: text for one in (*first, *second) if one["id"] == row["id"] for name, text in one.items()}
        assert found[row["id"]].items() >= last.items()


@given(ROWS)
def test_what_the_rows_do_not_name_stays(rows):
    named = {(row["id"], name) for row in rows for name in row}
    found = {row.id: row.cells for row in rows_of(written(SHEET, rows), "id")}
    for old in rows_of(SHEET, "id"):
        for name, text in old.cells.items():
            assert (old.id, name) in named or found[old.id][name] == text


@given(ROWS)
def test_the_answer_is_what_stands_in_the_sheet(rows):
    found = {row.id: row for row in rows_of(written(SHEET, rows), "id")}
    assert [one.cells.items() <= found[one.id].cells.items() for one in planned(SHEET, "id", rows).rows] == [
        True for _ in rows
    ]


@pytest.mark.parametrize(
    ("lines", "at"),
    [
        ([], 1),
        ([HEADER], 1),
        (SHEET, 3),
        ([*SHEET, [], ["", "", "전화 문의, 아직 이름 없음"]], 5),  # somebody's line without an id
        ([*SHEET, *[["", "", "FALSE"]] * 900], 3),  # checkboxes drawn down in advance
    ],
)
def test_new_rows_come_after_the_last_line_that_anybody_wrote(lines, at):
    plan = planned(lines, "id", [{"id": "n", "이름": "최구"}])
    assert (plan.at, plan.changes) == (at, [])
    assert [line for line in written(lines, [{"id": "n"}]) if line not in lines and line[0] == "n"] == [["n"]]


def test_a_new_column_comes_after_all_that_stands_in_any_line():
    plan = planned([HEADER, ["m-1", "김하나", "상담", "", "누가 여기 적은 말"]], "id", [{"id": "m-1", "메모": "왼손"}])
    assert plan.names == {5: "메모"}


def test_an_empty_sheet_gets_its_first_row():
    plan = planned([], "id", [{"이름": "김하나", "id": "m-1"}])
    assert (plan.names, plan.lines) == ({0: "id", 1: "이름"}, [["m-1", "김하나"]])


def test_the_first_of_two_columns_of_one_name_counts():
    lines = [["id", "상태", "상태"], ["m-1", "상담", "옛날"]]
    assert rows_of(lines, "id")[0].cells == {"id": "m-1", "상태": "상담"}


def test_a_sheet_without_its_id_column_and_a_row_without_an_id_are_refused():
    with pytest.raises(Rejected, match="the sheet has no column id in its first row"):
        planned([["이름"], ["김하나"]], "id", [])
    with pytest.raises(Rejected, match="a row needs a value in id"):
        planned(SHEET, "id", [{"id": "  "}])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("01012345678", "01012345678"),
        ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
        ("두 줄\n입니다", "두 줄\n입니다"),
        ("\x00끝\x07\ufffe", "끝"),
        (Decimal("50000.00"), "50000.00"),
        (Decimal("1E+3"), "1000"),
        (3.0, "3"),
        (1 / 3, "0.333333333333333"),
        (0.00001, "0.00001"),
        (Decimal("-0.0"), "0.0"),
        (Decimal("1E+999999999"), "1E+999999999"),
        (date(2026, 11, 22), "2026-11-22"),
        (["기구", "매트"], "기구, 매트"),
        ({"이름": "하나"}, '{"이름": "하나"}'),
    ],
)
def test_a_value_is_the_text_that_a_person_would_write(value, text):
    assert cell_text(value, 50) == text


@pytest.mark.parametrize("value", [0, 12, -5, 12.5, 10**15 - 1, Decimal("1.50"), Decimal("1234567890123.45")])
def test_what_is_a_number_is_to_be_one_in_the_sheet(value):
    text = cell_text(value, 50)
    assert isinstance(text, Figure)
    assert text.number == (value if isinstance(value, int) else float(value))
    assert figure(str(text)) == text


@pytest.mark.parametrize(
    "value", ["12", "01012345678", True, None, float("nan"), float("inf"), Decimal("NaN"), 10**15, 1e15,
              Decimal("123456789012345.6"), Decimal("0.1234567890123456"), date(2026, 11, 22), [1], "=1+1"]
)  # fmt: skip
def test_what_is_text_or_would_be_rounded_stays_text(value):
    assert not isinstance(cell_text(value, 50), Figure)


@pytest.mark.parametrize("text", ["", "010", "1,000", "1e3", "12원", "１２", "nan", "+5", " 5"])
def test_only_what_a_number_is_written_as_is_read_as_one(text):
    assert not isinstance(figure(text), Figure)


def test_a_number_that_stands_there_is_not_written_again():
    rows = [{"id": "m-1", "이름": Figure("12"), "상태": Figure("1.50")}]
    assert planned([HEADER, ["m-1", "12", "1.50"]], "id", rows).empty


def test_more_than_a_cell_takes_is_refused():
    with pytest.raises(Rejected, match="a cell takes at most 5 characters"):
        cell_text("여섯 글자다", 5)
