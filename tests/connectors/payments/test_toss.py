"""Toss Payments: nobody signs its webhooks, so nothing is believed before Toss itself says it."""

import base64
import json
from decimal import Decimal

import pytest

from connectors.base import Greeting
from connectors.errors import NotConnected, Odd, Rejected, Unavailable, Uncertain
from connectors.payments.toss import Toss
from tests.connectors.samples import toss as sample

ENVIRON = {"DIGILOG_CONNECTIONS__CARD__SECRET_KEY": sample.SECRETS["secret_key"]}
BY_KEY, BY_ORDER = f"GET /v1/payments/{sample.KEY}", f"GET /v1/payments/orders/{sample.ORDER}"
CANCEL = f"POST /v1/payments/{sample.KEY}/cancel"
SOME_BACK, ALL_BACK = sample.canceled(20000), sample.canceled(60000)
REFUND = {"payment": sample.KEY, "reason": "오시는 길에 다치셔서"}


@pytest.fixture
def toss(open_at):
    return lambda answers=sample.GOOD: open_at(Toss, "card", ENVIRON, answers)


def test_a_payment_is_read_by_our_number_or_by_theirs(toss):
    card, script = toss()
    found = card.call("payment", {"order": sample.ORDER})
    assert card.call("payment_by_key", {"payment": sample.KEY}) == found
    assert (found["id"], found["order"], found["amount"]) == (sample.KEY, sample.ORDER, Decimal(60000))
    assert (found["state"], found["refunded"], found["at"].isoformat()) == ("paid", 0, "2026-11-22T01:31:02+00:00")
    login = base64.b64decode(script.asked[0].headers["authorization"].removeprefix("Basic ")).decode()
    assert login == sample.SECRETS["secret_key"] + ":"


def test_a_refund_is_repeated_under_one_key_and_another_amount_has_another(toss):
    card, script = toss(
        {CANCEL: [(200, sample.canceled(20000)), (200, sample.canceled(20000)), (200, sample.canceled(60000))]}
    )
    for amount in ("20000", "20000.0", None):
        more = {} if amount is None else {"amount": amount}
        back = card.call("refund", REFUND | more, key="case-1/refund")
    assert back["amount"] == Decimal(60000)
    first, again, whole = (one.headers["idempotency-key"] for one in script.asked)
    assert first == again != whole
    assert [one.json() for one in script.asked] == [
        {"cancelReason": REFUND["reason"], "cancelAmount": 20000},
        {"cancelReason": REFUND["reason"], "cancelAmount": 20000},
        {"cancelReason": REFUND["reason"]},
    ]


@pytest.mark.parametrize("amount", ["0", "-5", "NaN", "1e30"])
def test_an_impossible_amount_is_never_sent(toss, amount):
    card, script = toss()
    with pytest.raises(Rejected, match="amount"):
        card.call("refund", REFUND | {"amount": amount}, key="k")
    assert script.asked == []


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, "UNAUTHORIZED_KEY", NotConnected),
        (400, "INVALID_API_KEY", NotConnected),
        (403, "NOT_AVAILABLE_BANK", Unavailable),
        (409, "IDEMPOTENT_REQUEST_PROCESSING", Uncertain),
        (400, "PROVIDER_ERROR", Uncertain),
        (403, "NOT_CANCELABLE_AMOUNT", Rejected),
        (400, "ALREADY_CANCELED_PAYMENT", Rejected),
        (400, "SOMETHING_NEW", Rejected),
        (500, "FAILED_INTERNAL_SYSTEM_PROCESSING", Uncertain),
    ],
)
def test_a_refusal_says_what_to_do_next(toss, status, code, error):
    card, _ = toss({CANCEL: (status, {"code": code, "message": "비밀 010-1234-5678"})})
    with pytest.raises(error) as caught:
        card.call("refund", REFUND, key="k")
    assert "010" not in str(caught.value)
    assert caught.value.connection == "card"


@pytest.mark.parametrize("answer", [[], {"status": "CANCELED"}, "<html>", sample.payment(), None])
def test_an_answer_to_a_refund_that_cannot_be_read_is_a_doubt(toss, answer):
    card, _ = toss({CANCEL: (200, answer)})
    with pytest.raises(Uncertain):
        card.call("refund", REFUND, key="k")


def received(card, raw):
    event = card.receive({}, raw)
    return event.name, event.key


def test_each_webhook_of_one_change_has_one_key(toss):
    card, _ = toss()
    paid = received(card, sample.changed(sample.payment()))
    assert paid == ("payment.paid", f"{sample.ORDER}:payment.paid")
    assert received(card, sample.deposit()) == paid
    some, more = sample.canceled(20000), sample.canceled(20000)
    assert received(card, sample.changed(some))[0] == "payment.refunded"
    assert received(card, sample.changed(some)) == received(
        card, sample.deposit(status="PARTIAL_CANCELED", transactionKey=sample.SECOND)
    )
    more["lastTransactionKey"] = "A" * 32
    assert received(card, sample.changed(some)) != received(card, sample.changed(more))


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"status": "WAITING_FOR_DEPOSIT", "approvedAt": None}, "payment.waiting"),
        ({"status": "CANCELED", "approvedAt": None}, "payment.canceled"),
        ({"status": "EXPIRED", "approvedAt": None}, "payment.failed"),
        ({"status": "ABORTED", "approvedAt": None}, "payment.failed"),
    ],
)
def test_a_change_without_money_has_its_own_name(toss, changed, name):
    body = sample.payment(**changed)
    card, _ = toss({BY_KEY: (200, body)})
    raw = sample.changed(body)
    assert received(card, raw)[0] == name
    assert card.read(name, card.confirm(name, raw))["refunded"] == "0"


@pytest.mark.parametrize("status", ["READY", "IN_PROGRESS"])
def test_what_the_customer_is_still_at_is_not_kept(toss, status):
    card, _ = toss()
    assert card.receive({}, sample.changed(sample.payment(status=status))) == Greeting("")
    assert card.receive({}, b'{"eventType": "METHOD_UPDATED", "data": {}}') == Greeting("")


@pytest.mark.parametrize(
    ("name", "raw", "fetched", "told"),
    [
        ("payment.paid", sample.changed(sample.payment(totalAmount=1)), sample.payment(), {"amount": "60000"}),
        ("payment.paid", sample.changed(sample.payment()), ALL_BACK, {"state": "refunded", "refunded": "60000"}),
        ("payment.refunded", sample.changed(SOME_BACK), SOME_BACK, {"returned": "20000", "state": "partly_refunded"}),
        ("payment.paid", sample.deposit(), sample.payment(secret="ps_kYG57Eba3G2pBP9kAXKO"), {"order": sample.ORDER}),
    ],
)  # fmt: skip
def test_what_toss_itself_says_is_believed(toss, name, raw, fetched, told):
    card, _ = toss({BY_KEY: (200, fetched), BY_ORDER: (200, fetched)})
    found = card.read(name, card.confirm(name, raw))
    assert told.items() <= found.items()
    assert found["payment"].items() <= found.items()
    json.dumps(found)


@pytest.mark.parametrize(
    ("name", "raw", "status", "fetched"),
    [
        ("payment.paid", sample.changed(sample.payment()), 404, {"code": "NOT_FOUND_PAYMENT"}),
        ("payment.paid", sample.changed(sample.payment()), 200, sample.payment(status="READY", approvedAt=None)),
        ("payment.paid", sample.changed(sample.payment()), 200, sample.payment(orderId="another")),
        ("payment.paid", sample.changed(sample.payment()), 200, sample.payment(status="WAITING_FOR_DEPOSIT")),
        ("payment.paid", sample.changed(sample.payment()), 200, sample.payment(status="CANCELED", approvedAt=None)),
        ("payment.paid", sample.deposit(), 200, sample.payment(secret="ps_other")),
        ("payment.paid", sample.deposit(), 200, sample.payment(secret=None)),
        ("payment.paid", sample.deposit(secret="비밀"), 200, sample.payment(secret="ps_other")),
        ("payment.refunded", sample.changed(SOME_BACK), 200, sample.payment()),
        ("payment.refunded", sample.changed({**SOME_BACK, "lastTransactionKey": "B" * 32}), 200, SOME_BACK),
    ],
)  # fmt: skip
def test_what_toss_does_not_bear_out_is_not_believed(toss, name, raw, status, fetched):
    card, _ = toss({BY_KEY: (status, fetched), BY_ORDER: (status, fetched)})
    assert card.receive({}, raw).name == name
    assert card.confirm(name, raw) is None


def test_a_refund_told_after_the_next_is_counted_with_its_own_amount(toss):
    early = {
        "transactionKey": "C" * 32,
        "cancelAmount": 5000,
        "cancelReason": "-",
        "canceledAt": "2026-11-22T10:50:00+09:00",
    }
    later = sample.canceled(20000, early)
    first = {**later, "lastTransactionKey": "C" * 32}
    card, _ = toss({BY_KEY: (200, later)})
    raws = [sample.changed(first), sample.changed(later)]
    assert len({received(card, raw)[1] for raw in raws}) == 2
    found = [card.read("payment.refunded", card.confirm("payment.refunded", raw))["returned"] for raw in raws]
    assert found == ["5000", "20000"]


def test_an_outage_of_toss_is_asked_again_and_html_is_not(toss):
    card, _ = toss({BY_KEY: [(503, {}), (503, {}), (503, {}), (200, "<html>")]})
    with pytest.raises(Unavailable):
        card.confirm("payment.paid", sample.changed(sample.payment()))
    with pytest.raises(Rejected):
        card.confirm("payment.paid", sample.changed(sample.payment()))


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"null", b"text", b"{}", b'{"eventType": "SOMETHING_NEW"}', b'{"eventType": "PAYMENT_STATUS_CHANGED"}',
     b'{"eventType": "PAYMENT_STATUS_CHANGED", "data": []}', sample.changed(sample.payment(status="GONE")),
     sample.changed(sample.payment(orderId="../../etc")), sample.changed(sample.payment(orderId=7)),
     sample.changed({**sample.canceled(60000), "lastTransactionKey": None}), sample.deposit(orderId="\ud800")],
)  # fmt: skip
def test_another_shape_goes_to_a_person(toss, raw):
    card, _ = toss()
    with pytest.raises(Odd):
        card.receive({}, raw)


def test_what_was_not_fetched_is_never_read(toss):
    card, _ = toss()
    with pytest.raises(Odd, match="payment"):
        card.read("payment.paid", sample.changed(sample.payment()))


def test_the_probe_is_one_read_in_the_time_of_seoul(toss):
    card, script = toss()
    assert "secret key" in card.probe()
    (asked,) = script.asked
    assert (asked.method, asked.path.partition("?")[0]) == ("GET", "/v1/transactions")
