"""A booking service of a company's own: how its numbers are declared, and what it answers when all is well."""

from typing import Any

SETTINGS: dict[str, Any] = {
    "base_url": "https://booking.example.com",
    "path": "/v1/daily",
    "params": {"from": "{since}", "to": "{until}", "page": "{page}", "size": "{limit}"},
    "rows": "data.items",
    "day": "date",
    "values": {"visits": "count.visits", "sales": "amount"},
    "dimensions": {"branch": "branch"},
    "paging": {"kind": "page", "limit": 3, "total": "data.total"},
}
SECRETS = {"token": "booking-token-91ab"}
ASKED: dict[str, Any] = {"since": "2026-11-20", "until": "2026-11-21", "of": ["visits", "sales"], "split": ["branch"]}
ACTIONS = {"readings": ASKED}
DAILY = "GET /v1/daily"


def row(day: str, branch: str, visits: Any, amount: Any) -> dict[str, Any]:
    return {"date": day, "branch": branch, "count": {"visits": visits}, "amount": amount}


ROWS = [
    row("2026-11-20", "성수", 41, 330000),
    row("2026-11-20", "합정", 0, "12000.50"),
    row("2026-11-21", "성수", 38, None),
]


def answer(*rows: Any, total: Any = None) -> dict[str, Any]:
    return {"data": {"items": list(rows), "total": len(rows) if total is None else total}}


GOOD: dict[str, Any] = {DAILY: (200, answer(*ROWS))}
EVENTS: list[Any] = []
