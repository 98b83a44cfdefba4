"""PortOne V2: signed webhooks that carry numbers only, and the payment as PortOne itself has it."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.base import Greeting
from connectors.errors import Forged, NotConnected, Odd, Rejected, Unavailable, Uncertain
from connectors.payments.portone import PortOne
from tests.connectors.samples import portone as sample

OTHER = "whsec_" + "b3RoZXItc2VjcmV0LW9mLXBvcnRvbmU="
ONE, CANCEL, ALL = f"GET /payments/{sample.ORDER}", f"POST /payments/{sample.ORDER}/cancel", "GET /payments"
REFUND = {"payment": sample.ORDER, "reason": "오시는 길에 다치셔서"}
SOME_BACK = sample.webhook("Transaction.PartialCancelled", cancellationId=sample.CANCELLATION)


@pytest.fixture
def portone(open_at):
    def connect(answers=sample.GOOD, secrets=sample.SECRETS["webhook_secrets"], **settings):
        environ = {
            "DIGILOG_CONNECTIONS__PAY__API_SECRET": sample.SECRETS["api_secret"],
            "DIGILOG_CONNECTIONS__PAY__WEBHOOK_SECRETS": secrets,
        }
        return open_at(PortOne, "pay", environ, answers, **settings)

    return connect


def test_a_payment_is_read_by_our_own_number(portone):
    pay, script = portone()
    found = pay.call("payment", {"payment": sample.ORDER})
    assert (found["id"], found["order"], found["amount"], found["state"]) == (
        sample.ORDER, sample.ORDER, Decimal(60000), "paid",
    )  # fmt: skip
    assert script.asked[0].headers["authorization"] == "PortOne " + sample.SECRETS["api_secret"]


def test_smallest_units_of_a_currency_are_whole_money(portone):
    dollars = sample.payment(currency="USD", amount={"total": 1050, "cancelled": 50})
    pay, script = portone({ONE: (200, dollars), CANCEL: (200, {"cancellation": sample.cancellation(25)})})
    found = pay.call("payment", {"payment": sample.ORDER})
    assert (found["amount"], found["refunded"], found["currency"]) == (Decimal("10.50"), Decimal("0.50"), "USD")
    back = pay.call("refund", REFUND | {"amount": "0.25"}, key="k")
    assert (script.asked[-1].json()["amount"], back["amount"], back["currency"]) == (25, Decimal("0.25"), "USD")
    with pytest.raises(Rejected, match="USD has 2 digits"):
        pay.call("refund", REFUND | {"amount": "0.255"}, key="k")


def test_a_refund_is_repeated_under_one_key_and_another_amount_has_another(portone):
    pay, script = portone(store_id="store-2")
    for more in ({"amount": "20000"}, {"amount": "20000"}, {}):
        pay.call("refund", REFUND | more, key="case-1/refund")
    sent = [one for one in script.asked if one.method == "POST"]
    first, again, whole = (one.headers["idempotency-key"] for one in sent)
    assert first == again != whole
    assert all(16 <= len(one) <= 256 and one.isalnum() for one in (first, whole))
    assert [one.json().get("amount") for one in sent] == [20000, 20000, None]
    assert all(one.json()["storeId"] == "store-2" for one in sent)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"type": "UNAUTHORIZED"}, NotConnected),
        (403, {"type": "FORBIDDEN"}, NotConnected),
        (404, {"type": "PAYMENT_NOT_FOUND"}, Rejected),
        (409, {"type": "IDEMPOTENCY_OUTSTANDING_REQUEST"}, Uncertain),
        (409, {"type": "PAYMENT_ALREADY_CANCELLED"}, Rejected),
        (409, {"type": "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT"}, Rejected),
        (502, {"type": "PG_PROVIDER", "pgCode": "x", "pgMessage": "010-1234-5678"}, Uncertain),
        (200, {"cancellation": sample.cancellation(status="FAILED")}, Rejected),
        (200, {"cancellation": sample.cancellation(status="GONE")}, Uncertain),
        (200, {"cancellation": None}, Uncertain),
        (200, [], Uncertain),
    ],
)
def test_a_refusal_says_what_to_do_next(portone, status, body, error):
    pay, _ = portone({ONE: (200, sample.payment()), CANCEL: (status, body)})
    with pytest.raises(error) as caught:
        pay.call("refund", REFUND, key="k")
    assert "010" not in str(caught.value)


def test_a_refund_that_the_bank_is_still_at_is_pending(portone):
    asked = {"cancellation": sample.cancellation(60000, status="REQUESTED", cancelledAt=None)}
    pay, _ = portone({ONE: (200, sample.payment()), CANCEL: (200, asked)})
    assert pay.call("refund", REFUND, key="k")["state"] == "pending"


def received(pay, raw, secrets=sample.SECRETS):
    event = pay.receive(sample.signed(raw, secrets), raw)
    return event.name, event.key


def test_a_signed_webhook_is_received_once_under_any_active_secret(portone):
    pay, _ = portone(secrets=f"{OTHER},{sample.SECRETS['webhook_secrets']}")
    paid = ("payment.paid", f"{sample.ORDER}:payment.paid")
    assert received(pay, sample.webhook()) == received(pay, sample.webhook(), {"webhook_secrets": OTHER}) == paid
    assert received(pay, SOME_BACK) == ("payment.refunded", f"{sample.ORDER}:payment.refunded:{sample.CANCELLATION}")


@pytest.mark.parametrize("type", ["Transaction.Ready", "Transaction.PayPending", "BillingKey.Issued"])
def test_what_nobody_waits_for_is_not_kept(portone, type):
    pay, _ = portone()
    raw = sample.webhook(type)
    assert pay.receive(sample.signed(raw, sample.SECRETS), raw) == Greeting("")


def test_a_forged_or_old_webhook_is_refused(portone):
    pay, _ = portone()
    good = sample.signed(sample.webhook(), sample.SECRETS)
    old = sample.signed(sample.webhook(), sample.SECRETS, at=datetime.now(UTC) - timedelta(minutes=6))
    for headers, raw in [
        ({}, sample.webhook()),
        (sample.signed(sample.webhook(), {"webhook_secrets": OTHER}), sample.webhook()),
        (good, sample.webhook() + b" "),
        (old, sample.webhook()),
    ]:
        with pytest.raises(Forged):
            pay.receive(headers, raw)
    unset, _ = portone(secrets="")
    with pytest.raises(NotConnected):
        unset.receive(good, sample.webhook())


@pytest.mark.parametrize(
    ("name", "raw", "fetched", "told"),
    [
        ("payment.paid", sample.webhook(), sample.payment(), {"amount": "60000", "phone": "010-3333-4444"}),
        ("payment.paid", sample.webhook(), sample.canceled(60000), {"state": "refunded", "refunded": "60000"}),
        ("payment.refunded", SOME_BACK, sample.canceled(), {"returned": "20000", "state": "partly_refunded"}),
        (
            "payment.waiting",
            sample.webhook("Transaction.VirtualAccountIssued"),
            sample.payment(status="VIRTUAL_ACCOUNT_ISSUED", paidAt=None),
            {"state": "waiting"},
        ),
        (
            "payment.failed",
            sample.webhook("Transaction.Failed"),
            sample.payment(status="FAILED", paidAt=None, customer={}),
            {"state": "failed"},
        ),
    ],
)
def test_what_portone_itself_says_is_believed(portone, name, raw, fetched, told):
    pay, _ = portone({ONE: (200, fetched)})
    assert received(pay, raw)[0] == name
    found = pay.read(name, pay.confirm(name, raw))
    assert told.items() <= found.items()
    assert "" not in found.values()
    json.dumps(found)


@pytest.mark.parametrize(
    ("name", "raw", "status", "fetched"),
    [
        ("payment.paid", sample.webhook(), 404, {"type": "PAYMENT_NOT_FOUND"}),
        ("payment.paid", sample.webhook(), 200, sample.payment(status="READY", paidAt=None)),
        ("payment.paid", sample.webhook(), 200, sample.payment(id="another")),
        ("payment.refunded", SOME_BACK, 200, sample.payment()),
    ],
)
def test_what_portone_does_not_bear_out_is_not_believed(portone, name, raw, status, fetched):
    pay, _ = portone({ONE: (status, fetched)})
    assert pay.confirm(name, raw) is None


def test_an_outage_is_asked_again(portone):
    pay, _ = portone({ONE: (500, {})})
    with pytest.raises(Unavailable):
        pay.confirm("payment.paid", sample.webhook())


def test_what_was_missed_is_found_under_the_keys_of_the_webhooks(portone):
    odd = {"status": "PAID"}
    full = [odd, *([sample.payment(id="x", paidAt="2026-11-01T00:00:00Z")] * 99)]
    pages = [(200, {"items": full}), (200, {"items": [sample.canceled()]})]
    pay, script = portone({**sample.GOOD, ALL: pages}, store_id="store-1")
    since = datetime(2026, 11, 22, tzinfo=UTC)
    found = pay.reconcile(since)
    assert [(one.name, one.key) for one in found] == [received(pay, sample.webhook()), received(pay, SOME_BACK)]
    asked = [json.loads(parse_qs(urlsplit(one.path).query)["requestBody"][0]) for one in script.asked[:2]]
    assert [one["page"] for one in asked] == [{"number": 0, "size": 100}, {"number": 1, "size": 100}]
    assert asked[0]["filter"]["from"] == "2026-11-22T00:00:00+00:00"
    assert asked[0]["filter"]["storeId"] == "store-1"
    assert pay.confirm(found[0].name, found[0].raw) is not None
    (late,) = portone({ALL: (200, {"items": [sample.canceled()]})})[0].reconcile(since + timedelta(hours=2))
    assert late.name == "payment.refunded"


@pytest.mark.parametrize(
    "raw",
    [b"[]", b"text", b"{}", sample.webhook("Transaction.SomethingNew"), sample.webhook("Transaction.Cancelled"),
     sample.webhook(paymentId=7), sample.webhook(paymentId="9" * 300), b'{"type": "Transaction.Paid", "data": null}'],
)  # fmt: skip
def test_signed_and_of_another_shape_goes_to_a_person(portone, raw):
    pay, _ = portone()
    with pytest.raises(Odd):
        pay.receive(sample.signed(raw, sample.SECRETS), raw)


def test_what_was_not_fetched_is_never_read(portone):
    pay, _ = portone()
    with pytest.raises(Odd, match="payment"):
        pay.read("payment.paid", sample.webhook())


def test_the_probe_is_one_read(portone):
    pay, script = portone()
    assert "API secret" in pay.probe()
    assert [(one.method, urlsplit(one.path).path) for one in script.asked] == [("GET", "/payments")]
