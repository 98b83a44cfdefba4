"""Thousands of rows that are due together leave for Google as a few calls, and none is there twice."""

import gspread
import pytest
from google.oauth2.credentials import Credentials

from connectors.base import variable_of
from flows.store import tables as t
from tests.peers.myworld import BOOK, HEADER, myworld

TITLE = "신청"
READ, WRITE = "sheets.spreadsheets.values.batchGet", "sheets.spreadsheets.batchUpdate"
MANY = 5_000


@pytest.fixture(scope="module")
def world():
    with myworld() as found:
        yield found


@pytest.fixture
def run(world, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(world.certificate))
    monkeypatch.setenv("HTTPS_PROXY", world.proxy)  # for the second reader
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(world.certificate))
    return world.run({TITLE: HEADER})


@pytest.fixture
def ids(run):
    """The ids in the sheet, as another library reads them."""
    client = gspread.authorize(Credentials(run.token))
    yield lambda: client.open_by_key(BOOK).worksheet(TITLE).col_values(1)[1:]
    client.http_client.session.close()


@pytest.fixture
def begin(shop, run):
    """So many people have asked; each gets a row under a name of their own."""
    yield lambda count: _begin(shop, run, count)
    shop.world.connection("list").close()


def _begin(shop, run, count):
    shop.connect(
        "list", connector="google_sheets", spreadsheet=BOOK, proxy=run.world.proxy, client_id="onda", rate="60/1m"
    )
    row = {"row_id": "{{ name }}", "row": {"이름": "{{ name }}", "연락처": "{{ phone }}", "상태": "신청"}}
    shop.open([shop.machine("row", "list.upsert_row", row)])
    shop.world.secrets = {variable_of("list", "client_secret"): "secret"}
    shop.world.connection("list")._vault.save("list", {"refresh_token": run.token})
    for number in range(count):
        shop.asks(f"k{number}", f"손님-{number:04d}", phone=f"010-{1000 + number // 10000:04d}-{number % 10000:04d}")


def test_rows_that_gathered_leave_as_one_call_and_a_lost_answer_leaves_none_twice(shop, run, ids, begin):
    run.faults({"tool": READ, "kind": "unavailable", "times": None})
    begin(MANY)
    shop.turns(200)  # Google is away while all of them come in
    assert (ids(), shop.all(t.case, t.case.c.outcome == "done")) == ([], [])
    before = len(shop.calls.sent)
    run.faults({"tool": WRITE, "kind": "timeout_after_commit", "on_call": 1})
    shop.later(minutes=5)
    assert [one.action for one in shop.calls.sent[before:] if one.connection == "list"] == ["upsert_rows"]
    assert sorted(ids()) == [f"손님-{number:04d}" for number in range(MANY)]  # written, yet nobody here knows
    assert {case["outcome"] for case in shop.all(t.case)} == {None}
    shop.later(minutes=5)
    shop.turns(200)
    assert {case["outcome"] for case in shop.all(t.case)} == {"done"}
    assert sorted(ids()) == [f"손님-{number:04d}" for number in range(MANY)]
    assert len(run.calls(WRITE)) == 1


def test_sixty_writes_a_minute_are_enough_for_a_thousand_rows(shop, run, ids, begin):
    begin(1_000)
    shop.turns(200)
    assert len(run.calls(WRITE)) <= 10
    assert len(ids()) == 1_000
    assert {case["outcome"] for case in shop.all(t.case)} == {"done"}
