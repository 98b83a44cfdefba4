"""Google Sheets on the wire: the login, what each call says, and what Google's refusals mean."""

import base64
import json
from contextlib import ExitStack
from decimal import Decimal
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from connectors.base import variable_of
from connectors.errors import NotConnected, Rejected, Unavailable, Uncertain
from connectors.registry import find
from connectors.testing import scripted
from tests.connectors.samples import _google as google
from tests.connectors.samples import google_sheets as sample
from tests.connectors.samples.google_sheets import DONE, HEADER, MEMBER, PATH, READ, WRITE, book, values
from tests.peers.discovery import discovery

KEY = "case-1/step"
BOOK, LOGIN = f"GET {PATH}", "POST /token"


@pytest.fixture
def sheet(tmp_path):
    """Connect to a scripted Google. The calls are judged by Google's own document at the end."""
    opened = []

    def connect(answers=None, secret=None, **settings):
        script = opened_script.enter_context(scripted({**sample.GOOD, **(answers or {})}))
        environ = {variable_of("list", "service_account"): secret or sample.SECRETS["service_account"]}
        told = {**sample.SETTINGS, "base_url": script.base_url, "allow_loopback": True, **settings}
        made = find("google_sheets").connect("list", told, environ=environ, home=tmp_path)
        opened.append((script, made))
        made.__dict__["script"] = script
        return made

    with ExitStack() as opened_script:
        yield connect
        judge = discovery("sheets", "v4")
        for script, made in opened:
            made.close()
            for one in script.asked:
                if one.path != "/token":
                    judge.asked(one.method, one.path, one.body)


def asked(made, what):
    return [one for one in made.__dict__["script"].asked if f"{one.method} {one.path.partition('?')[0]}" == what]


def error(status, reason, **more):
    """One of Google's errors."""
    detail = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
    return status, {"error": {"code": status, "message": "고객 010", "status": "FAILED", "details": [detail], **more}}


@pytest.mark.parametrize("what", [BOOK, READ, WRITE])
@pytest.mark.verifies("google_sheets.read", peer="Google's discovery document, sheets v4")
@pytest.mark.verifies("google_sheets.append_rows", peer="Google's discovery document, sheets v4")
@pytest.mark.verifies("google_sheets.upsert_row", peer="Google's discovery document, sheets v4")
@pytest.mark.verifies("google_sheets.upsert_rows", peer="Google's discovery document, sheets v4")
def test_calls_and_answers_are_those_of_googles_own_document(sheet, what):
    made = sheet()
    for name, arguments in sample.ACTIONS.items():
        made.call(name, arguments, key=KEY)
    judge, (verb, _, path) = discovery("sheets", "v4"), what.partition(" ")
    called = [judge.asked(one.method, one.path, one.body) for one in asked(made, what)]
    assert set(called) == {judge.method(verb, path)["id"]}
    judge.answered(called[0], sample.GOOD[what][1])


def test_the_judge_refuses_what_google_refuses():
    judge = discovery("sheets", "v4")
    with pytest.raises(AssertionError, match="takes no colour"):
        judge.asked("GET", f"{PATH}?colour=red")
    with pytest.raises(AssertionError, match="Google has no DELETE"):
        judge.asked("DELETE", PATH)
    with pytest.raises(AssertionError, match="Additional properties are not allowed"):
        judge.asked("POST", f"{PATH}:batchUpdate", b'{"requests": [{"appendCell": {}}]}')
    with pytest.raises(AssertionError, match="is none of"):
        judge.asked("GET", f"{PATH}/values:batchGet?majorDimension=LINES")


def test_a_service_account_signs_for_a_token_which_is_used_while_it_lives(sheet):
    made = sheet()
    made.read()
    made.read()
    (login,) = asked(made, LOGIN)
    form = {name: one for name, (one,) in parse_qs(login.body.decode()).items()}
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    head, body, signature = form["assertion"].split(".")
    google.private_key().public_key().verify(
        base64.urlsafe_b64decode(signature + "=="), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    assert (claims["iss"], claims["scope"]) == (google.EMAIL, "https://www.googleapis.com/auth/spreadsheets")
    assert claims["exp"] - claims["iat"] == 3600
    assert {one.headers["authorization"] for one in asked(made, READ)} == {f"Bearer {google.TOKEN['access_token']}"}


@pytest.mark.parametrize("lives", [59, 0, "30"])
def test_a_token_about_to_end_is_not_begun_with(sheet, lives):
    made = sheet({LOGIN: (200, {**google.TOKEN, "expires_in": lives})})
    made.read()
    assert len(asked(made, LOGIN)) == 2


def test_a_token_that_is_refused_before_its_time_is_renewed_once(sheet):
    made = sheet({READ: [(401, {}), (200, values(HEADER, MEMBER))]})
    assert [row.id for row in made.read()] == ["m-1"]
    assert len(asked(made, LOGIN)) == 2
    made = sheet({READ: (401, {})})
    with pytest.raises(NotConnected, match=r"Google refused the credentials \(401\)"):
        made.read()
    assert len(asked(made, READ)) == 2


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((400, {"error": "invalid_grant", "error_description": "Invalid JWT"}), NotConnected, "clock wrong"),
        ((401, {"error": "invalid_client"}), NotConnected, "refused the service account's key"),
        ((400, {"error": "server_error"}), Unavailable, "come later"),
        ((503, ""), Unavailable, "come later"),
        ((200, "<html>log in to the hotel's network</html>"), Unavailable, "is no token"),
        ((200, {"id_token": "x"}), Unavailable, "is no token"),
        ((200, {"access_token": "a\r\nb"}), Unavailable, "is no token"),
        ((200, {"access_token": ["x"], "expires_in": 10}), Unavailable, "is no token"),
        ((200, {"access_token": "x", "expires_in": "soon"}), Unavailable, "is no token"),
    ],
)
def test_a_login_that_fails_says_what_to_do_and_nothing_was_written(sheet, answer, kind, words):
    made = sheet({LOGIN: answer})
    with pytest.raises(kind) as told:
        made.call("upsert_row", {"row_id": "m-1", "row": {}}, key=KEY)
    assert words in str(told.value)
    assert "list" in str(told.value)
    assert asked(made, WRITE) == []


def test_the_key_may_lie_in_the_secrets_folder(sheet, tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "google.json").write_text(sample.SECRETS["service_account"])
    assert sheet(secret="google.json").read()
    for secret in ("missing.json", "../google.json", "/etc/passwd", "\0", "."):
        with pytest.raises(NotConnected, match="there is no such file in the home's folder secrets"):
            sheet(secret=secret).read()
    with pytest.raises(NotConnected, match="this is no key of a Google service account"):
        sheet(secret='{"type": "authorized_user"}').read()


def test_neither_key_nor_consent_says_what_is_missing(tmp_path):
    made = find("google_sheets").connect("list", sample.SETTINGS, environ={}, home=tmp_path)
    with pytest.raises(NotConnected) as told:
        made.call("read", {})
    assert "digilog connect list" in str(told.value)
    with pytest.raises(NotConnected, match="DIGILOG_CONNECTIONS__LIST__SERVICE_ACCOUNT is not set"):
        made.consent("http://127.0.0.1:9/")


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (error(403, "SERVICE_DISABLED"), NotConnected, "Library: enable Google Sheets API"),
        (error(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"), NotConnected, "consent again"),
        (error(403, "RATE_LIMIT_EXCEEDED"), Unavailable, "come later"),
        (error(403, "PERMISSION_DENIED"), NotConnected, f"share it with {google.EMAIL}"),
        (error(404, "NOT_FOUND"), NotConnected, f"share it with {google.EMAIL}"),
        (error(429, "RESOURCE_EXHAUSTED"), Unavailable, "come later"),
        (error(500, "INTERNAL"), Unavailable, "failed"),
    ],
)
def test_a_refusal_says_what_to_do(sheet, answer, kind, words):
    made = sheet({READ: answer})
    with pytest.raises(kind) as told:
        made.call("read", {})
    assert words in str(told.value)
    assert "010" not in str(told.value)


def test_a_sheet_that_is_not_there_is_told_with_those_that_are(sheet):
    made = sheet({BOOK: (200, book("회원", "지난 회원"))})
    with pytest.raises(NotConnected, match=r"the spreadsheet has no 회원 명단; there are: 회원, 지난 회원"):
        made.read()
    assert sheet({BOOK: (200, book("회원", "지난 회원")), READ: (200, values(HEADER))}, sheet=None).read() == []


def test_a_sheet_that_was_renamed_or_replaced_is_looked_up_again(sheet):
    made = sheet({BOOK: [(200, book("옛 이름")), (200, book("새 이름"))]}, sheet=None)
    made.probe()
    made.__dict__["script"].answers[READ] = [(400, {}), (200, values(HEADER, MEMBER, title="새 이름"))]
    assert [row.id for row in made.read()] == ["m-1"]
    replaced = sheet(
        {BOOK: [(200, book("회원 명단", first=5)), (200, book("회원 명단", first=9))], WRITE: [(400, {}), (200, DONE)]}
    )
    replaced.upsert_row("m-3", {"이름": "최구"})
    sent = [
        json.loads(one.body)["requests"][0]["insertDimension"]["range"]["sheetId"] for one in asked(replaced, WRITE)
    ]
    assert sent == [5, 9]


def test_what_google_refuses_for_good_is_not_sent_again(sheet):
    made = sheet({WRITE: (400, {})})
    with pytest.raises(Rejected, match="refused these changes"):
        made.upsert_row("m-3", {})
    assert len(asked(made, WRITE)) == 1


@pytest.mark.parametrize(
    "answer", [(200, ""), (200, "{}"), (200, "[]"), (502, "<html>"), (200, {"spreadsheetId": "x"})]
)
def test_a_write_without_a_readable_answer_is_uncertain(sheet, answer):
    made = sheet({WRITE: answer})
    with pytest.raises(Uncertain):
        made.upsert_row("m-3", {})


def test_what_stands_there_already_is_not_written_again(sheet):
    made = sheet()
    row = made.call("upsert_row", {"row_id": "m-1", "row": dict(zip(HEADER[1:], MEMBER[1:], strict=True))}, key=KEY)
    assert row == {"id": "m-1", "cells": dict(zip(HEADER, MEMBER, strict=True))}
    assert (asked(made, WRITE), len(asked(made, READ))) == ([], 1)


@pytest.mark.parametrize(("height", "lines", "above"), [(1000, 1, False), (1, 1, True), (1000, 2, True), (2, 2, True)])
def test_new_lines_look_like_those_above_but_not_like_the_first_row(sheet, height, lines, above):
    made = sheet({READ: (200, values(*[HEADER, MEMBER][:lines], height=height))})
    made.upsert_row("m-3", {})
    (sent,) = asked(made, WRITE)
    (put,) = [one["insertDimension"] for one in json.loads(sent.body)["requests"] if "insertDimension" in one]
    assert put["inheritFromBefore"] is above


def test_numbers_go_as_numbers_with_their_look_and_only_their_columns_get_one(sheet):
    made = sheet({READ: (200, values(["id", "이름", "수", "말"], ["m-1", "김하나", "3", "넷"]))})
    one, two = {"이름": "박둘", "수": 12, "말": "12"}, {"이름": "", "수": "없음", "말": None}
    rows = {"m-1": {"수": Decimal("4.50"), "말": "다섯"}, "m-2": one, "m-3": two}
    made.call("upsert_rows", {"rows": [{"row_id": id, "row": row} for id, row in rows.items()]})
    sent = json.loads(asked(made, WRITE)[0].body)["requests"]
    cells = [one["updateCells"] for one in sent if "updateCells" in one]
    look = "userEnteredFormat.numberFormat"
    assert [(one["start"]["rowIndex"], one["start"]["columnIndex"], look in one["fields"]) for one in cells] == [
        (1, 2, True), (1, 3, False), (2, 0, False), (2, 2, True), (2, 3, False),
    ]  # fmt: skip
    assert cells[0]["rows"] == [{"values": [_number(4.5, "0.00")]}]
    text = {"userEnteredValue": {"stringValue": "없음"}, "userEnteredFormat": {"numberFormat": {"type": "TEXT"}}}
    assert cells[3]["rows"] == [{"values": [_number(12, "0")]}, {"values": [text]}]
    assert cells[4]["rows"] == [{"values": [{"userEnteredValue": {"stringValue": "12"}}]}, {"values": [{}]}]


def _number(number, pattern):
    look = {"numberFormat": {"type": "NUMBER", "pattern": pattern}}
    return {"userEnteredValue": {"numberValue": number}, "userEnteredFormat": look}


def test_an_address_is_as_good_as_an_id():
    def check(spreadsheet):
        return find("google_sheets").check_settings({"spreadsheet": spreadsheet})

    assert check(f"https://docs.google.com/spreadsheets/d/{sample.ID}/edit#gid=0") == []
    assert check(sample.ID) == []
    assert len(check("회원 명단")) == 1
    assert len(check("../../v4/other")) == 1


def test_a_sheet_too_large_to_read_is_told(sheet):
    made = sheet({READ: (200, values(*[["x" * 1000] * 100] * 110))})
    with pytest.raises(Rejected, match="too long"):
        made.read()
