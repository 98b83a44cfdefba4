"""Any signed sender: a booking in the shape of Calendly's webhooks, signed by Stripe's SDK, which writes it alike."""

import json
import time
from collections.abc import Mapping
from typing import Any

_API = "https://api.calendly.com"
_EVENT = f"{_API}/scheduled_events/7f2c1a90-5f1d-4a3e-8d0b-1c2d3e4f5a6b"
SETTINGS: dict[str, Any] = {
    "scheme": "calendly",
    "event": "visit.booked",
    "key": "payload.uri",
    "party": "payload.email",
}
SECRETS = {"signing_secrets": "5mEzn9C-I28UtwOjZJtFoob0sAAFZ95GbZkqj4y3i0I"}
ACTIONS: dict[str, dict[str, Any]] = {}
GOOD: dict[str, Any] = {}
PAYLOAD: dict[str, Any] = {
    "event": "invitee.created",
    "created_at": "2026-11-20T09:12:44.021000Z",
    "created_by": f"{_API}/users/AAAAAAAAAAAAAAAA",
    "payload": {
        "uri": f"{_EVENT}/invitees/0d1c2b3a-4f5e-4d6c-9b8a-a1b2c3d4e5f6",
        "email": "hana@example.com",
        "name": "김하나",
        "first_name": None,
        "last_name": None,
        "status": "active",
        "timezone": "Asia/Seoul",
        "event": _EVENT,
        "text_reminder_number": None,
        "rescheduled": False,
        "old_invitee": None,
        "new_invitee": None,
        "cancel_url": "https://calendly.com/cancellations/0d1c2b3a",
        "reschedule_url": "https://calendly.com/reschedulings/0d1c2b3a",
        "questions_and_answers": [{"answer": "010-3333-4444", "position": 0, "question": "전화번호"}],
        "tracking": {"utm_campaign": None, "utm_source": "instagram", "utm_medium": None, "salesforce_uuid": None},
        "scheduled_event": {
            "uri": _EVENT,
            "name": "체험 상담",
            "status": "active",
            "start_time": "2026-11-28T01:30:00.000000Z",
            "end_time": "2026-11-28T02:00:00.000000Z",
            "location": {"type": "physical", "location": "합정점"},
            "invitees_counter": {"total": 1, "active": 1, "limit": 1},
        },
    },
}


def headers_of(raw: bytes, secrets: Mapping[str, str]) -> dict[str, str]:
    from stripe import WebhookSignature

    secret = secrets["signing_secrets"].split(",")[0]
    signature = WebhookSignature.generate_signature_header(raw.decode(), secret, int(time.time()))
    return {"content-type": "application/json", "calendly-webhook-signature": signature}


EVENTS = [(headers_of, json.dumps(PAYLOAD, ensure_ascii=False, separators=(",", ":")).encode())]
