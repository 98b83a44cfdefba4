"""Messaging: one text to one receiver."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

REPLIED = "message.replied"
DELIVERED = "message.delivered"
PRESSED = "button.pressed"


class Message(BaseModel):
    """One message that left us: `id` is the service's own, or our key; `at` aware, in UTC.

    `picture`: what became of the one that was to go along; empty: none was.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    medium: str
    to: str
    at: datetime
    state: Literal["kept", "accepted"] = "accepted"
    picture: str = ""


def headed(subject: str, text: str) -> tuple[str, str]:
    """The headline, and what stands below it: a notice's text begins with its subject, which is not said twice."""
    below = text.removeprefix(subject)
    return subject, below.lstrip("\n") if subject and (not below or below[0] == "\n") else text


def whole(subject: str, text: str) -> str:
    """Headline and text as one, for chats that know no headline."""
    return "\n".join(one for one in headed(subject, text) if one)
