"""Instagram: insights of a studio's account, as Meta's documentation shows them."""

from typing import Any

ACCOUNT = "17841400000000001"
INSIGHTS, LOOK = f"GET /v23.0/{ACCOUNT}/insights", f"GET /v23.0/{ACCOUNT}"
SETTINGS: dict[str, Any] = {"account": ACCOUNT}
SECRETS = {"access_token": "EAAGsampleToken7f2c"}
ASKED: dict[str, Any] = {"since": "2026-11-20", "until": "2026-11-20", "of": ["views", "likes"]}
ACTIONS = {"readings": ASKED}


def total(name: str, value: int) -> dict[str, Any]:
    words = {"title": name.title(), "description": "…", "id": f"{ACCOUNT}/insights/{name}/day"}
    return {"name": name, "period": "day", **words, "total_value": {"value": value}}


def series(name: str, *values: tuple[str, int]) -> dict[str, Any]:
    """`values` with the moments at which their days ended."""
    told = [{"value": value, "end_time": end} for end, value in values]
    return {"name": name, "period": "day", "values": told, "id": f"{ACCOUNT}/insights/{name}/day"}


def refused(code: int, status: int = 400) -> tuple[int, dict[str, Any]]:
    error = {"message": "customer 010-1234-5678", "type": "OAuthException", "code": code, "fbtrace_id": "A1"}
    return status, {"error": error}


GOOD: dict[str, Any] = {
    INSIGHTS: (200, {"data": [total("views", 812), total("likes", 40)], "paging": {}}),
    LOOK: (200, {"username": "onda.pilates", "id": ACCOUNT}),
}
EVENTS: list[Any] = []
