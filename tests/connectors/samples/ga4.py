"""Google Analytics 4: two days of a studio's site by channel, as the Data API (v1beta) tells them."""

from typing import Any

from tests.connectors.samples._google import TOKEN, key_file

PROPERTY = "345678901"
REPORT = f"POST /v1beta/properties/{PROPERTY}:runReport"
SETTINGS: dict[str, Any] = {"property": PROPERTY}
SECRETS = {"service_account": key_file()}
SPLIT = "sessionDefaultChannelGroup"
ASKED: dict[str, Any] = {
    "since": "2026-11-20",
    "until": "2026-11-21",
    "of": ["sessions", "purchaseRevenue"],
    "where": {"country": "South Korea"},
    "split": [SPLIT],
}
ACTIONS = {"readings": ASKED}


def row(day: str, channel: str, *values: str) -> dict[str, Any]:
    return {"dimensionValues": [{"value": day}, {"value": channel}], "metricValues": [{"value": one} for one in values]}


ROWS = [
    row("20261120", "Organic Search", "41", "330000"),
    row("20261120", "Paid Search", "7", "0"),
    row("20261121", "Organic Search", "38", "165000.5"),
]


def report(rows: list[dict[str, Any]], count: int | None = None, **more: Any) -> dict[str, Any]:
    """An answer to `ASKED`."""
    counted = {"rows": rows, "rowCount": len(rows) if count is None else count} if rows else {}
    return {
        "dimensionHeaders": [{"name": "date"}, {"name": SPLIT}],
        "metricHeaders": [
            {"name": "sessions", "type": "TYPE_INTEGER"},
            {"name": "purchaseRevenue", "type": "TYPE_CURRENCY"},
        ],
        **counted,
        "metadata": {"currencyCode": "KRW", "timeZone": "Asia/Seoul", "subjectToThresholding": True},
        "kind": "analyticsData#runReport",
        **more,
    }


OFFER = f"GET /v1beta/properties/{PROPERTY}/metadata"
OFFERED: dict[str, Any] = {
    "name": f"properties/{PROPERTY}/metadata",
    "dimensions": [{"apiName": "country", "uiName": "Country", "category": "Geography"}],
    "metrics": [{"apiName": "sessions", "uiName": "Sessions", "type": "TYPE_INTEGER", "category": "Session"}],
}
GOOD: dict[str, Any] = {"POST /token": (200, TOKEN), REPORT: (200, report(ROWS)), OFFER: (200, OFFERED)}
EVENTS: list[Any] = []
