"""Tally: a trial form as its help page shows one, with every kind of answer that is not plain text."""

import base64
import hmac
import json
from collections.abc import Mapping
from typing import Any

SETTINGS: dict[str, Any] = {}
SECRETS = {"signing_secrets": "5f0c1e7a-4c9b-4d1e-9a53-tally"}
ACTIONS: dict[str, dict[str, Any]] = {}
GOOD: dict[str, Any] = {}

PAYLOAD: dict[str, Any] = {
    "eventId": "a4cb511e-d513-4fa5-baee-b815d718dfd1",
    "eventType": "FORM_RESPONSE",
    "createdAt": "2026-11-20T09:12:44.021Z",
    "data": {
        "responseId": "2wgx4n",
        "submissionId": "2wgx4n",
        "respondentId": "dwQKYm",
        "formId": "VwbNEw",
        "formName": "체험 신청",
        "createdAt": "2026-11-20T09:12:43.000Z",
        "fields": [
            {"key": "question_name", "label": "이름", "type": "INPUT_TEXT", "value": "김하나"},
            {"key": "question_phone", "label": "전화번호", "type": "INPUT_PHONE_NUMBER", "value": "+821033334444"},
            {"key": "question_mail", "label": "이메일", "type": "INPUT_EMAIL", "value": "hana@example.com"},
            {"key": "question_date", "label": "희망일", "type": "INPUT_DATE", "value": "2026-11-28"},
            {"key": "question_time", "label": "희망 시간", "type": "INPUT_TIME", "value": "10:30"},
            {
                "key": "question_branch", "label": "지점", "type": "MULTIPLE_CHOICE", "value": ["e7bfbbc6"],
                "options": [{"id": "e7bfbbc6", "text": "합정점"}, {"id": "1ac8f6b1", "text": "망원점"}],
            },
            {
                "key": "question_body", "label": "불편한 곳", "type": "CHECKBOXES", "value": ["9f86", "2c62"],
                "options": [
                    {"id": "9f86", "text": "허리"}, {"id": "2c62", "text": "어깨"}, {"id": "77de", "text": "목"},
                ],
            },
            {"key": "question_body_9f86", "label": "불편한 곳 (허리)", "type": "CHECKBOXES", "value": True},
            {"key": "question_body_2c62", "label": "불편한 곳 (어깨)", "type": "CHECKBOXES", "value": True},
            {"key": "question_body_77de", "label": "불편한 곳 (목)", "type": "CHECKBOXES", "value": False},
            {
                "key": "question_photo", "label": "자세 사진", "type": "FILE_UPLOAD",
                "value": [
                    {"id": "mVoM7k", "name": "a.jpg", "url": "https://storage.example.com/a.jpg",
                     "mimeType": "image/jpeg", "size": 1234},
                ],
            },
            {"key": "question_pain", "label": "통증", "type": "LINEAR_SCALE", "value": 4},
            {
                "key": "question_week", "label": "가능한 때", "type": "MATRIX",
                "value": {"r1": ["c1"], "r2": ["c1", "c2"]},
                "rows": [{"id": "r1", "text": "평일"}, {"id": "r2", "text": "주말"}],
                "columns": [{"id": "c1", "text": "오전"}, {"id": "c2", "text": "오후"}],
            },
            {"key": "question_memo", "label": "메모", "type": "TEXTAREA", "value": None},
            {"key": "question_ref", "label": "utm_source", "type": "HIDDEN_FIELDS", "value": "instagram"},
        ],
    },
}  # fmt: skip


def headers_of(raw: bytes, secrets: Mapping[str, str]) -> dict[str, str]:
    signature = hmac.digest(secrets["signing_secrets"].encode(), raw, "sha256")
    return {"content-type": "application/json", "tally-signature": base64.b64encode(signature).decode()}


EVENTS = [(headers_of, json.dumps(PAYLOAD, ensure_ascii=False, separators=(",", ":")).encode())]
