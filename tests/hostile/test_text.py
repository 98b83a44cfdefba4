"""What customers write stays text: in messages, files, pages, the terminal and the logs; nothing of it is ever run."""

import logging
import re
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook

from flows.process import begin
from flows.store import tables as t
from tests.hostile.conftest import House

TEXTS = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "{{ name.__class__.__mro__ }}",
    "{% for x in y %}", "#{name} #{what}", "#{", "=cmd|' /C calc'!A0", "=1+1", "+1+1", "-2+3", "@SUM(1,2)", "\t=1+1",
    "#N/A", "\u202eevil\u202c", "\u2066x\u2069", "a\r\nBcc: x@example.com\r\n\r\nbody", "a\r\nto: somebody\r\n",
    "<!channel> <!everyone> <@U123> @here", "[bold red]x[/] [/nothing] [link=http://x]y[/link]", "\\[bold]x\\[/y]",
    "\x1b]0;owned\x07\x1b[2J\x1b[31mred", "\x9b31mred", "%s %(name)s {0} {x.__init__}", "'; DROP TABLE event; --",
    "../../etc/passwd", "None", "null", "~", "가" * 9_990, "🙂‍🙂\u0301\u0301\u0301", "a\x00b", "a\x0bb\x0c", "\ufeffx",
    '{"@date": "x"}', "$(reboot) `id` ${HOME} ${jndi:ldap://x}", "a\uffff\ufffeb", "\u2028x\u2029y",
)  # fmt: skip
_RUNS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # what a terminal obeys
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"}


def _told(house: House, caplog: pytest.LogCaptureFixture) -> None:
    assert [row["reason"] for row in house.all(t.event) if row["state"] != "decided"] == []
    assert [row["reason"] for row in house.all(t.case) if row["held"] or row["failed"]] == [], [
        (one["step"], one["state"], one["reason"]) for one in house.all(t.journal) if one["reason"]
    ][:5]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.fixture
def filled(house: House, caplog: pytest.LogCaptureFixture) -> House:
    """Every text has come by the form and by the webhook, as name and as question, and the machine did its steps."""
    for number, text in enumerate(TEXTS):
        fields = {"name": text[:200], "phone": f"010-1234-{number:04}", "what": text}
        assert house.form(**fields).status == 303, text[:80]
        assert house.hook(fields, f"h{number}").status == 202
    house.work()
    _told(house, caplog)
    return house


def test_what_customers_write_stays_text_everywhere(filled: House, capsys: pytest.CaptureFixture[str]) -> None:
    cases = filled.all(t.case)
    assert len(cases) == 2 * len(TEXTS)
    assert {row["status"] for row in cases} == {"assigned"}
    _outbox(filled)
    _excel(filled)
    _pages(filled)
    for case in cases[:: 1 + len(cases) // 40]:
        _plain(filled.digilog(capsys, "case", case["id"]))
    for words in (("cases",), ("events", "--all"), ("work", "list")):
        _plain(filled.digilog(capsys, *words))


def _outbox(house: House) -> None:
    """Each message has the head that we wrote, and the customer's text below it."""
    sent = {file.name: file.read_bytes().decode() for file in (house.home / "outbox").glob("*.txt")}
    thanks = [text for name, text in sent.items() if "thank" in name]
    assert len(thanks) == 2 * len(TEXTS)
    for text in sent.values():
        head, _, _ = text.partition("\n\n")
        names = [line.partition(":")[0] for line in head.split("\n")]
        assert names == [one for one in ("medium", "to", "message", "subject", "at") if one in names]
    for text in TEXTS:
        clean = text.strip()
        assert sum(clean in one for one in thanks) >= 1 or _RUNS.search(text) or "\uffff" in text, text[:80]
    assert not [text for text in sent.values() if "asks: 49" in text or "wrote: 49" in text]


def _excel(house: House) -> None:
    sheet = load_workbook(house.home / "files" / "list.xlsx").active
    assert sheet
    cells = [cell for line in sheet.iter_rows(min_row=2) for cell in line if cell.value is not None]
    assert len(cells) > 2 * len(TEXTS)
    assert {cell.data_type for cell in cells} == {"s"}
    assert {"=1+1", "=cmd|' /C calc'!A0", "@SUM(1,2)"} <= {cell.value for cell in cells}


def _pages(house: House) -> None:
    seen = list(house.pages())
    assert {page.status for page in seen} == {200}
    for page in seen:
        assert not re.search(r"<script|<img|onerror=alert\(1\)>(?!;)", page.text.replace("&gt;", ""))
        assert "Traceback" not in page.text
    wanted = "<script>alert(1)</script>".translate(str.maketrans(_ESCAPED))
    assert any(wanted in page.text for page in seen)


def _plain(shown: str) -> None:
    assert "Traceback" not in shown
    assert not _RUNS.search(shown), repr(_RUNS.search(shown))


ODD = (
    {"name": "\ud800"}, {"what": "a\udfffb"}, {"phone": "\ud800"}, {"name": ["x"]}, {"name": {"a": 1}}, {"name": None},
    {"name": True}, {"name": 1e308}, {"name": float("inf")}, {"name": float("nan")}, {"what": "x" * 20_000},
    {"phone": "0" * 5_000}, {"phone": "+82 10 1234 5678;ext=1"}, {"phone": "tel:x"}, {"phone": 1012345678},
    {"count": "1e999999999"}, {"count": "1e400"}, {"count": 10**300}, {"count": "٣"}, {"count": "１２"}, {"count": 1.5},
    {"sum": "1e999999999"}, {"sum": "1e-999999999"}, {"sum": "0e999999999"}, {"sum": "NaN"}, {"sum": "sNaN"},
    {"sum": "-Infinity"}, {"sum": "1_000"}, {"sum": 1e300}, {"sum": "9" * 9_000}, {"sum": {"@decimal": "1"}},
    {"at": "9999-12-31T23:59:59+00:00"}, {"at": "0001-01-01T00:00:00+14:00"}, {"at": "9999-12-31 23:59"},
    {"at": "0001-01-01 00:00"}, {"at": "2026-W01"}, {"at": "20260101T000000+2359"}, {"day": "0001-01-01"},
    {"day": "9999-12-31"}, {"day": "20261101"}, {"day": {"@date": "x"}}, {"data": {"name": "\ud800"}},
    {"data": {"data": {"data": {}}}}, {"__class__": "x", "@date": "y"}, {"Name": "\x00", "Phone": "\x00"},
)  # fmt: skip


def test_an_odd_answer_is_refused_or_kept_and_harms_nobody(
    house: House, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    good = {"name": "Kim", "phone": "010-9999-0000", "what": "hello"}
    for number, odd in enumerate(ODD):
        assert house.hook({**good, **odd}, f"odd{number}").status == 202
        if all(isinstance(value, str) for value in odd.values()):
            assert house.form(**{**good, **odd}).status in {303, 400, 422}
    assert house.hook(good, "good").status == 202
    house.work()
    states = {row["key"]: row["state"] for row in house.all(t.event)}
    assert states["good"] == "decided"
    assert set(states.values()) <= {"decided", "quarantined"}
    assert [row["held"] for row in house.all(t.case) if row["held"]] == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    for page in house.pages():
        assert page.status == 200
    for case in house.all(t.case):
        _plain(house.digilog(capsys, "case", case["id"]))
    assert all(len(file.read_bytes()) < 100_000 for file in (house.home / "outbox").iterdir())


def test_a_fault_is_logged_by_kind_and_place_never_by_its_words(house: House, tmp_path: Path) -> None:
    """Whatever was raised, its words may be a customer's."""
    root = logging.getLogger()
    words = "more secret words"
    before, level = root.handlers[:], root.level
    try:
        begin("engine", tmp_path / "logged")
        try:
            try:
                Decimal("secret words of a customer")
            except ArithmeticError as cause:
                raise KeyError(words) from cause
        except KeyError:
            logging.getLogger("flows.engine").exception("row 7 was set aside")
        for handler in root.handlers:
            handler.close()
    finally:
        root.handlers, root.level = before, level
    written = (tmp_path / "logged" / "logs" / "engine.log").read_text("utf-8")
    assert "row 7 was set aside" in written
    assert "KeyError" in written
    assert "InvalidOperation" in written
    assert "test_text.py" in written
    assert "secret words" not in written


def test_no_text_makes_a_list_unreadable(house: House) -> None:
    """What a person types is not typed by a form's rules; the file must stay whole all the same."""
    sheet = house.context.world.connection("list")
    for number, text in enumerate(("a\uffffb", "\ufffe", "\ud800x", "\x00\x1f", "=1", "plain")):
        sheet.call("upsert_row", {"row_id": f"r{number}", "row": {"what": text}}, key=f"k{number}")
    assert [row["cells"]["what"] for row in sheet.call("read", {}, key="r")] == ["ab", "", "x", "", "=1", "plain"]


def test_a_poisoned_event_takes_nothing_away_from_the_next(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """The first event of a version is poisoned: what it kept of the version is gone with it, and kept again."""
    good = {"name": "Kim", "phone": "010-9999-0000", "what": "hello"}
    house.hook(good, "poisoned")
    house.hook(good, "next")
    with house.store.write() as session:
        session.exec_driver_sql(
            "CREATE TRIGGER poison BEFORE INSERT ON private_case WHEN (SELECT count(*) FROM private_case) = 0 "
            "AND (SELECT event_id FROM \"case\" WHERE id = new.case_id) = 1 BEGIN SELECT RAISE(ABORT, 'poison'); END"
        )
    house.work()
    assert {row["key"]: row["state"] for row in house.all(t.event) if row["connection"] == "hook"} == {
        "poisoned": "quarantined",
        "next": "decided",
    }
    assert "was set aside" in caplog.text


def test_a_store_that_refuses_does_not_say_whose_row_it_was(house: House) -> None:
    with pytest.raises(Exception) as raised, house.store.write() as session:  # noqa: PT011
        session.execute(t.private_event.insert(), {"event_id": 999, "body": b"canary", "headers": "canary words"})
    assert "canary" not in str(raised.value)
