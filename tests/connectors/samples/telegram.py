"""Telegram: a bot that writes to a group, and a message written to it."""

import json
from collections.abc import Mapping
from typing import Any

SETTINGS: dict[str, Any] = {"chat": "-1001234567890"}
SECRETS = {"token": "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "webhook_secrets": "word_of_chance-42"}
_AT = f"/bot{SECRETS['token']}"
ACTIONS: dict[str, dict[str, Any]] = {
    "send": {"medium": "team", "to": "han@onda.example", "text": "새 체험 신청: 김하나", "subject": "온다"},
}
_BOT = {"id": 110201543, "is_bot": True, "first_name": "온다 알림", "username": "onda_bot"}
_CHAT = {"id": -1001234567890, "type": "supergroup", "title": "온다 데스크"}
GOOD: dict[str, Any] = {
    f"POST {_AT}/sendMessage": (
        200,
        {
            "ok": True,
            "result": {"message_id": 41, "from": _BOT, "chat": _CHAT, "date": 1_700_000_000, "text": "온다"},
        },
    ),
    f"GET {_AT}/getMe": (200, {"ok": True, "result": _BOT}),
}
UPDATE: dict[str, Any] = {
    "update_id": 792_314_201,
    "message": {
        "message_id": 42,
        "from": {"id": 5_550_101, "is_bot": False, "first_name": "한원장", "language_code": "ko"},
        "chat": _CHAT,
        "date": 1_700_000_100,
        "text": "제가 전화할게요",
    },
}


def headers_of(raw: bytes, secrets: Mapping[str, str]) -> dict[str, str]:
    del raw
    return {
        "content-type": "application/json",
        "x-telegram-bot-api-secret-token": secrets["webhook_secrets"],
    }


EVENTS = [(headers_of, json.dumps(UPDATE, ensure_ascii=False).encode())]
