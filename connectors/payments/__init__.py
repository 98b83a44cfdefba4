"""Payments: money that came in or went back."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

PAID = "payment.paid"
REFUNDED = "payment.refunded"


class Payment(BaseModel):
    """One payment: `order` is our number, `amount` and `refunded` exact in `currency` (ISO 4217), `at` aware."""

    model_config = ConfigDict(frozen=True)

    id: str
    order: str
    amount: Decimal
    currency: str = "KRW"
    state: Literal["waiting", "paid", "refunded", "partly_refunded", "failed"]
    at: datetime | None = None
    refunded: Decimal = Decimal(0)
    raw: dict[str, Any] = {}
