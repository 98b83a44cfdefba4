"""Stripe: one payment is one event whichever webhooks come, in whole money, signed by its own SDK."""

import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.base import Greeting
from connectors.errors import Forged, NotConnected, Odd, Rejected, Uncertain
from connectors.payments.stripe import Stripe
from tests.connectors.samples import stripe as sample

OTHER = "whsec_another"
REFUNDS, INTENT = "POST /v1/refunds", f"GET /v1/payment_intents/{sample.INTENT}"
PAID = ("payment.paid", f"{sample.INTENT}:payment.paid")


@pytest.fixture
def stripe(open_at):
    def connect(answers=sample.GOOD, secrets=sample.SECRETS["signing_secrets"], **settings):
        environ = {
            "DIGILOG_CONNECTIONS__CARD__SECRET_KEY": sample.SECRETS["secret_key"],
            "DIGILOG_CONNECTIONS__CARD__SIGNING_SECRETS": secrets,
        }
        return open_at(Stripe, "card", environ, answers, **settings)

    return connect


@pytest.mark.parametrize("number", [sample.INTENT, sample.CHARGE, sample.SESSION])
def test_a_payment_is_read_by_any_of_its_numbers(stripe, number):
    card, script = stripe()
    found = card.call("payment", {"payment": number})
    assert (found["id"], found["order"], found["amount"]) == (sample.INTENT, sample.ORDER, Decimal(60000))
    assert (found["currency"], found["state"], found["at"].tzinfo) == ("KRW", "paid", UTC)
    assert script.asked[0].headers["authorization"] == "Bearer " + sample.SECRETS["secret_key"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"latest_charge": sample.charge(amount_refunded=20000)}, ("partly_refunded", Decimal(20000))),
        ({"latest_charge": sample.charge(amount_refunded=60000)}, ("refunded", Decimal(60000))),
        ({"status": "processing", "latest_charge": None, "amount_received": 0}, ("waiting", Decimal(0))),
        ({"status": "canceled", "latest_charge": None, "amount_received": 0}, ("canceled", Decimal(0))),
    ],
)
def test_a_payments_state_tells_what_came_and_went(stripe, changed, told):
    card, _ = stripe({INTENT: (200, sample.intent(**changed))})
    found = card.call("payment", {"payment": sample.INTENT})
    assert (found["state"], found["refunded"]) == told
    assert found["amount"] == 60000


@pytest.mark.parametrize("number", ["../balance", "pi_1/cancel", "60000", "", "re_1", "pi_1?x"])
def test_a_number_that_is_not_stripes_is_never_sent(stripe, number):
    card, script = stripe()
    for action in ("payment", "refund"):
        with pytest.raises(Rejected):
            card.call(action, {"payment": number}, key="k")
    assert script.asked == []


def form(asked):
    return {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}


def test_a_refund_is_repeated_under_one_key_and_another_amount_has_another(stripe):
    card, script = stripe()
    for more in ({"amount": "20000"}, {"amount": "20000"}, {}):
        back = card.call("refund", {"payment": sample.INTENT} | more, key="case-1/refund")
    sent = [one for one in script.asked if one.method == "POST"]
    first, again, whole = (one.headers["idempotency-key"] for one in sent)
    assert first == again != whole
    assert [form(one) for one in sent] == [
        {"payment_intent": sample.INTENT, "amount": "20000"},
        {"payment_intent": sample.INTENT, "amount": "20000"},
        {"payment_intent": sample.INTENT},
    ]
    assert (back["payment"], back["state"]) == (sample.INTENT, "refunded")


@pytest.mark.parametrize(
    ("currency", "amount", "units"),
    [("krw", "20000", "20000"), ("jpy", "500", "500"), ("usd", "10.5", "1050"), ("kwd", "1.5", "1500")],
)
def test_an_amount_travels_in_the_smallest_units_of_the_payments_own_currency(stripe, currency, amount, units):
    intent = sample.intent(currency=currency, latest_charge=None)
    answer = sample.refund(currency=currency, amount=int(units))
    card, script = stripe({INTENT: (200, intent), REFUNDS: (200, answer)})
    back = card.call("refund", {"payment": sample.INTENT, "amount": amount}, key="k")
    assert form(script.asked[-1])["amount"] == units
    assert (back["amount"], back["currency"]) == (Decimal(amount), currency.upper())


def test_a_reason_in_the_shops_own_words_lies_beside_the_refund(stripe):
    card, script = stripe()
    card.call("refund", {"payment": sample.CHARGE, "reason": "다치셔서"}, key="k")
    card.call("refund", {"payment": sample.CHARGE, "reason": "duplicate"}, key="k")
    assert [form(one) for one in script.asked] == [
        {"charge": sample.CHARGE, "metadata[reason]": "다치셔서"},
        {"charge": sample.CHARGE, "reason": "duplicate"},
    ]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"error": {"type": "invalid_request_error"}}, NotConnected),
        (403, {"error": {"type": "invalid_request_error"}}, NotConnected),
        (400, {"error": {"type": "idempotency_error", "message": "010-1234-5678"}}, Uncertain),
        (409, {"error": {"type": "invalid_request_error", "code": "idempotency_key_in_use"}}, Uncertain),
        (400, {"error": {"type": "invalid_request_error", "code": "charge_already_refunded"}}, Rejected),
        (500, {"error": {"type": "api_error"}}, Uncertain),
        (200, sample.refund(status="failed"), Rejected),
        (200, {"id": "re_1"}, Uncertain),
    ],
)
def test_a_refusal_says_what_to_do_next(stripe, status, body, error):
    card, _ = stripe({REFUNDS: (status, body)})
    with pytest.raises(error) as caught:
        card.call("refund", {"payment": sample.INTENT}, key="k")
    assert "010" not in str(caught.value)


def received(card, raw, secrets=sample.SECRETS):
    event = card.receive(sample.signed(raw, secrets), raw)
    return event.name, event.key


def test_all_webhooks_of_one_payment_are_one_event(stripe):
    card, _ = stripe(secrets=f"{OTHER},{sample.SECRETS['signing_secrets']}")
    later = sample.event("checkout.session.async_payment_succeeded", sample.session(), "evt_3")
    assert received(card, sample.event("payment_intent.succeeded", sample.intent(), "evt_1")) == PAID
    assert received(card, sample.event("checkout.session.completed", sample.session(), "evt_2")) == PAID
    assert received(card, later, {"signing_secrets": OTHER}) == PAID
    first, second = received(card, sample.refunded(20000)), received(card, sample.refunded(60000, 20000))
    assert (first[0], first[1] == second[1]) == ("payment.refunded", False)


@pytest.mark.parametrize(
    ("raw", "name", "told"),
    [
        (
            sample.event("checkout.session.completed", sample.session()), "payment.paid",
            {"order": sample.ORDER, "phone": "+821033334444", "name": "김하나", "amount": "60000", "currency": "KRW"},
        ),
        (
            sample.event("payment_intent.succeeded", sample.intent()), "payment.paid",
            {"order": sample.ORDER, "email": "hana@example.com", "state": "paid"},
        ),
        (
            sample.event("checkout.session.completed", sample.session(payment_status="unpaid")), "payment.waiting",
            {"state": "waiting"},
        ),
        (
            sample.event("payment_intent.payment_failed", sample.intent(status="requires_payment_method")),
            "payment.failed", {"state": "failed"},
        ),
        (sample.refunded(20000), "payment.refunded", {"returned": "20000", "refunded": "20000"}),
        (sample.refunded(60000, 20000), "payment.refunded", {"returned": "40000", "state": "refunded"}),
    ],
)  # fmt: skip
def test_a_webhook_is_told_in_the_rooms_words(stripe, raw, name, told):
    card, _ = stripe()
    assert received(card, raw)[0] == name
    found = card.read(name, raw)
    assert told.items() <= found.items()
    assert "" not in found.values()
    json.dumps(found)


def test_the_order_number_lies_where_the_connection_says(stripe):
    card, _ = stripe(order_in="주문번호")
    raw = sample.event("payment_intent.succeeded", sample.intent(metadata={"주문번호": "A-7"}))
    assert card.read("payment.paid", raw)["order"] == "A-7"
    raw = sample.event("payment_intent.succeeded", sample.intent(metadata={}))
    assert "order" not in card.read("payment.paid", raw)


@pytest.mark.parametrize(
    "raw",
    [sample.event("payment_intent.created", sample.intent()), sample.event("charge.succeeded", sample.charge()),
     sample.event("checkout.session.completed", sample.session(mode="setup", payment_intent=None))],
)  # fmt: skip
def test_what_nobody_waits_for_is_not_kept(stripe, raw):
    card, _ = stripe()
    assert card.receive(sample.signed(raw, sample.SECRETS), raw) == Greeting("")


RAW = sample.EVENTS[0][1]


def by(secrets=sample.SECRETS, age=0):
    return sample.signed(RAW, secrets, at=time.time() - age)["stripe-signature"]


FORGERIES = {
    "none": lambda: "",
    "of another": lambda: by({"signing_secrets": OTHER}),
    "old": lambda: by(age=310),
    "of the future": lambda: by(age=-310),
    "of another scheme": lambda: by().replace("v1=", "v0="),
    "with two times": lambda: f"{by()},t=1",
    "without a time": lambda: "v1=" + by().partition("v1=")[2],
    "with a word for a time": lambda: "t=soon,v1=ab",
    "with digits of another script": lambda: "t=٣,v1=ab",
    "with half a letter": lambda: f"t={int(time.time())},v1=\ud800",
    "unsigned": lambda: f"t={int(time.time())}",
    "broken": lambda: ",,=,t",
    "long": lambda: "t=" + "9" * 400,
}


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_or_old_webhook_is_refused(stripe, forged):
    card, _ = stripe()
    with pytest.raises(Forged):
        card.receive({"Stripe-Signature": forged()}, RAW)


def test_a_webhook_that_was_altered_is_refused(stripe):
    card, _ = stripe()
    with pytest.raises(Forged):
        card.receive({"Stripe-Signature": by()}, RAW + b" ")


def test_without_a_secret_nothing_is_received(stripe):
    card, _ = stripe(secrets="")
    with pytest.raises(NotConnected, match="secret"):
        card.receive({"Stripe-Signature": by()}, RAW)


@pytest.mark.parametrize(
    "raw",
    [b"[]", b"text", b"{}", sample.event("invoice.paid", sample.intent()),
     sample.event("refund.failed", sample.refund()),
     sample.event("charge.refunded", sample.charge(amount_refunded=None)), b'{"type": "charge.refunded", "data": 1}'],
)  # fmt: skip
def test_signed_and_of_another_shape_goes_to_a_person(stripe, raw):
    card, _ = stripe()
    with pytest.raises(Odd):
        card.receive(sample.signed(raw, sample.SECRETS), raw)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("payment.paid", sample.event("payment_intent.succeeded", sample.intent(status="new"))),
        ("payment.paid", sample.event("payment_intent.succeeded", sample.intent(currency="wons"))),
        ("payment.paid", sample.event("payment_intent.succeeded", sample.intent(currency=None))),
        ("payment.paid", sample.event("payment_intent.succeeded", sample.intent(created=10**14))),
        ("payment.paid", sample.event("checkout.session.completed", sample.session(amount_total="60000"))),
        ("payment.refunded", sample.event("charge.refunded", sample.charge(amount_refunded=20000))),
        ("payment.refunded", sample.refunded(20000, 20000)),
    ],
)
def test_an_amount_that_cannot_be_known_goes_to_a_person(stripe, name, raw):
    card, _ = stripe()
    with pytest.raises(Odd):
        card.read(name, raw)


def test_what_was_missed_is_found_under_the_keys_of_the_webhooks(stripe):
    def page(*raws, more=False):
        return 200, {"object": "list", "data": [json.loads(raw) for raw in raws], "has_more": more}

    first = sample.event("payment_intent.succeeded", sample.intent(), "evt_1")
    odd = sample.event("payment_intent.succeeded", {"object": "payment_intent"}, "evt_2")
    second = sample.refunded(20000)
    card, script = stripe({"GET /v1/events": [page(odd, first, more=True), page(second), page()]})
    found = card.reconcile(datetime(2026, 11, 22, tzinfo=UTC))
    assert [(one.name, one.key) for one in found] == [received(card, first), received(card, second)]
    assert card.read(found[1].name, found[1].raw) == card.read("payment.refunded", second)
    asked = [parse_qs(urlsplit(one.path).query) for one in script.asked]
    assert asked[0] == {"type": ["payment_intent.succeeded"], "created[gte]": ["1795305600"], "limit": ["100"]}
    assert asked[1]["starting_after"] == ["evt_1"]
    assert {one["type"][0] for one in asked} >= {"checkout.session.completed", "charge.refunded"}


def test_the_probe_is_one_read(stripe):
    card, script = stripe()
    assert "knows the key" in card.probe()
    assert [(one.method, urlsplit(one.path).path) for one in script.asked] == [("GET", "/v1/events")]
