"""Google Search Console: two days of a studio's site, as its API (v1) tells them."""

from typing import Any

from tests.connectors.samples._google import TOKEN, key_file

SITE = "sc-domain:onda-pilates.example"
PATH = "/webmasters/v3/sites/sc-domain%3Aonda-pilates.example"
QUERY, LOOK = f"POST {PATH}/searchAnalytics/query", f"GET {PATH}"
SETTINGS: dict[str, Any] = {"site": SITE}
SECRETS = {"service_account": key_file()}
ASKED: dict[str, Any] = {
    "since": "2026-11-16",
    "until": "2026-11-18",
    "of": ["clicks", "position"],
    "where": {"country": "kor"},
    "split": ["device"],
}
ACTIONS = {"readings": ASKED}


def row(day: str, device: str, clicks: int, impressions: int, ctr: float, position: float) -> dict[str, Any]:
    return {"keys": [day, device], "clicks": clicks, "impressions": impressions, "ctr": ctr, "position": position}


ROWS = [  # the 17th is left out: nobody saw the site
    row("2026-11-16", "MOBILE", 12, 300, 0.04, 7.25),
    row("2026-11-16", "DESKTOP", 0, 20, 0, 11.5),
    row("2026-11-18", "MOBILE", 9, 290, 0.031034482758620689, 7.4),
]
ANSWER: dict[str, Any] = {"rows": ROWS, "responseAggregationType": "BY_PROPERTY"}
GOOD: dict[str, Any] = {
    "POST /token": (200, TOKEN),
    QUERY: (200, ANSWER),
    LOOK: (200, {"siteUrl": SITE, "permissionLevel": "SITE_RESTRICTED_USER"}),
}
EVENTS: list[Any] = []
