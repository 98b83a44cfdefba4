"""Google Sheets: one sheet of members, as its API (v4) tells it."""

from typing import Any

from tests.connectors.samples._google import TOKEN, key_file

ID = "1AbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-digi"
PATH = f"/v4/spreadsheets/{ID}"
READ, WRITE = f"GET {PATH}/values:batchGet", f"POST {PATH}:batchUpdate"
SETTINGS: dict[str, Any] = {"spreadsheet": ID, "sheet": "회원 명단"}
SECRETS = {"service_account": key_file()}
ACTIONS: dict[str, dict[str, Any]] = {
    "read": {},
    "append_rows": {"rows": [{"이름": "박둘", "연락처": "010-2222-3333"}]},
    "upsert_row": {"row_id": "m-1", "row": {"상태": "등록", "메모": "=1+1"}},
    "upsert_rows": {"rows": [{"row_id": "m-1", "row": {"상태": "등록"}}, {"row_id": "m-9", "row": {"이름": "최구"}}]},
}


def values(*lines: list[str], height: int = 1000, width: str = "Z", title: str = "회원 명단") -> dict[str, Any]:
    """The sheet as it stands; trailing empty lines are left out, as Google does."""
    found = {"range": f"'{title}'!A1:{width}{height}", "majorDimension": "ROWS"}
    return {"spreadsheetId": ID, "valueRanges": [{**found, "values": list(lines)} if lines else found]}


def book(*titles: str, first: int = 0) -> dict[str, Any]:
    """The spreadsheet's sheets."""
    pages = [{"sheetId": first + at, "title": title, "sheetType": "GRID"} for at, title in enumerate(titles)]
    return {"sheets": [{"properties": one} for one in pages]}


HEADER = ["id", "이름", "연락처", "상태"]
MEMBER = ["m-1", "김하나", "010-1234-5678", "상담"]
DONE = {"spreadsheetId": ID, "replies": [{}]}
GOOD: dict[str, Any] = {
    "POST /token": (200, TOKEN),
    f"GET {PATH}": (200, book("회원 명단", "지난 회원")),
    READ: (200, values(HEADER, MEMBER)),
    WRITE: (200, DONE),
}
EVENTS: list[Any] = []
