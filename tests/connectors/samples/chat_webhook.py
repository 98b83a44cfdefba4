"""The incoming webhook of a team chat: Discord, which tells the id of what it kept."""

from typing import Any

SETTINGS: dict[str, Any] = {"shape": "discord"}
SECRETS = {"url": "https://discord.com/api/webhooks/223704706495545344/3d89bb7572e0fb30d8128367b3b1b44fecd1726de135"}
_PATH = SECRETS["url"].removeprefix("https://discord.com")
ACTIONS: dict[str, dict[str, Any]] = {
    "send": {"medium": "team", "to": "han@onda.example", "text": "새 체험 신청: 김하나", "subject": "온다"},
}
GOOD: dict[str, Any] = {
    f"POST {_PATH}": (200, {"id": "1199999999999999999", "type": 0, "content": "온다", "channel_id": "199737254929"}),
}
EVENTS: list[Any] = []
