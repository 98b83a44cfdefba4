"""Google Forms: a form for trial lessons and what people sent, as its API (v1) tells it."""

import json
from typing import Any

from tests.connectors.samples._google import TOKEN, key_file

ID = "1FAbCdEfGhIjKlMnOpQrStUvWxYz0123456789-form"
FORM, LIST = f"GET /v1/forms/{ID}", f"GET /v1/forms/{ID}/responses"
SETTINGS: dict[str, Any] = {"form": ID}
SECRETS = {"service_account": key_file()}
ACTIONS: dict[str, dict[str, Any]] = {}


def question(id: str, title: str, kind: str = "textQuestion", **settings: Any) -> dict[str, Any]:
    asked = {"questionId": id, "required": True, kind: settings}
    return {"itemId": f"7{id}", "title": title, "questionItem": {"question": asked}}


TIMES = [("5e6f7081", "월요일"), ("6f708192", "화요일")]
ITEMS: list[dict[str, Any]] = [
    question("1a2b3c4d", "이름"),
    question("2b3c4d5e", "연락처 "),
    {"itemId": "70000001", "title": "안내", "textItem": {}},
    question("3c4d5e6f", "관심 있는 수업", "choiceQuestion", type="CHECKBOX", options=[{"value": "기구"}]),
    question("4d5e6f70", "처방전 사진", "fileUploadQuestion", maxFiles=2),
    {
        "itemId": "70000002",
        "title": "가능한 시간",
        "questionGroupItem": {
            "questions": [{"questionId": id, "rowQuestion": {"title": title}} for id, title in TIMES],
            "grid": {"columns": {"type": "RADIO", "options": [{"value": "오전"}, {"value": "오후"}]}},
        },
    },
]
WHOLE_FORM: dict[str, Any] = {
    "formId": ID,
    "info": {"title": "체험 수업 신청", "documentTitle": "체험 수업 신청(2026)"},
    "settings": {"emailCollectionType": "VERIFIED"},
    "revisionId": "0000000a",
    "responderUri": "https://docs.google.com/forms/d/e/1FAIpQLSsample/viewform",
    "items": ITEMS,
}


def texts(id: str, *chosen: str) -> dict[str, Any]:
    return {"questionId": id, "textAnswers": {"answers": [{"value": one} for one in chosen]}}


def response(id: str, sent: str, edited: str | None = None, name: str = "김하나") -> dict[str, Any]:
    """One response; times in UTC as Google writes them."""
    file = {"fileId": "1UpLoAdEdFiLe", "fileName": "처방전.jpg", "mimeType": "image/jpeg"}
    return {
        "responseId": id,
        "createTime": sent,
        "lastSubmittedTime": edited or sent,
        "respondentEmail": "hana@example.com",
        "answers": {
            "1a2b3c4d": texts("1a2b3c4d", name),
            "2b3c4d5e": texts("2b3c4d5e", "010-1234-5678"),
            "3c4d5e6f": texts("3c4d5e6f", "기구", "매트"),
            "4d5e6f70": {"questionId": "4d5e6f70", "fileUploadAnswers": {"answers": [file]}},
            "5e6f7081": texts("5e6f7081", "오전"),
        },
    }


FIRST = response("ACYDBNgFirst", "2026-11-22T05:31:49.123456Z")
TITLES = {
    "1a2b3c4d": "이름", "2b3c4d5e": "연락처", "3c4d5e6f": "관심 있는 수업", "4d5e6f70": "처방전 사진",
    "5e6f7081": "가능한 시간 [월요일]", "6f708192": "가능한 시간 [화요일]",
}  # fmt: skip
GOOD: dict[str, Any] = {
    "POST /token": (200, TOKEN),
    FORM: (200, WHOLE_FORM),
    LIST: (200, {"responses": [FIRST]}),
}
EVENTS: list[Any] = []
# What a poll keeps of one response: the body of an event, that `read` translates.
POLLED: list[bytes] = [json.dumps({"form": ID, "titles": TITLES, "response": FIRST}, ensure_ascii=False).encode()]
