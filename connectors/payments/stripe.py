"""Stripe: payments by card and much else, with signed webhooks."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from pydantic import Field, SecretStr

from connectors.answers import Meaning
from connectors.base import Connector, Greeting, Incoming, action
from connectors.errors import NotConnected, Odd, Rejected, Uncertain
from connectors.payments import (
    CANCELED,
    EVENTS,
    FAILED,
    PAID,
    REFUNDED,
    WAITING,
    Payment,
    Refund,
    refund_key,
    told,
)
from connectors.payments.money import minor
from connectors.payments.reader import Reader, loads, readable
from connectors.payments.stripe_objects import buyer_of, number, payment_of, refund_of, returned_of
from connectors.signatures import Hmac, verify_hmac

_VERSION = "2024-06-20"  # answers keep this shape, whatever the account's default is
_SIGNED = Hmac("Stripe-Signature", listed=True)  # https://docs.stripe.com/webhooks#verify-manually
_PAGE = 100
_MOST_PAGES = 100

_NAMES = {
    "payment_intent.succeeded": PAID,
    "payment_intent.canceled": CANCELED,
    "payment_intent.payment_failed": FAILED,
    "checkout.session.completed": PAID,  # or waiting, if the money comes later
    "checkout.session.async_payment_succeeded": PAID,
    "checkout.session.async_payment_failed": FAILED,
    "charge.refunded": REFUNDED,
}
_QUIET = {  # they come beside those above
    "payment_intent.created", "payment_intent.processing", "payment_intent.requires_action",
    "payment_intent.partially_funded", "payment_intent.amount_capturable_updated", "checkout.session.expired",
    "charge.succeeded", "charge.updated", "charge.pending", "charge.failed", "charge.captured", "charge.expired",
    "charge.refund.updated", "refund.created", "refund.updated",
}  # fmt: skip
_REASONS = {"duplicate", "fraudulent", "requested_by_customer"}  # Stripe takes these; other words go beside

# https://docs.stripe.com/error-codes; for repeated keys https://docs.stripe.com/api/idempotent_requests
_MEANING: Meaning = {
    403: (NotConnected, "the key may not do this: give it the right in Developers > API keys"),
    (400, "idempotency_error"): (Uncertain, "this refund was sent before with another amount or reason"),
    (409, "idempotency_key_in_use"): (Uncertain, "Stripe still works on the same call, sent before"),
    (400, "charge_already_refunded"): (Rejected, "this payment was given back before"),
    (400, "charge_disputed"): (Rejected, "the customer's bank disputes this payment; answer it in Stripe"),
    (400, "amount_too_large"): (Rejected, "less than this amount is left to give back"),
    (404, "resource_missing"): (Rejected, "Stripe knows no such payment"),
}


class Stripe(Connector):
    """Stripe: look up a payment, give money back, and hear when a customer has paid."""

    service: ClassVar[str] = "stripe"
    room: ClassVar[str] = "payments"
    hosts: ClassVar[tuple[str, ...]] = ("api.stripe.com",)
    events: ClassVar[tuple[str, ...]] = EVENTS
    signed: ClassVar[bool] = True
    usual_rate: ClassVar[str | None] = "20/1s"
    console: ClassVar[str] = (
        "Open dashboard.stripe.com and log in\n"
        "Developers > API keys: make a restricted key (rk_...) that reads Charges, PaymentIntents, Checkout Sessions "
        "and Events, and writes Refunds\n"
        "Developers > Webhooks: add an endpoint with the address that `digilog connect NAME` shows\n"
        "If customers pay by Checkout or a payment link, choose checkout.session.completed, "
        "checkout.session.async_payment_succeeded and checkout.session.async_payment_failed; if not, "
        "payment_intent.succeeded. Then charge.refunded\n"
        "Copy the endpoint's Signing secret (whsec_...)"
    )
    scopes: ClassVar[tuple[str, ...]] = (
        "Charges: read",
        "PaymentIntents: read",
        "Checkout Sessions: read",
        "Events: read",
        "Refunds: write",
    )
    limits: ClassVar[str] = (
        "100 calls a second, 25 in test mode. Webhooks are sent again for three days, events can be listed for 30; "
        "a refund's key is kept for 24 hours at least (November 2026)."
    )

    base_url: str = "https://api.stripe.com"
    order_in: str = "order"
    secret_key: SecretStr = Field(description="dashboard.stripe.com > Developers > API keys (rk_... or sk_...)")
    signing_secrets: list[SecretStr] = Field(
        [], description="dashboard.stripe.com > Developers > Webhooks > the endpoint > Signing secret (whsec_...)"
    )

    @action
    def payment(self, payment: str) -> Payment:
        """Read one payment by its number at Stripe: pi_..., ch_... or cs_... (a Checkout session)."""
        kind, expand = _kind(payment)
        answer = self.http.get(f"/v1/{kind}/{payment}", expand, meaning=_MEANING)
        return readable(answer, lambda found: payment_of(found, self.order_in))

    @action(effect="keyed", window="24h")
    def refund(self, payment: str, amount: Decimal | None = None, reason: str | None = None, *, key: str) -> Refund:
        """Give back all of a payment (pi_... or ch_...), or `amount` of it. `reason` is kept beside the refund."""
        kind, _ = _kind(payment)
        if kind == "checkout/sessions":
            raise Rejected("payment: a refund wants the payment's number, pi_... or ch_...")
        form: dict[str, object] = {"charge" if kind == "charges" else "payment_intent": payment}
        if amount is not None:  # Stripe counts in the smallest units of a currency that only the payment names
            form["amount"] = minor(amount, self.payment(payment).currency)
        if reason:
            form["reason" if reason in _REASONS else "metadata[reason]"] = reason[:500]
        answer = self.http.post("/v1/refunds", form=form, key=refund_key(key, payment, amount), meaning=_MEANING)
        return readable(answer, lambda found: refund_of(found, payment))

    def probe(self) -> str:
        """One harmless read: the newest event."""
        readable(self.http.get("/v1/events", {"limit": 1}, meaning=_MEANING), lambda page: page.listed("data"))
        return "Stripe knows the key"

    def receive(self, headers: Mapping[str, str], raw: bytes) -> Incoming | Greeting:
        """Verify by any active secret, then find what happened to which payment. Raises Forged, Odd, NotConnected."""
        verify_hmac(self.signing_secrets, headers, raw, _SIGNED)
        body = loads(raw)
        if body.text("type") in _QUIET or _without_money(body):
            return Greeting("")
        return _incoming(body)

    def read(self, name: str, raw: bytes) -> dict[str, Any]:
        """The payment in our words. Raises Odd."""
        body = loads(raw)
        found = body.inside("data").inside("object")
        payment = payment_of(found, self.order_in)
        if name == FAILED:  # the intent itself waits for another card
            payment = payment.model_copy(update={"state": "failed"})
        return told(payment, returned=returned_of(body, payment) if name == REFUNDED else None, buyer=buyer_of(found))

    def reconcile(self, since: datetime) -> tuple[Incoming, ...]:
        """The events since then (Stripe keeps them for 30 days), under the keys that the webhooks have."""
        return tuple(one for type in _NAMES for one in self._listed(type, since))

    def credentials(self) -> dict[str, Any]:
        secret = self.secret_key.get_secret_value()
        return {"headers": {"authorization": f"Bearer {secret}", "stripe-version": _VERSION}}

    def _listed(self, type: str, since: datetime) -> list[Incoming]:
        asked: dict[str, object] = {"type": type, "created[gte]": int(since.timestamp()), "limit": _PAGE}
        found: list[Incoming] = []
        for _ in range(_MOST_PAGES):
            answer = self.http.get("/v1/events", asked, meaning=_MEANING)
            items = readable(answer, lambda page: page.listed("data"))
            found += [one for item in items for one in _missed(item)]
            if not items or answer.json().get("has_more") is not True:
                break
            asked["starting_after"] = readable(answer, lambda page: page.each("data")[-1].text("id"))
        return found


def _incoming(body: Reader, raw: bytes | None = None) -> Incoming:
    """A payment is paid once, whichever of its webhooks come; the sum that went back names a refund."""
    type, found = body.text("type"), body.inside("data").inside("object")
    if type not in _NAMES:
        raise Odd("this kind of Stripe webhook is not known here; choose fewer at the endpoint")
    name, payment = _NAMES[type], number(found)
    if type == "checkout.session.completed" and found.text("payment_status") == "unpaid":
        name = WAITING
    end = f":{found.units('amount_refunded')}" if name == REFUNDED else f":{body.text('id')}" if name == FAILED else ""
    return Incoming(name, f"{payment}:{name}{end}", {"payment": payment}, raw=raw)


def _without_money(body: Reader) -> bool:
    """A Checkout session that only keeps a card for later."""
    type, found = body.text("type"), body.inside("data").inside("object")
    return type.startswith("checkout.session.") and found.text("mode", "payment") == "setup"


def _missed(item: Reader) -> list[Incoming]:
    try:
        return [] if _without_money(item) else [_incoming(item, item.raw())]
    except Odd:  # what a webhook would bring into quarantine must not hide those that were missed
        return []


def _kind(payment: str) -> tuple[str, dict[str, str]]:
    """Where a payment of this number lies, and what is asked for beside it."""
    if re.fullmatch(r"pi_[0-9A-Za-z]+", payment):
        return "payment_intents", {"expand[]": "latest_charge"}
    if re.fullmatch(r"(ch|py)_[0-9A-Za-z]+", payment):
        return "charges", {}
    if re.fullmatch(r"cs_[0-9A-Za-z_]+", payment):
        return "checkout/sessions", {}
    raise Rejected("payment: Stripe's numbers begin with pi_, ch_ or cs_")
