"""PortOne V2: one connection to many Korean payment companies; its webhooks carry numbers only, so it is asked."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple
from urllib.parse import quote

from pydantic import Field, SecretStr

from connectors.answers import Meaning
from connectors.base import Connector, Greeting, Incoming, action
from connectors.errors import NotConnected, Odd, Rejected, Uncertain
from connectors.payments import (
    EVENTS,
    FAILED,
    PAID,
    REFUNDED,
    WAITING,
    Buyer,
    Payment,
    Refund,
    State,
    refund_key,
    told,
)
from connectors.payments.money import major, minor
from connectors.payments.reader import Reader, loads, readable
from connectors.signatures import verify_standard

_STATES: Mapping[str, State] = {
    "READY": "waiting",
    "PAY_PENDING": "waiting",
    "VIRTUAL_ACCOUNT_ISSUED": "waiting",
    "PAID": "paid",
    "PARTIAL_CANCELLED": "partly_refunded",
    "CANCELLED": "refunded",
    "FAILED": "failed",
}
_NAMES = {
    "Transaction.Paid": PAID,
    "Transaction.PartialCancelled": REFUNDED,
    "Transaction.Cancelled": REFUNDED,
    "Transaction.VirtualAccountIssued": WAITING,
    "Transaction.Failed": FAILED,
}
_QUIET = {"Transaction.Ready", "Transaction.PayPending", "Transaction.CancelPending"}  # another webhook follows
_PAGE = 100
_LONGEST_KEY = 255
_MOST_PAGES = 100

# The types stand in the OpenAPI document: github.com/portone-io/server-sdk, codegen/openapi.json; that of 409 for a
# repeated key in https://developers.portone.io/api/rest-v2 (멱등 키)
_MEANING: Meaning = {
    (403, "FORBIDDEN"): (NotConnected, "the API secret may not do this"),
    (404, "PAYMENT_NOT_FOUND"): (Rejected, "PortOne knows no such payment"),
    (409, "IDEMPOTENCY_OUTSTANDING_REQUEST"): (Uncertain, "PortOne still works on the same call, sent before"),
    (409, "PAYMENT_NOT_PAID"): (Rejected, "this payment was not paid, so nothing can be given back"),
    (409, "PAYMENT_ALREADY_CANCELLED"): (Rejected, "this payment was cancelled before"),
    (409, "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN"): (Rejected, "what is left of this payment has changed meanwhile"),
    (409, "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT"): (Rejected, "less than this amount is left to give back"),
}


class PortOne(Connector):
    """PortOne V2: look up a payment, give money back, and hear when a customer has paid."""

    service: ClassVar[str] = "portone"
    room: ClassVar[str] = "payments"
    hosts: ClassVar[tuple[str, ...]] = ("api.portone.io",)
    events: ClassVar[tuple[str, ...]] = EVENTS
    signed: ClassVar[bool] = True
    confirms: ClassVar[bool] = True
    console: ClassVar[str] = (
        "Open admin.portone.io and log in\n"
        "결제 연동 > 식별코드・API Keys > V2 API: make an API Secret and copy it\n"
        "결제 연동 > 결제알림(Webhook) 관리: choose 결제모듈 V2 and the version 2024-04-25\n"
        "Enter the address that `digilog connect NAME` shows as Endpoint URL, save, and copy the 웹훅 시크릿"
    )
    limits: ClassVar[str] = (
        "No published limit of calls. A webhook is sent up to 5 times again; a repeated refund is dropped for "
        "3 hours (November 2026)."
    )

    base_url: str = "https://api.portone.io"
    store_id: str | None = None
    api_secret: SecretStr = Field(description="admin.portone.io > 결제 연동 > 식별코드・API Keys > V2 API > API Secret")
    webhook_secrets: list[SecretStr] = Field(
        [], description="admin.portone.io > 결제 연동 > 결제알림(Webhook) 관리 > 웹훅 시크릿 (whsec_...)"
    )

    @action
    def payment(self, payment: str) -> Payment:
        """Read one payment by its number (paymentId), which is your own order number."""
        return readable(self.http.get(_path(payment), self._store(), meaning=_MEANING), _payment)

    @action(effect="keyed", window="3h")
    def refund(self, payment: str, reason: str, amount: Decimal | None = None, *, key: str) -> Refund:
        """Give back all of a payment, or `amount` of it; `payment` is your own order number."""
        currency = self.payment(payment).currency  # PortOne counts in its smallest units, and its answer is silent
        body: dict[str, object] = {"reason": reason, **self._store()}
        if amount is not None:
            body["amount"] = minor(amount, currency)
        answer = self.http.post(
            f"{_path(payment)}/cancel", body, key=refund_key(key, payment, amount), meaning=_MEANING
        )
        return readable(answer, lambda found: _refund(found.inside("cancellation"), payment, currency))

    def probe(self) -> str:
        """One harmless read: the newest payment."""
        self._page(0, 1, {})
        return "PortOne knows the API secret"

    def receive(self, headers: Mapping[str, str], raw: bytes) -> Incoming | Greeting:
        """Verify by any active secret, then find what happened to which payment. Raises Forged, Odd, NotConnected."""
        verify_standard(self.webhook_secrets, headers, raw)
        body = loads(raw)
        type = body.text("type")
        if type in _QUIET or type.startswith("BillingKey."):
            return Greeting("")
        return _incoming(_claim(body))

    def confirm(self, name: str, raw: bytes) -> bytes | None:
        """The webhook with the payment as PortOne has it, or None if PortOne does not bear it out."""
        claim = _claim(loads(raw))
        answer = self.http.get(_path(claim.payment), self._store(), accept=(404,), meaning=_MEANING)
        if answer.status == 404 or not readable(answer, lambda found: _bears_out(name, claim, found)):
            return None
        return json.dumps({**json.loads(raw), "payment": json.loads(answer.content)}).encode()

    def read(self, name: str, raw: bytes) -> dict[str, Any]:
        """The fetched payment in our words. Raises Odd."""
        body = loads(raw)
        found = body.inside("payment")
        buyer, payment = _buyer(found), _payment(found)
        if name != REFUNDED:
            return told(payment, buyer=buyer)
        cancellation = _claim(body).cancellation
        for one in found.each("cancellations"):
            if one.text("id") == cancellation:
                return told(payment, returned=major(one.units("totalAmount"), payment.currency), buyer=buyer)
        raise Odd("payment.cancellations does not hold the refund that was told")

    def reconcile(self, since: datetime) -> tuple[Incoming, ...]:
        """What was paid and given back since then, under the keys that the webhooks have."""
        span = {"from": since.astimezone(UTC).isoformat(), "until": self._clock.now().astimezone(UTC).isoformat()}
        found: list[Incoming] = []
        for number in range(_MOST_PAGES):
            items = self._page(number, _PAGE, span)
            for payment in items:
                found += _happened(payment, since)
            if len(items) < _PAGE:
                break
        return tuple(found)

    def credentials(self) -> dict[str, Any]:
        return {"headers": {"authorization": f"PortOne {self.api_secret.get_secret_value()}"}}

    def _store(self) -> dict[str, str]:
        return {"storeId": self.store_id} if self.store_id else {}

    def _page(self, number: int, size: int, span: Mapping[str, str]) -> list[Reader]:
        """Payments whose state changed in `span`. The query travels as JSON in `requestBody`, as PortOne wants it."""
        asked = {"page": {"number": number, "size": size}, "filter": {**self._store(), **span}}
        answer = self.http.get("/payments", {"requestBody": json.dumps(asked)}, meaning=_MEANING)
        return readable(answer, lambda found: found.listed("items"))


class _Claim(NamedTuple):
    name: str
    payment: str
    transaction: str
    cancellation: str
    raw: bytes | None = None


def _claim(body: Reader) -> _Claim:
    """What a webhook tells. Its shapes: portone_server_sdk.webhook of PortOne's own SDK."""
    type, data = body.text("type"), body.inside("data")
    if type not in _NAMES:
        raise Odd("this kind of PortOne webhook is not known here")
    name = _NAMES[type]
    cancellation = data.text("cancellationId") if name == REFUNDED else ""
    return _Claim(name, data.text("paymentId"), data.text("transactionId"), cancellation)


def _incoming(claim: _Claim) -> Incoming:
    """A payment is paid once; each attempt may fail and each refund may come, so those name theirs."""
    end = {PAID: "", REFUNDED: f":{claim.cancellation}"}.get(claim.name, f":{claim.transaction}")
    key = f"{claim.payment}:{claim.name}{end}"
    if len(key) > _LONGEST_KEY:
        raise Odd("paymentId is longer than PortOne allows")
    return Incoming(claim.name, key, {"payment": claim.payment}, raw=claim.raw)


def _happened(payment: Reader, since: datetime) -> Iterator[Incoming]:
    """The webhooks that a listed payment has had since then."""
    try:
        ids = {"paymentId": payment.text("id"), "transactionId": payment.text("transactionId")}
        paid = payment.at("paidAt")
        if paid is not None and paid >= since:
            yield _missed({"type": "Transaction.Paid", "timestamp": paid.isoformat(), "data": ids})
        for one in payment.each("cancellations"):
            back = one.at("cancelledAt")
            if paid is not None and back is not None and back >= since and one.text("status") == "SUCCEEDED":
                data = {**ids, "cancellationId": one.text("id")}
                yield _missed({"type": "Transaction.Cancelled", "timestamp": back.isoformat(), "data": data})
    except Odd:  # one payment of another shape (there are some of V1) must not hide those that were missed
        return


def _missed(body: dict[str, Any]) -> Incoming:
    raw = json.dumps(body).encode()
    return _incoming(_claim(loads(raw))._replace(raw=raw))


def _bears_out(name: str, claim: _Claim, payment: Reader) -> bool:
    if payment.text("id") != claim.payment:
        return False
    status, paid = payment.text("status"), "paidAt" in payment
    match name:
        case "payment.paid":
            return paid and status in {"PAID", "PARTIAL_CANCELLED", "CANCELLED"}
        case "payment.refunded":
            told_of = [one for one in payment.each("cancellations") if one.text("id") == claim.cancellation]
            return paid and any(one.text("status") == "SUCCEEDED" for one in told_of)
        case _:
            return True


def _payment(found: Reader) -> Payment:
    status = found.text("status")
    if status not in _STATES:
        raise Odd("status is none that PortOne documents")
    currency, amount = found.currency("currency"), found.inside("amount")
    state: State = "canceled" if status == "CANCELLED" and "paidAt" not in found else _STATES[status]
    return Payment(
        id=found.text("id"),
        order=found.text("id"),
        amount=major(amount.units("total"), currency),
        currency=currency,
        state=state,
        at=found.at("paidAt") or found.at("statusChangedAt") or found.at("requestedAt"),
        refunded=major(amount.units("cancelled", 0), currency) if "paidAt" in found else Decimal(0),
    )


def _buyer(found: Reader) -> Buyer:
    if "customer" not in found:
        return Buyer()
    customer = found.inside("customer")
    return Buyer(
        name=customer.text("name", ""), phone=customer.text("phoneNumber", ""), email=customer.text("email", "")
    )


def _refund(found: Reader, payment: str, currency: str) -> Refund:
    status = found.text("status")
    if status == "FAILED":
        raise Rejected("the payment company did not give the money back")
    if status not in {"SUCCEEDED", "REQUESTED"}:
        raise Odd("cancellation.status is none that PortOne documents")
    return Refund(
        id=found.text("id"),
        payment=payment,
        amount=major(found.units("totalAmount"), currency),
        currency=currency,
        state="refunded" if status == "SUCCEEDED" else "pending",
        at=found.at("cancelledAt"),
    )


def _path(payment: str) -> str:
    return f"/payments/{quote(payment, safe='')}"
