"""What a customer wrote stays text wherever it is sent to: no formula, header, link, call to everybody, markup."""

import json
import re
from email import message_from_bytes
from email.policy import default

import pytest
from openpyxl import load_workbook

from connectors.errors import ConnectorError, Rejected
from connectors.messaging.email import Email
from connectors.messaging.outbox import Outbox
from connectors.spreadsheets.excel import Excel
from tests.faults.calls import KEY, connect, sample
from tests.faults.server import Service, serving

FORMULAS = [
    "=1+1", "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1,1)", "\t=1+1", "\r=1+1", "\n=1+1", " =1+1",
    '=HYPERLINK("http://x")', "'=1", "＝1+1", "01012345678", "1e5", "2026-01-01", "TRUE", "#N/A",
    '=IMPORTXML("http://x","//a")', "1,000", "5%",
]  # fmt: skip
HEADERS = [
    "a\r\nBcc: all@x.example", "a\nBcc: all@x.example", "a\rBcc: x", "a\r\n\r\nbody", "a\x00b", "a\u2028Bcc: x",
    "a\x0bBcc: x",
]  # fmt: skip
CHAT = [
    "<!channel>", "<!here> go", "<!everyone>", "<@U0HAN0001>", "<#C0DESK001>", "<https://evil.example|우리 은행>",
    "&lt;!channel&gt;", "@everyone", "@here", "<@&1234>", "[우리 은행](https://evil.example)", "*bold* _x_ ~y~ `z`",
    "```x```", "<b>x</b>", "<a href='https://evil.example'>x</a>", "<script>alert(1)</script>", "tg://user?id=1",
    "> quote", "a & b < c > d",
]  # fmt: skip


def sent(service: str, arguments: dict, tmp_path) -> dict:
    """The body that a connector sends."""
    one = sample(service)
    with serving(Service(one.GOOD)) as desk:
        connector = connect(service, desk.base_url, tmp_path)
        connector.call("send", {"medium": "team", "to": "x", **arguments}, key=KEY)
        connector.close()
    return json.loads(desk.asked[-1].body)


@pytest.mark.parametrize("text", [*CHAT, *FORMULAS])
def test_in_slack_nothing_is_a_call_or_a_link(text, tmp_path):
    body = sent("slack", {"text": text}, tmp_path)
    assert not re.search(r"[<>]", body["text"])
    assert body["text"].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text
    assert (body["parse"], body["link_names"], body["mrkdwn"]) == ("none", False, False)


@pytest.mark.parametrize("text", CHAT)
def test_in_telegram_nothing_is_markup(text, tmp_path):
    body = sent("telegram", {"text": text}, tmp_path)
    assert body["text"] == text
    assert not {"parse_mode", "entities"} & set(body)


@pytest.mark.parametrize("text", CHAT)
def test_in_discord_nobody_is_called_and_no_link_is_hidden(text, tmp_path):
    body = sent("chat_webhook", {"text": text}, tmp_path)
    assert body["allowed_mentions"] == {"parse": []}
    assert "](" not in body["content"]
    assert not {"embeds", "components", "username", "avatar_url"} & set(body)


@pytest.mark.parametrize("value", [*FORMULAS, *CHAT])
def test_in_excel_a_cell_holds_what_was_written(value, tmp_path):
    made = Excel.connect("sheet", {"file": "a.xlsx"}, environ={}, home=tmp_path)
    made.call("upsert_row", {"row_id": "1", "row": {"이름": value}}, key=KEY)
    cell = load_workbook(tmp_path / "files" / "a.xlsx").active.cell(2, 2)
    assert cell.data_type == "s"
    assert str(cell.value).replace("_x000D_", "\r").replace("\r", "\n") == value.replace("\r", "\n")


@pytest.mark.parametrize("value", [*FORMULAS, *CHAT])
def test_in_google_sheets_a_cell_is_a_text_and_never_a_formula(value, tmp_path):
    one = sample("google_sheets")
    with serving(Service(one.GOOD)) as desk:
        connector = connect("google_sheets", desk.base_url, tmp_path)
        connector.call("append_rows", {"rows": [{"이름": value}]}, key=KEY)
        connector.close()
    (body,) = [one.body.decode() for one in desk.asked if one.what.endswith(":batchUpdate")]
    assert "formulaValue" not in body
    assert json.dumps(value, ensure_ascii=False) in body or json.dumps(value) in body
    assert "USER_ENTERED" not in body


@pytest.mark.parametrize("where", ["subject", "to", "sender"])
@pytest.mark.parametrize("text", HEADERS)
def test_in_an_e_mail_no_header_is_added(where, text):
    settings = {"host": "mail.example.com", "username": "shop", "sender": "shop@example.com"}
    if where == "sender":
        settings["sender"] = f"{text} <shop@example.com>"
    mail = Email.connect("mail", settings, environ={"DIGILOG_CONNECTIONS__MAIL__PASSWORD": "hush"})
    arguments = {"to": "hana@example.com", "subject": "예약"} | ({where: text} if where != "sender" else {})
    try:
        made = mail._mail(arguments["to"], arguments["subject"], "본문\r\nBcc: none", KEY)
    except ConnectorError as error:
        assert isinstance(error, Rejected)  # noqa: PT017 - either is well
        return
    found = message_from_bytes(made.as_bytes(), policy=default)
    assert set(found.keys()) <= {"From", "To", "Subject", "Message-ID", "Content-Type", "Content-Transfer-Encoding",
                                 "MIME-Version"}  # fmt: skip
    assert found["To"] == "hana@example.com"


@pytest.mark.parametrize("text", HEADERS)
def test_in_the_outbox_a_head_has_its_lines_and_no_more(text, tmp_path):
    made = Outbox.connect("outbox", {}, environ={}, home=tmp_path)
    made.call("send", {"medium": "sms", "to": text, "text": "x", "subject": text, "message": text}, key=KEY)
    (file,) = (tmp_path / "outbox").glob("*.txt")
    head = file.read_text().partition("\n\n")[0]
    assert [line.partition(":")[0] for line in head.split("\n")] == ["medium", "to", "message", "subject", "at"]
