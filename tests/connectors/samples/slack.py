"""Slack: what its Web API answers, an answer in a channel, and a pressed button, signed by Slack's own library."""

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier

SETTINGS: dict[str, Any] = {"channel": "C0DESK001", "more_channels": ["C0OWNER01"]}
SECRETS = {"token": "xoxb-17653672481-19874698323", "signing_secrets": "8f742231b10e8888abcd99yyyzzz85a5"}
ACTIONS: dict[str, dict[str, Any]] = {
    "send": {"medium": "team", "to": "han@onda.example", "text": "새 체험 신청: 김하나"},
    "post": {
        "text": "확인해 주세요",
        "link": "https://desk.example.com/work/1",
        "link_label": "열기",
        "done": "했어요",
    },
    "update": {"message": "1700000000.000100", "text": "끝났습니다"},
    "find": {},
}
_SENT: dict[str, Any] = {
    "type": "message",
    "ts": "1700000000.000100",
    "text": "새 체험 신청: 김하나",
    "bot_id": "B0APP0001",
    "metadata": {"event_type": "digilog_message", "event_payload": {"key": "case-1/step"}},
}
GOOD: dict[str, Any] = {
    "POST /chat.postMessage": (200, {"ok": True, "channel": "C0DESK001", "ts": _SENT["ts"], "message": _SENT}),
    "POST /chat.update": (200, {"ok": True, "channel": "C0DESK001", "ts": _SENT["ts"], "text": "끝났습니다"}),
    "POST /conversations.history": (
        200,
        {"ok": True, "messages": [_SENT], "has_more": False, "response_metadata": {"next_cursor": ""}},
    ),
    "POST /auth.test": (200, {"ok": True, "user": "digilog", "team": "온다필라테스"}),
}
REPLY: dict[str, Any] = {
    "type": "event_callback",
    "team_id": "T0ONDA001",
    "api_app_id": "A0APP0001",
    "event_id": "Ev0PV52K21",
    "event_time": 1_700_000_100,
    "event": {
        "type": "message",
        "channel": "C0DESK001",
        "user": "U0HAN0001",
        "text": "제가 &lt;오늘&gt; 전화할게요 &amp; 메모",
        "ts": "1700000100.000200",
        "thread_ts": "1700000000.000100",
        "channel_type": "channel",
    },
}
PRESS: dict[str, Any] = {
    "type": "block_actions",
    "trigger_id": "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3",
    "user": {"id": "U0HAN0001", "username": "han", "team_id": "T0ONDA001"},
    "channel": {"id": "C0DESK001", "name": "desk"},
    "message": {"ts": "1700000000.000100", "text": "확인해 주세요"},
    "actions": [
        {"type": "button", "action_id": "done", "block_id": "x", "value": "case-1/step", "action_ts": "1700000111.5"}
    ],
}


def headers_of(raw: bytes, secrets: Mapping[str, str]) -> dict[str, str]:
    at = str(int(time.time()))
    signature = SignatureVerifier(secrets["signing_secrets"]).generate_signature(timestamp=at, body=raw)
    kind = "application/x-www-form-urlencoded" if raw.startswith(b"payload=") else "application/json"
    return {"content-type": kind, "x-slack-request-timestamp": at, "x-slack-signature": str(signature)}


EVENTS = [
    (headers_of, json.dumps(REPLY, ensure_ascii=False).encode()),
    (headers_of, urlencode({"payload": json.dumps(PRESS, ensure_ascii=False)}).encode()),
]
