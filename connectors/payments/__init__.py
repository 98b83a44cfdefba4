"""Payments: money that came in or went back."""

from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from connectors.errors import Odd

PAID = "payment.paid"
REFUNDED = "payment.refunded"
WAITING = "payment.waiting"  # an account number was given out, and the customer has not paid yet
CANCELED = "payment.canceled"  # ended before any money came
FAILED = "payment.failed"
EVENTS = (PAID, REFUNDED, WAITING, CANCELED, FAILED)

State = Literal["waiting", "paid", "refunded", "partly_refunded", "canceled", "failed"]


class Payment(BaseModel):
    """One payment: `order` is our number, `amount` and `refunded` exact in `currency` (ISO 4217), `at` aware.

    `refunded` is the sum of all that went back so far.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    order: str
    amount: Decimal
    currency: str = "KRW"
    state: State
    at: datetime | None = None
    refunded: Decimal = Decimal(0)
    raw: dict[str, Any] = {}


class Refund(BaseModel):
    """Money that was given back: `amount` of the payment with this id; `pending` while the bank is at it."""

    model_config = ConfigDict(frozen=True)

    id: str
    payment: str
    amount: Decimal
    currency: str = "KRW"
    state: Literal["refunded", "pending"] = "refunded"
    at: datetime | None = None


class Buyer(BaseModel):
    """Who paid, as far as the vendor says: what is not known is empty."""

    model_config = ConfigDict(frozen=True)

    name: str = ""
    phone: str = ""
    email: str = ""


def told(payment: Payment, *, returned: Decimal | None = None, buyer: Buyer | None = None) -> dict[str, Any]:
    """A payment event as JSON data: the payment's values on top, and again as `payment` beside them.

    Amounts are text ("15000"), `at` is ISO 8601 in UTC. `returned` is what this one refund gave back.
    `order`, `name`, `phone` and `email` are there only if the vendor says them. Raises Odd if more went back than came.
    """
    if not (returned or 0) <= payment.refunded <= payment.amount or payment.refunded < 0:
        raise Odd("what went back is more than what came")
    values: dict[str, Any] = {
        "id": payment.id,
        "amount": format(payment.amount, "f"),
        "currency": payment.currency,
        "state": payment.state,
        "refunded": format(payment.refunded, "f"),
    }
    if payment.order:
        values["order"] = payment.order
    if payment.at is not None:
        values["at"] = payment.at.astimezone(UTC).isoformat()
    if returned is not None:
        values["returned"] = format(returned, "f")
    known = {word: text for word, text in (buyer or Buyer()).model_dump().items() if text}
    return {**values, **known, "payment": values}


def refund_key(key: str, payment: str, amount: Decimal | None) -> str:
    """The key under which a vendor drops a repeated refund: 64 letters and digits, which every vendor takes.

    It names payment, operation and amount: a vendor that does not compare bodies must not take one refund for another.
    """
    much = "all" if amount is None else format(amount.normalize(), "f")
    return sha256(f"{key}:refund:{payment}:{much}".encode()).hexdigest()
