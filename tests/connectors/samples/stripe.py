"""Stripe: the shapes of its fixtures (github.com/stripe/openapi, MIT), shortened."""

import json
import time

INTENT, CHARGE, SESSION = "pi_3QabcDEF12345678", "ch_3QabcDEF12345678", "cs_test_a1YS1URlnyQCN5fU"
CREATED, ORDER = 1795310400, "onda-2026-1122-9"
SETTINGS: dict[str, object] = {}
SECRETS = {"secret_key": "sk_test_51QabcDEFghiJKL", "signing_secrets": "whsec_5Jt0aQ2wS8bXn1mZ"}


def intent(**changed: object) -> dict[str, object]:
    """A payment of 60,000 won."""
    return {
        "id": INTENT, "object": "payment_intent", "amount": 60000, "amount_received": 60000, "currency": "krw",
        "created": CREATED, "customer": None, "description": None, "latest_charge": CHARGE, "livemode": False,
        "metadata": {"order": ORDER}, "payment_method_types": ["card"], "receipt_email": "hana@example.com",
        "status": "succeeded",
        **changed,
    }  # fmt: skip


def charge(**changed: object) -> dict[str, object]:
    """The same, as the charge of a card."""
    return {
        "id": CHARGE, "object": "charge", "amount": 60000, "amount_captured": 60000, "amount_refunded": 0,
        "billing_details": {"address": {"country": "KR"}, "email": "hana@example.com", "name": "김하나", "phone": None},
        "captured": True, "created": CREATED, "currency": "krw", "livemode": False, "metadata": {"order": ORDER},
        "paid": True, "payment_intent": INTENT, "refunded": False, "status": "succeeded",
        **changed,
    }  # fmt: skip


def session(**changed: object) -> dict[str, object]:
    """A Checkout session that the customer has gone through."""
    return {
        "id": SESSION, "object": "checkout.session", "amount_subtotal": 60000, "amount_total": 60000,
        "client_reference_id": ORDER, "created": CREATED, "currency": "krw", "livemode": False, "metadata": {},
        "customer_details": {"email": "hana@example.com", "name": "김하나", "phone": "+821033334444"},
        "mode": "payment", "payment_intent": INTENT, "payment_status": "paid", "status": "complete",
        **changed,
    }  # fmt: skip


def event(type: str, found: dict[str, object], id: str = "evt_1Qabc", **data: object) -> bytes:
    """A webhook of Stripe."""
    told = {
        "id": id, "object": "event", "api_version": "2024-06-20", "created": CREATED + 5, "livemode": False,
        "pending_webhooks": 1, "request": {"id": None, "idempotency_key": None}, "type": type,
        "data": {"object": found, **data},
    }  # fmt: skip
    return json.dumps(told, indent=2, ensure_ascii=False).encode()


def refunded(amount: int, before: int = 0) -> bytes:
    """The webhook charge.refunded: `amount` won back in all, `before` it was less."""
    found = charge(amount_refunded=amount, refunded=amount == 60000)
    return event("charge.refunded", found, previous_attributes={"amount_refunded": before, "refunded": False})


def signed(raw: bytes, secrets: dict[str, str], *, at: float | None = None) -> dict[str, str]:
    """The header as Stripe makes it, by its own SDK."""
    from stripe import WebhookSignature

    secret = secrets["signing_secrets"].split(",")[0]
    stamp = int(time.time() if at is None else at)
    return {"stripe-signature": WebhookSignature.generate_signature_header(raw.decode(), secret, stamp)}


def refund(**changed: object) -> dict[str, object]:
    """A refund of 20,000 won."""
    return {
        "id": "re_1QabcDEF", "object": "refund", "amount": 20000, "charge": CHARGE, "created": CREATED + 1800,
        "currency": "krw", "metadata": {}, "payment_intent": INTENT, "reason": None, "status": "succeeded",
        **changed,
    }  # fmt: skip


ACTIONS = {
    "payment": {"payment": INTENT},
    "refund": {"payment": INTENT, "amount": "20000", "reason": "requested_by_customer"},
}
GOOD = {
    f"GET /v1/payment_intents/{INTENT}": (200, intent(latest_charge=charge())),
    f"GET /v1/charges/{CHARGE}": (200, charge()),
    f"GET /v1/checkout/sessions/{SESSION}": (200, session()),
    "POST /v1/refunds": (200, refund()),
    "GET /v1/events": (200, {"object": "list", "data": [], "has_more": False, "url": "/v1/events"}),
}
EVENTS = [
    (signed, event("checkout.session.completed", session())),
    (signed, event("payment_intent.succeeded", intent())),
    (signed, refunded(20000)),
]
