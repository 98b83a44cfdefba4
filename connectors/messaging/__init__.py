"""Messaging: one text to one receiver."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

REPLIED = "message.replied"
DELIVERED = "message.delivered"
PRESSED = "button.pressed"


class Message(BaseModel):
    """One message that left us: `id` is the service's own, or our key; `at` aware, in UTC."""

    model_config = ConfigDict(frozen=True)

    id: str
    medium: str
    to: str
    at: datetime
    state: Literal["kept", "accepted"] = "accepted"
