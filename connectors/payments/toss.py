"""Toss Payments: payments looked up, money given back, and its webhooks, which nobody signs."""

import hmac
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr

from connectors.answers import Meaning
from connectors.base import Connector, Greeting, Incoming, action
from connectors.errors import NotConnected, Odd, Rejected, Unavailable, Uncertain
from connectors.payments import (
    CANCELED,
    EVENTS,
    FAILED,
    PAID,
    REFUNDED,
    WAITING,
    Payment,
    Refund,
    State,
    refund_key,
    told,
)
from connectors.payments.money import positive
from connectors.payments.reader import Reader, loads, readable

_SEOUL = ZoneInfo("Asia/Seoul")  # the zone of the API's times that name none
_STATES: Mapping[str, State] = {
    "READY": "waiting",
    "IN_PROGRESS": "waiting",
    "WAITING_FOR_DEPOSIT": "waiting",
    "DONE": "paid",
    "PARTIAL_CANCELED": "partly_refunded",
    "CANCELED": "refunded",
    "ABORTED": "failed",
    "EXPIRED": "failed",
}
_NAMES = {
    "WAITING_FOR_DEPOSIT": WAITING,
    "DONE": PAID,
    "PARTIAL_CANCELED": REFUNDED,
    "CANCELED": REFUNDED,
    "ABORTED": FAILED,
    "EXPIRED": FAILED,
}
_QUIET = {"READY", "IN_PROGRESS"}  # the customer is still at it
_OTHER = {"METHOD_UPDATED", "CUSTOMER_STATUS_CHANGED", "PAYOUT_STATUS_CHANGED", "BILLING_DELETED"}  # not payments

_FITS = re.compile(r"[0-9A-Za-z_=-]{1,200}")  # order numbers have 6 to 64 of these, payment keys up to 200

# https://docs.tosspayments.com/reference/error-codes (결제 취소, 결제 조회), and for 409
# https://docs.tosspayments.com/reference/using-api/authorization (멱등키 헤더)
_MEANING: Meaning = {
    (400, "INVALID_API_KEY"): (NotConnected, "Toss does not know this secret key"),
    (403, "INCORRECT_BASIC_AUTH_FORMAT"): (NotConnected, "Toss does not take this secret key"),
    (403, "FORBIDDEN_CONSECUTIVE_REQUEST"): (Unavailable, "Toss asks to wait between two calls for one payment"),
    (403, "NOT_AVAILABLE_BANK"): (Unavailable, "the customer's bank is closed at this hour"),
    (409, "IDEMPOTENT_REQUEST_PROCESSING"): (Uncertain, "Toss still works on the same call, sent before"),
    (400, "PROVIDER_ERROR"): (Uncertain, "the card company or bank had a fault"),
    (400, "ALREADY_CANCELED_PAYMENT"): (Rejected, "this payment was cancelled before"),
    (400, "ALREADY_REFUND_PAYMENT"): (Rejected, "this payment was given back before"),
    (403, "NOT_CANCELABLE_AMOUNT"): (Rejected, "this amount cannot be given back"),
    (403, "NOT_CANCELABLE_PAYMENT"): (Rejected, "this payment cannot be cancelled"),
    (403, "EXCEED_MAX_REFUND_DUE"): (Rejected, "the time in which this payment can be given back is over"),
    (403, "NOT_ALLOWED_PARTIAL_REFUND"): (Rejected, "this way of paying allows no partial refund"),
    (400, "INVALID_REFUND_ACCOUNT_INFO"): (Rejected, "a transfer is given back to an account; do it in Toss's console"),
    (404, "NOT_FOUND_PAYMENT"): (Rejected, "Toss knows no such payment"),
}


class Toss(Connector):
    """Toss Payments: look up a payment, give money back, and hear when a customer has paid."""

    service: ClassVar[str] = "toss"
    room: ClassVar[str] = "payments"
    hosts: ClassVar[tuple[str, ...]] = ("api.tosspayments.com",)
    events: ClassVar[tuple[str, ...]] = EVENTS
    confirms: ClassVar[bool] = True
    answer: ClassVar[int] = 200  # anything else counts as failed: https://docs.tosspayments.com/guides/v2/webhook
    console: ClassVar[str] = (
        "Open developers.tosspayments.com and log in\n"
        "API 키: copy the secret key (live_sk_... or live_gsk_..., for trials test_...)\n"
        "웹훅: 웹훅 등록하기, enter the address that `digilog connect NAME` shows\n"
        "웹훅: choose PAYMENT_STATUS_CHANGED; it tells deposits too, so DEPOSIT_CALLBACK is not needed"
    )
    limits: ClassVar[str] = (
        "No published limit of calls. A webhook is sent up to 7 times again, over 3 days and 19 hours; "
        "a refund's key is kept for 15 days (November 2026)."
    )

    base_url: str = "https://api.tosspayments.com"
    secret_key: SecretStr = Field(description="개발자센터 (developers.tosspayments.com) > API 키 > 시크릿 키")

    @action
    def payment(self, order: str) -> Payment:
        """Read one payment by your own order number."""
        return self._read(f"/v1/payments/orders/{_part(order)}")

    @action
    def payment_by_key(self, payment: str) -> Payment:
        """Read one payment by the paymentKey that Toss gave it."""
        return self._read(f"/v1/payments/{_part(payment)}")

    @action(effect="keyed", window="15d")
    def refund(self, payment: str, reason: str, amount: Decimal | None = None, *, key: str) -> Refund:
        """Give back all of a payment, or `amount` of it; `payment` is its paymentKey. The customer sees `reason`."""
        body: dict[str, object] = {"cancelReason": reason[:200]}
        if amount is not None:
            body["cancelAmount"] = _number(positive(amount))
        answer = self.http.post(
            f"/v1/payments/{_part(payment)}/cancel", body, key=refund_key(key, payment, amount), meaning=_MEANING
        )
        return readable(answer, _refund)

    def probe(self) -> str:
        """One harmless read: the transactions of the last minute."""
        now = self._clock.now().astimezone(_SEOUL)
        span = {"startDate": now - timedelta(minutes=1), "endDate": now}
        moments = {name: at.strftime("%Y-%m-%dT%H:%M:%S") for name, at in span.items()}
        if not isinstance(self.http.get("/v1/transactions", moments, meaning=_MEANING).json(), list):
            raise Rejected("Toss's answer is no list of transactions")
        return "Toss Payments knows the secret key"

    def receive(self, headers: Mapping[str, str], raw: bytes) -> Incoming | Greeting:
        """What a webhook claims, not yet believed: nobody signs it. Raises Odd."""
        del headers
        body = loads(raw)
        if body.text("eventType", "") in _OTHER:
            return Greeting("")
        claim = _claim(body)
        if claim.status in _QUIET:
            return Greeting("")
        name = _name(claim)
        end = f":{claim.transaction}" if name == REFUNDED else ""
        return Incoming(name, f"{claim.order}:{name}{end}", {"order": claim.order})

    def confirm(self, name: str, raw: bytes) -> bytes | None:
        """The webhook with the payment as Toss itself knows it, or None if Toss does not bear it out."""
        claim = _claim(loads(raw))
        path = f"/v1/payments/{_part(claim.payment)}" if claim.payment else f"/v1/payments/orders/{_part(claim.order)}"
        answer = self.http.get(path, accept=(404,), meaning=_MEANING)
        if answer.status == 404 or not readable(answer, partial(_bears_out, name, claim)):
            return None
        return json.dumps({**json.loads(raw), "payment": json.loads(answer.content)}).encode()

    def read(self, name: str, raw: bytes) -> dict[str, Any]:
        """The fetched payment in our words. Raises Odd."""
        body = loads(raw)
        found = body.inside("payment")
        payment = _payment(found)
        if name != REFUNDED:
            return told(payment)
        transaction = _claim(body).transaction
        for one in found.each("cancels"):
            if one.text("transactionKey") == transaction:
                return told(payment, returned=one.money("cancelAmount", payment.currency))
        raise Odd("payment.cancels does not hold the refund that was told")

    def credentials(self) -> dict[str, Any]:
        return {"auth": (self.secret_key.get_secret_value(), "")}

    def _read(self, path: str) -> Payment:
        return readable(self.http.get(path, meaning=_MEANING), _payment)


class _Claim(NamedTuple):
    order: str
    payment: str
    status: str
    transaction: str
    secret: str
    approved: bool


def _claim(body: Reader) -> _Claim:
    """Of PAYMENT_STATUS_CHANGED (a payment in `data`), or of DEPOSIT_CALLBACK (flat, with the payment's secret).

    https://docs.tosspayments.com/reference/using-api/webhook-events
    """
    if "eventType" in body and body.text("eventType") == "PAYMENT_STATUS_CHANGED":
        data = body.inside("data")
        key, transaction = data.text("paymentKey"), data.text("lastTransactionKey", "")
        claim = _Claim(data.text("orderId"), key, data.text("status"), transaction, "", "approvedAt" in data)
    elif "secret" in body and "transactionKey" in body:
        transaction, secret = body.text("transactionKey"), body.text("secret")
        claim = _Claim(body.text("orderId"), "", body.text("status"), transaction, secret, True)
    else:
        raise Odd("this kind of Toss webhook is not known here")
    if not all(_FITS.fullmatch(one) for one in (claim.order, claim.payment or "-", claim.transaction or "-")):
        raise Odd("orderId, paymentKey or transaction key has letters that Toss does not use")
    return claim


def _name(claim: _Claim) -> str:
    if claim.status not in _NAMES:
        raise Odd("status is none that Toss documents")
    if claim.status == "CANCELED" and not claim.approved:
        return CANCELED
    if _NAMES[claim.status] == REFUNDED and not claim.transaction:
        raise Odd("a refund without its transaction's key")
    return _NAMES[claim.status]


def _bears_out(name: str, claim: _Claim, payment: Reader) -> bool:
    """Whether the fetched payment says the same; a claim about another transaction would count money twice."""
    if payment.text("orderId") != claim.order:
        return False
    if claim.secret and not hmac.compare_digest(claim.secret.encode(), payment.text("secret", "").encode()):
        return False
    status, paid = payment.text("status"), "approvedAt" in payment
    match name:
        case "payment.paid":
            return paid and status in {"DONE", "PARTIAL_CANCELED", "CANCELED"}
        case "payment.refunded":
            return paid and any(one.text("transactionKey") == claim.transaction for one in payment.each("cancels"))
        case "payment.canceled":
            return status == "CANCELED" and not paid
        case "payment.failed":
            return status in {"ABORTED", "EXPIRED"}
        case _:
            return True


def _payment(found: Reader) -> Payment:
    status = found.text("status")
    if status not in _STATES:
        raise Odd("status is none that Toss documents")
    currency, paid = found.currency("currency"), "approvedAt" in found
    amount = found.money("totalAmount", currency)
    state: State = "canceled" if status == "CANCELED" and not paid else _STATES[status]
    back = amount - found.money("balanceAmount", currency) if state in {"refunded", "partly_refunded"} else Decimal(0)
    return Payment(
        id=found.text("paymentKey"),
        order=found.text("orderId"),
        amount=amount,
        currency=currency,
        state=state,
        at=found.at("approvedAt") or found.at("requestedAt"),
        refunded=back,
    )


def _refund(found: Reader) -> Refund:
    last, currency = found.text("lastTransactionKey"), found.currency("currency")
    for one in found.each("cancels"):
        if one.text("transactionKey") == last:
            return Refund(
                id=last,
                payment=found.text("paymentKey"),
                amount=one.money("cancelAmount", currency),
                currency=currency,
                state="pending" if one.text("cancelStatus", "DONE") == "IN_PROGRESS" else "refunded",
                at=one.at("canceledAt"),
            )
    raise Odd("cancels does not hold the refund")


def _part(text: str) -> str:
    """One part of a path. Raises Rejected for what is no order number or payment key of Toss."""
    if not _FITS.fullmatch(text):
        raise Rejected("an order number or paymentKey has letters, digits, - _ and = only")
    return text


def _number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)
