"""Google Sheets against myworld, on Google's own host names, read back by gspread."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import gspread
import pytest
from google.oauth2.credentials import Credentials

from connectors.base import variable_of
from connectors.errors import NotConnected, Rejected, Unavailable, Uncertain
from connectors.spreadsheets.google_sheets import GoogleSheets
from tests.peers.myworld import BOOK, HEADER, VERSION, myworld

PEER = f"{VERSION}, read by gspread {gspread.__version__}"
TITLE = "회원 명단"
MEMBERS = HEADER + "m-1,김하나,010-1234-5678,상담\nm-2,박둘,010-2222-3333,\n"
READ, WRITE = "sheets.spreadsheets.values.batchGet", "sheets.spreadsheets.batchUpdate"


@pytest.fixture(scope="module")
def world():
    with myworld() as found:
        yield found


@pytest.fixture
def run(world, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(world.certificate))
    return world.run({TITLE: MEMBERS, "빈 시트": ""})


@pytest.fixture
def connect(run, tmp_path):
    """A connection whose consent is in the vault; its refresh token is asked for a token at the gateway."""
    made = []

    def connection(kind=GoogleSheets, token=run.token, name="list", **settings):
        told = {"spreadsheet": BOOK, "sheet": TITLE, "proxy": run.world.proxy, "client_id": "onda", **settings}
        found = kind.connect(name, told, environ={variable_of(name, "client_secret"): "secret"}, home=tmp_path)
        found._vault.save(name, {"refresh_token": token})
        made.append(found)
        return found

    yield connection
    for one in made:
        one.close()


@pytest.fixture
def person(run, monkeypatch):
    """Somebody who has the sheet open, by another library."""
    monkeypatch.setenv("HTTPS_PROXY", run.world.proxy)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(run.world.certificate))
    client = gspread.authorize(Credentials(run.token))
    yield client.open_by_key(BOOK).worksheet(TITLE)
    client.http_client.session.close()


@pytest.mark.verifies("google_sheets.read", peer=PEER)
def test_rows_are_read_as_they_stand(connect):
    assert connect().call("read", {})[0] == {
        "id": "m-1",
        "cells": {"id": "m-1", "이름": "김하나", "연락처": "010-1234-5678", "상태": "상담"},
    }
    assert connect(sheet=None).probe() == "the sheet 회원 명단 has 2 rows"


@pytest.mark.verifies("google_sheets.upsert_row", peer=PEER)
def test_a_row_is_written_under_its_id_as_the_text_it_is(connect, person):
    made = connect()
    made.call("upsert_row", {"row_id": "m-2", "row": {"상태": "등록", "메모": "=1+1"}})
    made.call("upsert_row", {"row_id": "m-3", "row": {"이름": "=HYPERLINK(1)", "연락처": "01012345678"}})
    made.call("upsert_row", {"row_id": "m-3", "row": {"이름": "=HYPERLINK(1)", "연락처": "01012345678"}})
    for render in ("FORMATTED_VALUE", "FORMULA", "UNFORMATTED_VALUE"):
        assert person.get_all_values(value_render_option=render)[1:] == [
            ["m-1", "김하나", "010-1234-5678", "상담", ""],
            ["m-2", "박둘", "010-2222-3333", "등록", "=1+1"],
            ["m-3", "=HYPERLINK(1)", "01012345678", "", ""],
        ]
    assert person.row_values(1) == ["id", "이름", "연락처", "상태", "메모"]


@pytest.mark.verifies("google_sheets.upsert_rows", peer=PEER)
def test_numbers_are_numbers_to_another_reader_and_the_same_rows_again_write_nothing(connect, person, run):
    made, long = connect(), Decimal("12345678901234567.10")
    row = {"값": Decimal(132), "평점": 4.5, "긴": long, "연락처": "01012345678", "말": "12", "날짜": "2026-11-22"}
    told = {"rows": [{"row_id": "m-1", "row": row}, {"row_id": "7", "row": row}]}
    first = made.call("upsert_rows", told)
    assert made.call("upsert_rows", told) == first
    assert len(run.calls(WRITE)) == 1
    assert first[1]["cells"].items() >= {"id": "7", "값": "132", "평점": "4.5", "긴": str(long)}.items()
    head, *lines = person.get(value_render_option="UNFORMATTED_VALUE")
    found = [dict(zip(head, line, strict=True)) for line in (lines[0], lines[2])]
    assert [{name: one[name] for name in row} for one in found] == [{**row, "값": 132, "긴": str(long)}] * 2
    assert [one["id"] for one in found] == ["m-1", "7"]


@pytest.mark.verifies("google_sheets.append_rows", peer=PEER)
def test_rows_appended_again_under_the_same_step_are_there_once(connect, person):
    made = connect()
    for _ in range(2):
        made.call("append_rows", {"rows": [{"이름": "최구"}, {"id": "m-9", "이름": "최팔"}]}, key="case-1/list")
    assert person.col_values(1)[3:] == ["case-1/list#1", "m-9"]


@pytest.mark.verifies("google_sheets.upsert_rows", peer=PEER)
def test_many_rows_are_one_call_and_the_sheet_grows(connect, person, run):
    rows = [{"row_id": f"n-{at}", "row": {"이름": f"손님 {at}", "연락처": "010-0000-0000"}} for at in range(1500)]
    wide = [{"row_id": "m-1", "row": {f"질문 {at}": "답" for at in range(30)}}]
    assert len(connect().call("upsert_rows", {"rows": wide + rows})) == 1501
    assert len(run.calls(WRITE)) == 1
    assert len(person.get_all_values()) == 1503
    assert person.col_values(2)[-1] == "손님 1499"
    assert (person.acell("AH1").value, person.acell("AH2").value) == ("질문 29", "답")


def test_an_empty_sheet_gets_its_first_row(connect, run, person):
    connect(sheet="빈 시트").call("upsert_row", {"row_id": "m-1", "row": {"이름": "김하나"}})
    assert person.spreadsheet.worksheet("빈 시트").get_all_values() == [["id", "이름"], ["m-1", "김하나"]]


def test_after_a_timeout_that_follows_the_commit_nothing_is_there_twice(connect, person, run):
    made = connect()
    rows = {"rows": [{"row_id": f"n-{at}", "row": {"이름": f"손님 {at}"}} for at in range(50)]}
    run.faults({"tool": WRITE, "kind": "timeout_after_commit", "on_call": 1})
    with pytest.raises(Uncertain):
        made.call("upsert_rows", rows)
    assert len(person.col_values(1)) == 53
    made.call("upsert_rows", rows)
    assert person.col_values(1)[3:] == [f"n-{at}" for at in range(50)]
    assert len(run.calls(WRITE)) == 1  # all of it stood there: nothing was written again


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "timeout"}, Uncertain),
        ({"kind": "rate_limit", "retry_after": 9}, Unavailable),
        ({"kind": "unavailable"}, Unavailable),
        ({"kind": "bad_gateway"}, Uncertain),
        ({"kind": "transport_error", "status": 502}, Uncertain),
    ],
)
def test_what_goes_wrong_before_the_commit_changes_nothing(connect, person, run, fault, kind):
    run.faults({"tool": WRITE, **fault})
    with pytest.raises(kind):
        connect().call("upsert_row", {"row_id": "m-9", "row": {"이름": "최구"}})
    assert len(person.col_values(1)) == 3


def test_two_who_write_one_row_at_once_leave_one(connect, person):
    both = [connect(name="one"), connect(name="two")]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda at: both[at % 2].call("upsert_row", {"row_id": "m-3", "row": {"이름": "최구"}}), range(6)))
    assert person.col_values(1) == ["id", "m-1", "m-2", "m-3"]


class Disturbed(GoogleSheets):
    """Somebody works on the sheet between our look and our write."""

    def _sent(self, seen, plan):
        disturb = self.__dict__.pop("disturb", None)
        if disturb:
            disturb()
        return super()._sent(seen, plan)


@pytest.fixture
def disturbed(connect):
    def made(disturb):
        found = connect(Disturbed)
        found.__dict__["disturb"] = disturb
        return found

    return made


def test_a_line_that_somebody_types_meanwhile_is_not_written_over(disturbed, person):
    made = disturbed(lambda: person.append_row(["", "전화 손님", "010-9999-9999"]))
    made.call("upsert_row", {"row_id": "m-3", "row": {"이름": "최구"}})
    assert sorted(map(tuple, person.get_all_values()[3:])) == [
        ("", "전화 손님", "010-9999-9999", ""),
        ("m-3", "최구", "", ""),
    ]


@pytest.mark.parametrize(
    "line", [["", "맨 위에 적은 손님"], ["m-0", "새로 적은 손님", "010-0000-0000", "단골"]], ids=["no id", "id"]
)
def test_lines_that_somebody_moves_meanwhile_get_back_what_stood_in_them(disturbed, person, line):
    before = person.get_all_values()[1]

    def insert():
        place = {"sheetId": person.id, "dimension": "ROWS", "startIndex": 1, "endIndex": 2}
        person.spreadsheet.batch_update({"requests": [{"insertDimension": {"range": place}}]})
        person.update([line], "A2")

    made = disturbed(insert)
    assert made.call("upsert_row", {"row_id": "m-2", "row": {"상태": "등록"}})["id"] == "m-2"
    padded = line + [""] * (4 - len(line))
    assert person.get_all_values()[1:] == [padded, before, ["m-2", "박둘", "010-2222-3333", "등록"]]


def test_a_number_in_a_line_that_somebody_moves_meanwhile_is_a_number_again(connect, disturbed, person):
    numbers = {"m-1": {"값": 11, "말": "11"}, "m-2": {"값": 22, "말": "22"}}
    connect().call("upsert_rows", {"rows": [{"row_id": id, "row": row} for id, row in numbers.items()]})
    place = {"sheetId": person.id, "dimension": "ROWS", "startIndex": 1, "endIndex": 2}
    made = disturbed(lambda: person.spreadsheet.batch_update({"requests": [{"insertDimension": {"range": place}}]}))
    made.call("upsert_row", {"row_id": "m-2", "row": {"값": 33, "말": "33"}})
    lines = person.get(value_render_option="UNFORMATTED_VALUE")[2:]
    assert [(line[0], *line[4:]) for line in lines] == [("m-1", 11, "11"), ("m-2", 33, "33")]


def test_where_nobody_knows_what_stood_there_a_person_is_told(disturbed, person):
    made = disturbed(lambda: person.delete_rows(2))
    with pytest.raises(Rejected, match="look at line 3 of the sheet"):
        made.call("upsert_row", {"row_id": "m-2", "row": {"상태": "등록"}})


def test_who_may_not_open_the_spreadsheet_is_told_what_to_do(connect):
    with pytest.raises(NotConnected, match="there are: 회원 명단, 빈 시트"):
        connect(sheet="없는 시트").probe()
    with pytest.raises(NotConnected, match="share it with the person who consented"):
        connect(spreadsheet="another-companys-book").probe()
    with pytest.raises(NotConnected, match="digilog connect list"):
        connect(token="withdrawn").probe()
