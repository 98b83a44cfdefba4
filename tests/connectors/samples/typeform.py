"""Typeform: a response as its page of an example payload shows one, answers of every type."""

import base64
import hmac
import json
from collections.abc import Mapping
from typing import Any

SETTINGS: dict[str, Any] = {"form": "lT4Z3j"}
SECRETS = {"signing_secrets": "a-word-of-chance-41", "token": "tfp_6b8f12"}
ACTIONS: dict[str, dict[str, Any]] = {}

FIELDS: list[dict[str, Any]] = [
    {"id": "JwWggjAKtOkA", "title": "이름", "type": "short_text", "ref": "name"},
    {"id": "PhoNeNuMbEr1", "title": "전화번호", "type": "phone_number", "ref": "phone"},
    {"id": "SMEUb7VJz92Q", "title": "이메일", "type": "email", "ref": "email"},
    {"id": "KoJxDM3c6x8h", "title": "희망일", "type": "date", "ref": "day"},
    {"id": "k6TP9oLGgHjl", "title": "지점", "type": "multiple_choice", "ref": "branch"},
    {"id": "PNe8ZKBK8C2Q", "title": "불편한 곳", "type": "multiple_choice", "ref": "where"},
    {"id": "Q7M2XAwY04dW", "title": "몇 번 해 보셨나요?", "type": "number", "ref": "times"},
    {"id": "gFFf3xAkJKsr", "title": "동의", "type": "legal", "ref": "consent"},
    {"id": "RUqkXSeXBXSd", "title": "홈페이지", "type": "website", "ref": "site"},
    {
        "id": "GrouP1234567", "title": "더 알려 주세요", "type": "group", "ref": "more",
        "properties": {
            "fields": [
                {"id": "FileUpload12", "title": "자세 사진", "type": "file_upload", "ref": "photo"},
                {"id": "DlXFaesGBpoF", "title": "메모", "type": "long_text", "ref": "memo"},
            ]
        },
    },
]  # fmt: skip


def _field(place: int, fields: list[dict[str, Any]] = FIELDS) -> dict[str, Any]:
    return {one: fields[place][one] for one in ("id", "type", "ref")}


_INNER = FIELDS[9]["properties"]["fields"]
ANSWERS: list[dict[str, Any]] = [
    {"type": "text", "text": "김하나", "field": _field(0)},
    {"type": "phone_number", "phone_number": "+821033334444", "field": _field(1)},
    {"type": "email", "email": "hana@example.com", "field": _field(2)},
    {"type": "date", "date": "2026-11-28", "field": _field(3)},
    {"type": "choice", "choice": {"id": "a", "label": "합정점", "ref": "b1"}, "field": _field(4)},
    {"type": "choices", "choices": {"ids": ["x", "y"], "labels": ["허리", "어깨"]}, "field": _field(5)},
    {"type": "number", "number": 5, "field": _field(6)},
    {"type": "boolean", "boolean": True, "field": _field(7)},
    {"type": "url", "url": "https://hana.example.com", "field": _field(8)},
    {"type": "file_url", "file_url": "https://api.typeform.com/responses/files/1/a.jpg", "field": _field(0, _INNER)},
    {"type": "text", "text": "아침이 좋아요", "field": _field(1, _INNER)},
]
PAYLOAD: dict[str, Any] = {
    "event_id": "LtWXD3crgy",
    "event_type": "form_response",
    "form_response": {
        "form_id": "lT4Z3j",
        "token": "a3a12ec67a1365927098a606107fac15",
        "submitted_at": "2026-11-20T18:17:02Z",
        "landed_at": "2026-11-20T18:07:02Z",
        "hidden": {"utm_source": "instagram"},
        "calculated": {"score": 9},
        "variables": [{"key": "score", "type": "number", "number": 4}],
        "definition": {"id": "lT4Z3j", "title": "체험 신청", "fields": FIELDS},
        "answers": ANSWERS,
    },
}
LISTED: dict[str, Any] = {
    "token": "a3a12ec67a1365927098a606107fac15",
    "response_id": "a3a12ec67a1365927098a606107fac15",
    "landed_at": "2026-11-20T18:07:02Z",
    "submitted_at": "2026-11-20T18:17:02Z",
    "hidden": {"utm_source": "instagram"},
    "variables": [{"key": "score", "type": "number", "number": 4}],
    "answers": ANSWERS,
}
GOOD: dict[str, Any] = {
    "GET /forms/lT4Z3j": (200, {"id": "lT4Z3j", "title": "체험 신청", "fields": FIELDS}),
    "GET /forms/lT4Z3j/responses": (200, {"total_items": 1, "page_count": 1, "items": [LISTED]}),
}


def headers_of(raw: bytes, secrets: Mapping[str, str]) -> dict[str, str]:
    signature = hmac.digest(secrets["signing_secrets"].encode(), raw, "sha256")
    return {
        "content-type": "application/json",
        "typeform-signature": f"sha256={base64.b64encode(signature).decode()}",
    }


EVENTS = [(headers_of, json.dumps(PAYLOAD, ensure_ascii=False).encode())]
