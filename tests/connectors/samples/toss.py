"""Toss Payments: the shapes of its reference (docs.tosspayments.com), not verified against the vendor."""

import json

ORDER, KEY = "onda-2026-1122-7", "tgen_20261122103015Kd9w2"
PAID_AT, SECOND = "2026-11-22T10:31:02+09:00", "090A796806E726BBB929F4A2CA7DB9A7"
FIRST = "9FF15E1A29D0E77C218F57262BFA4986"
SETTINGS: dict[str, object] = {}
SECRETS = {"secret_key": "test_sk_Z61JOxRQVEdyd1o2aGe8W0X9bAqw"}


def payment(**changed: object) -> dict[str, object]:
    """A payment by card of 60,000 won, as Toss tells it."""
    return {
        "mId": "tvivarepublica", "version": "2024-06-01", "paymentKey": KEY, "lastTransactionKey": FIRST,
        "orderId": ORDER, "orderName": "필라테스 체험 1회", "status": "DONE", "type": "NORMAL", "method": "카드",
        "requestedAt": "2026-11-22T10:30:15+09:00", "approvedAt": PAID_AT, "useEscrow": False,
        "currency": "KRW", "totalAmount": 60000, "balanceAmount": 60000, "suppliedAmount": 54546, "vat": 5454,
        "taxFreeAmount": 0, "country": "KR", "isPartialCancelable": True, "cancels": None, "secret": None,
        "virtualAccount": None, "failure": None, "card": {"issuerCode": "61", "number": "43301234****123*"},
        **changed,
    }  # fmt: skip


def canceled(amount: int, *more: dict[str, object]) -> dict[str, object]:
    """The payment after `amount` won of it were given back."""
    cancel = {
        "transactionKey": SECOND, "cancelReason": "오시는 길에 다치셔서", "cancelAmount": amount,
        "canceledAt": "2026-11-22T11:02:40+09:00", "refundableAmount": 60000 - amount, "cancelStatus": "DONE",
    }  # fmt: skip
    status = "CANCELED" if amount == 60000 else "PARTIAL_CANCELED"
    return payment(status=status, balanceAmount=60000 - amount, lastTransactionKey=SECOND, cancels=[*more, cancel])


def changed(data: dict[str, object]) -> bytes:
    """The webhook PAYMENT_STATUS_CHANGED."""
    told = {"eventType": "PAYMENT_STATUS_CHANGED", "createdAt": "2026-11-22T10:31:03.120000", "data": data}
    return json.dumps(told, ensure_ascii=False).encode()


def deposit(**different: object) -> bytes:
    """The webhook DEPOSIT_CALLBACK: flat, no kind, no payment key."""
    told = {
        "createdAt": "2026-11-22T10:31:03.120000", "secret": "ps_kYG57Eba3G2pBP9kAXKO", "orderId": ORDER,
        "status": "DONE", "transactionKey": FIRST,
    }  # fmt: skip
    return json.dumps(told | different).encode()


def confirmed(body: bytes, fetched: dict[str, object]) -> bytes:
    """What is kept after the payment was fetched."""
    return json.dumps({**json.loads(body), "payment": fetched}).encode()


def unsigned(raw: bytes, secrets: dict[str, str]) -> dict[str, str]:
    """Toss signs none of these."""
    return {"content-type": "application/json"}


ACTIONS = {
    "payment": {"order": ORDER},
    "payment_by_key": {"payment": KEY},
    "refund": {"payment": KEY, "reason": "오시는 길에 다치셔서", "amount": "20000"},
}
GOOD = {
    f"GET /v1/payments/orders/{ORDER}": (200, payment()),
    f"GET /v1/payments/{KEY}": (200, payment()),
    f"POST /v1/payments/{KEY}/cancel": (200, canceled(20000)),
    "GET /v1/transactions": (200, []),
}
EVENTS = [(unsigned, changed(payment())), (unsigned, changed(canceled(20000))), (unsigned, deposit())]
CONFIRMED = [
    ("payment.paid", confirmed(changed(payment()), payment())),
    ("payment.refunded", confirmed(changed(canceled(20000)), canceled(20000))),
    ("payment.paid", confirmed(deposit(), payment(secret="ps_kYG57Eba3G2pBP9kAXKO", method="가상계좌"))),
]
