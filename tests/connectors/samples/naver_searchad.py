"""Naver Search Ads: two campaigns and a day of their numbers, put together from public accounts of the API."""

from typing import Any

SETTINGS: dict[str, Any] = {"customer": "1234567"}
SECRETS = {"api_key": "0100000000sample5acce55a11ce", "secret_key": "AQAAAAsample5ecretKey=="}
LIST, STATS = "GET /ncc/campaigns", "GET /stats"
POWER, PLACE = "cmp-a001-01-000000000000001", "cmp-a001-06-000000000000002"
ASKED: dict[str, Any] = {"since": "2026-11-21", "until": "2026-11-21", "of": ["clkCnt", "salesAmt"]}
ACTIONS = {"readings": ASKED}
CAMPAIGNS = [
    {"nccCampaignId": POWER, "customerId": 1234567, "name": "파워링크", "campaignTp": "WEB_SITE", "status": "ELIGIBLE"},
    {"nccCampaignId": PLACE, "customerId": 1234567, "name": "플레이스", "campaignTp": "PLACE", "status": "ELIGIBLE"},
]
DATA = [
    {"id": POWER, "impCnt": 1200, "clkCnt": 31, "salesAmt": 24130, "ctr": 2.58, "avgRnk": 3.1},
    {"id": PLACE, "impCnt": 300, "clkCnt": 9, "salesAmt": 4400.5, "ctr": 3.0, "avgRnk": 2.0},
]
GOOD: dict[str, Any] = {LIST: (200, CAMPAIGNS), STATS: (200, {"data": DATA})}
EVENTS: list[Any] = []
