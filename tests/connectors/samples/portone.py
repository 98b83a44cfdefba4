"""PortOne V2: the shapes of its OpenAPI document and of its SDK's webhooks."""

import json
from datetime import UTC, datetime
from itertools import count

ORDER, TRANSACTION, CANCELLATION = "onda-2026-1122-8", "0193a1c2-6a52-7d0e-90c2", "0193a1f0-2f11-7b61-8d0a"
SETTINGS: dict[str, object] = {}
SECRETS = {"api_secret": "v2-api-secret-8Kd02mQ", "webhook_secrets": "whsec_cG9ydG9uZS1zYW1wbGUtc2VjcmV0LTAx"}
_CHANNEL = {
    "type": "TEST", "key": "channel-key-1", "id": "channel-id-1", "name": "온다 카드", "pgProvider": "TOSSPAYMENTS",
    "pgMerchantId": "tosstest",
}  # fmt: skip
_ids = count(1)


def payment(**changed: object) -> dict[str, object]:
    """A payment of 60,000 won, as PortOne tells it."""
    return {
        "status": "PAID", "id": ORDER, "transactionId": TRANSACTION, "merchantId": "merchant-1", "storeId": "store-1",
        "method": {"type": "PaymentMethodCard"}, "channel": _CHANNEL, "version": "V2",
        "requestedAt": "2026-11-22T01:30:15Z", "updatedAt": "2026-11-22T01:31:02Z",
        "statusChangedAt": "2026-11-22T01:31:02Z", "orderName": "필라테스 체험 1회", "currency": "KRW",
        "amount": {
            "total": 60000, "taxFree": 0, "vat": 5454, "supply": 54546, "discount": 0, "paid": 60000, "cancelled": 0,
            "cancelledTaxFree": 0,
        },
        "customer": {"id": "c-1", "name": "김하나", "email": "hana@example.com", "phoneNumber": "010-3333-4444"},
        "paidAt": "2026-11-22T01:31:02Z", "disputes": [],
        "origin": {"platformType": "MOBILE", "ipAddress": "203.0.113.7"},
        **changed,
    }  # fmt: skip


def cancellation(amount: int = 20000, **changed: object) -> dict[str, object]:
    """Money that went back."""
    return {
        "status": "SUCCEEDED", "id": CANCELLATION, "totalAmount": amount, "taxFreeAmount": 0, "vatAmount": 0,
        "reason": "오시는 길에 다치셔서", "requestedAt": "2026-11-22T02:02:39Z", "cancelledAt": "2026-11-22T02:02:40Z",
        **changed,
    }  # fmt: skip


def canceled(amount: int = 20000) -> dict[str, object]:
    """The payment after `amount` won of it were given back."""
    status = "CANCELLED" if amount == 60000 else "PARTIAL_CANCELLED"
    money = {"total": 60000, "taxFree": 0, "discount": 0, "paid": 60000, "cancelled": amount, "cancelledTaxFree": 0}
    found = payment(
        status=status, amount=money, cancellations=[cancellation(amount)], cancelledAt="2026-11-22T02:02:40Z"
    )
    del found["disputes"]
    return found


def webhook(type: str = "Transaction.Paid", **more: object) -> bytes:
    """A webhook of PortOne: numbers only."""
    data = {"paymentId": ORDER, "storeId": "store-1", "transactionId": TRANSACTION, **more}
    return json.dumps({"type": type, "timestamp": "2026-11-22T01:31:02.512Z", "data": data}).encode()


def confirmed(body: bytes, fetched: dict[str, object]) -> bytes:
    """What is kept after the payment was fetched."""
    return json.dumps({**json.loads(body), "payment": fetched}).encode()


def signed(raw: bytes, secrets: dict[str, str], *, at: datetime | None = None) -> dict[str, str]:
    """Headers as PortOne makes them, by the library of Standard Webhooks."""
    from standardwebhooks.webhooks import Webhook

    at, id = at or datetime.now(UTC), f"msg_{next(_ids)}"
    signature = Webhook(secrets["webhook_secrets"].split(",")[0]).sign(id, at, raw.decode())
    return {"webhook-id": id, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


ACTIONS = {
    "payment": {"payment": ORDER},
    "refund": {"payment": ORDER, "reason": "오시는 길에 다치셔서", "amount": "20000"},
}
GOOD = {
    f"GET /payments/{ORDER}": (200, payment()),
    f"POST /payments/{ORDER}/cancel": (200, {"cancellation": cancellation()}),
    "GET /payments": (200, {"items": [canceled()], "page": {"number": 0, "size": 100, "totalCount": 1}}),
}
EVENTS = [(signed, webhook()), (signed, webhook("Transaction.PartialCancelled", cancellationId=CANCELLATION))]
CONFIRMED = [
    ("payment.paid", confirmed(webhook(), payment())),
    (
        "payment.refunded",
        confirmed(webhook("Transaction.PartialCancelled", cancellationId=CANCELLATION), canceled()),
    ),
]
