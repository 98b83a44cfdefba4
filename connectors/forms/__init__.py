"""Forms: what somebody filled in and sent."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

SUBMITTED = "form.submitted"


class Submission(BaseModel):
    """One filled form: its answers by field, when it was sent (aware), and the sender's own words beside it."""

    model_config = ConfigDict(frozen=True)

    form: str
    key: str
    answers: dict[str, Any]
    at: datetime | None = None
    raw: dict[str, Any] = {}
