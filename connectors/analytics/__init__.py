"""Analytics: numbers of a day."""

from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict


class Reading(BaseModel):
    """One number: the service's own name of the metric, the day in the company's zone, an exact value."""

    model_config = ConfigDict(frozen=True)

    day: date
    metric: str
    value: Decimal
    account: str = ""
    channel: str = ""
