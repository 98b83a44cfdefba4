"""Stripe's objects in our words: payment intents, charges, Checkout sessions, refunds."""

from collections.abc import Mapping
from decimal import Decimal

from connectors.errors import Odd, Rejected
from connectors.payments import Buyer, Payment, Refund, State
from connectors.payments.money import major
from connectors.payments.reader import Reader

_INTENTS: Mapping[str, State] = {
    "requires_payment_method": "waiting",
    "requires_confirmation": "waiting",
    "requires_action": "waiting",
    "processing": "waiting",
    "requires_capture": "waiting",
    "canceled": "canceled",
    "succeeded": "paid",
}


def number(found: Reader) -> str:
    """The payment's number: of its intent if it has one, so that all its webhooks speak of the same."""
    return found.text("payment_intent", "") or found.text("id")


def payment_of(found: Reader, order_in: str) -> Payment:
    match found.text("object"):
        case "payment_intent":
            return _of_intent(found, order_in)
        case "charge":
            return _of_charge(found, order_in)
        case "checkout.session":
            return _of_session(found, order_in)
        case _:
            raise Odd("object is neither payment_intent, charge nor checkout.session")


def _of_intent(found: Reader, order_in: str) -> Payment:
    status, currency = found.text("status"), found.currency("currency")
    if status not in _INTENTS:
        raise Odd("status is none that Stripe documents")
    state, back = _INTENTS[status], Decimal(0)
    if found.holds("latest_charge"):
        charge = _of_charge(found.inside("latest_charge"), order_in)
        back, state = charge.refunded, charge.state if state == "paid" else state
    units = found.units("amount_received", 0) or found.units("amount")
    return Payment(
        id=found.text("id"),
        order=_order(found, order_in),
        amount=major(units, currency),
        currency=currency,
        state=state,
        at=found.seconds("created"),
        refunded=back,
    )


def _of_charge(found: Reader, order_in: str) -> Payment:
    currency, back = found.currency("currency"), found.units("amount_refunded")
    amount = found.units("amount")
    states: Mapping[str, State] = {"succeeded": "paid", "pending": "waiting", "failed": "failed"}
    state = states.get(found.text("status"))
    if state is None:
        raise Odd("status is none that Stripe documents")
    if back and state == "paid":
        state = "refunded" if back >= amount else "partly_refunded"
    return Payment(
        id=number(found),
        order=_order(found, order_in),
        amount=major(amount, currency),
        currency=currency,
        state=state,
        at=found.seconds("created"),
        refunded=major(back, currency),
    )


def _of_session(found: Reader, order_in: str) -> Payment:
    currency = found.currency("currency")
    unpaid: State = "canceled" if found.text("status", "") == "expired" else "waiting"
    return Payment(
        id=number(found),
        order=found.text("client_reference_id", "") or _order(found, order_in),
        amount=major(found.units("amount_total"), currency),
        currency=currency,
        state=unpaid if found.text("payment_status") == "unpaid" else "paid",
        at=found.seconds("created"),
    )


def _order(found: Reader, order_in: str) -> str:
    return found.inside("metadata").text(order_in, "") if "metadata" in found else ""


def buyer_of(found: Reader) -> Buyer:
    for name in ("customer_details", "billing_details"):
        if name in found:
            said = found.inside(name)
            return Buyer(name=said.text("name", ""), phone=said.text("phone", ""), email=said.text("email", ""))
    return Buyer(email=found.text("receipt_email", ""))


def returned_of(body: Reader, payment: Payment) -> Decimal:
    """What this one refund gave back: the sum that went back now, less what it was before."""
    before = body.inside("data").inside("previous_attributes").units("amount_refunded")
    back = payment.refunded - major(before, payment.currency)
    if back <= 0:
        raise Odd("data.previous_attributes.amount_refunded is not less than what went back")
    return back


def refund_of(found: Reader, payment: str) -> Refund:
    status, currency = found.text("status"), found.currency("currency")
    if status in {"failed", "canceled"}:
        raise Rejected("Stripe could not give the money back")
    return Refund(
        id=found.text("id"),
        payment=payment,
        amount=major(found.units("amount"), currency),
        currency=currency,
        state="refunded" if status == "succeeded" else "pending",
        at=found.seconds("created"),
    )
