"""How Slack wants a text and its buttons written, and what it makes of signs."""

from typing import Any

from connectors.errors import Rejected

_SECTION, _SECTIONS = 3000, 40  # characters of one block; blocks
VALUE = 2000  # characters that a button can carry


def escaped(text: str) -> str:
    """Without < there is no <!channel> and no hidden link.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def two_buttons(link: str, link_label: str, value: str, label: str) -> list[dict[str, Any]]:
    """One that opens `link`, and one that brings `value` back. Raises Rejected."""
    if link and not link.startswith("https://"):
        raise Rejected("a button opens addresses with https:// only")
    if len(value) > VALUE:
        raise Rejected("a button carries no more than 2,000 characters")
    buttons = [_button("link", link_label or link) | {"url": link}] if link else []
    if value:
        buttons.append(_button("done", label or "done") | {"value": value, "style": "primary"})
    return buttons


def _button(id: str, label: str) -> dict[str, Any]:
    return {"type": "button", "action_id": id, "text": {"type": "plain_text", "text": label[:75], "emoji": False}}


def sections(safe: str) -> list[dict[str, Any]]:
    """Blocks hold 3,000 characters each; none may end within an escaped sign."""
    pieces: list[str] = []
    rest = safe
    while rest:
        cut = min(len(rest), _SECTION)
        sign = rest.rfind("&", max(cut - 5, 0), cut)
        if cut < len(rest) and sign > 0 and ";" not in rest[sign:cut]:
            cut = sign
        pieces.append(rest[:cut])
        rest = rest[cut:]
    if len(pieces) > _SECTIONS:
        raise Rejected("the text is too long for a message with buttons")
    return [{"type": "section", "text": {"type": "mrkdwn", "verbatim": True, "text": one}} for one in pieces]
