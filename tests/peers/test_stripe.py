"""Stripe against localstripe, against Stripe's own SDK, and against Stripe's own description and fixtures."""

import json
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from urllib.parse import parse_qs

import pytest
from jsonschema import Draft4Validator
from stripe import SignatureVerificationError, WebhookSignature

from connectors.errors import Forged, Rejected
from connectors.http import local
from connectors.payments.stripe import Stripe
from connectors.testing import scripted
from tests.connectors.samples import stripe as sample
from tests.peers.start import free_port, started

LOCAL, SDK, SPEC = "localstripe 1.15.10", "stripe SDK 16.1.0", "stripe OpenAPI 2025-10"
DESCRIBED = json.loads((Path(__file__).parent / "specs" / "stripe_payments.json").read_text())
SECRET = sample.SECRETS["signing_secrets"]


def connect(base_url="https://api.stripe.com", **more):
    environ = {f"DIGILOG_CONNECTIONS__CARD__{name.upper()}": value for name, value in sample.SECRETS.items()}
    return Stripe.connect("card", {"base_url": base_url, **more}, environ=environ)


@pytest.fixture(scope="module")
def peer():
    port = free_port()
    command = [str(Path(sys.executable).parent / "localstripe"), "--port", str(port), "--from-scratch"]
    with started(command, port) as one:
        yield one


@pytest.fixture(scope="module")
def card(peer):
    connector = connect(peer.base_url, allow_loopback=True)
    yield connector
    connector.close()


@pytest.fixture(scope="module")
def shop(peer):
    """Somebody who pays: a call of Stripe's API with form fields."""
    http = local(peer.base_url, headers={"authorization": f"Bearer {sample.SECRETS['secret_key']}"})
    yield lambda path, **form: http.post(path, form=form).json()
    http.close()


@pytest.fixture(scope="module")
def came(peer, shop) -> Iterator["SimpleQueue[tuple[dict[str, str], bytes]]"]:
    """The webhooks that localstripe sends, headers and body."""
    got: SimpleQueue[tuple[dict[str, str], bytes]] = SimpleQueue()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.put((dict(self.headers.items()), self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        http = local(peer.base_url)
        http.post("/_config/webhooks/ours", {"url": f"http://127.0.0.1:{server.server_port}/in/card", "secret": SECRET})
        http.close()
        yield got
        server.shutdown()


def pays(shop, amount: int, currency: str) -> str:
    """A customer pays with a card of Stripe's for trials; gives the payment's number."""
    method = shop("/v1/payment_methods", type="card", **{
        "card[number]": "4242424242424242", "card[exp_month]": 12, "card[exp_year]": 2040, "card[cvc]": "123",
    })["id"]  # fmt: skip
    made = shop(
        "/v1/payment_intents", amount=amount, currency=currency, payment_method=method, confirm="true",
        **{"metadata[order]": sample.ORDER},
    )  # fmt: skip
    assert made["status"] == "succeeded"
    return str(made["id"])


@pytest.mark.verifies("stripe.payment", peer=LOCAL)
@pytest.mark.verifies("stripe.refund", peer=LOCAL)
@pytest.mark.parametrize(
    ("units", "currency", "amount", "some"), [(60000, "krw", "60000", "20000"), (1050, "usd", "10.50", "0.25")]
)
def test_a_payment_is_read_and_given_back_in_part_and_then_more(card, came, shop, units, currency, amount, some):
    number = pays(shop, units, currency)
    found = card.call("payment", {"payment": number})
    assert (found["amount"], found["state"], found["order"]) == (Decimal(amount), "paid", sample.ORDER)
    back = card.call("refund", {"payment": number, "amount": some, "reason": "다치셔서"}, key="case-1/refund")
    assert (back["amount"], back["state"], back["currency"]) == (Decimal(some), "refunded", currency.upper())
    found = card.call("payment", {"payment": number})
    assert (found["refunded"], found["state"]) == (Decimal(some), "partly_refunded")


@pytest.mark.verifies("stripe.refund", peer=LOCAL)
def test_a_payment_is_given_back_as_a_whole(card, came, shop):
    number = pays(shop, 60000, "krw")
    assert card.call("refund", {"payment": number}, key="case-2/refund")["amount"] == Decimal(60000)
    assert card.call("payment", {"payment": number})["state"] == "refunded"


@pytest.mark.verifies("stripe.payment", peer=LOCAL)
def test_a_payment_that_is_not_there_is_refused(card):
    for action in ("payment", "refund"):
        with pytest.raises(Rejected):
            card.call(action, {"payment": "pi_none"}, key="k")


@pytest.mark.verifies("stripe.receive", peer=LOCAL)
@pytest.mark.verifies("stripe.reconcile", peer=LOCAL)
@pytest.mark.verifies("stripe.probe", peer=LOCAL)
def test_a_webhook_of_localstripe_is_believed_and_listed_under_the_same_key(card, came, shop):
    since = datetime.now(UTC) - timedelta(minutes=1)
    number = pays(shop, 45000, "krw")
    while True:
        headers, raw = came.get(timeout=20)
        if number.encode() in raw:
            break
    event = card.receive(headers, raw)
    assert (event.name, event.key) == ("payment.paid", f"{number}:payment.paid")
    told = card.read(event.name, raw)
    assert (told["amount"], told["currency"], told["order"]) == ("45000", "KRW", sample.ORDER)
    (listed,) = [one for one in card.reconcile(since) if one.key == event.key]
    assert card.read(listed.name, listed.raw) == told
    assert "key" in card.probe()


@pytest.mark.verifies("stripe.receive", peer=SDK)
def test_what_stripes_sdk_signs_we_believe_and_what_it_refuses_we_refuse():
    raw, now = sample.EVENTS[0][1], int(time.time())
    good = WebhookSignature.generate_signature_header(raw.decode(), SECRET, now)
    wrong = WebhookSignature.generate_signature_header(raw.decode(), "whsec_other", now)
    rolled = f"{good},{wrong.partition(',')[2]}"  # Stripe signs with both while a secret is rolled
    for header in (good, rolled):
        assert WebhookSignature.verify_header(raw, header, SECRET, 300)
        assert connect().receive({"Stripe-Signature": header}, raw).name == "payment.paid"
    old = WebhookSignature.generate_signature_header(raw.decode(), SECRET, now - 400)
    for header, body in [
        ("", raw),
        (wrong, raw),
        (good, raw + b" "),
        (old, raw),
        (good.replace("v1", "v0"), raw),
        ("t", raw),
    ]:
        with pytest.raises(SignatureVerificationError):
            WebhookSignature.verify_header(body, header, SECRET, 300)
        with pytest.raises(Forged):
            connect().receive({"Stripe-Signature": header}, body)


@pytest.mark.verifies("stripe.refund", peer=SPEC)
@pytest.mark.parametrize("more", [{}, {"amount": "20000"}, {"reason": "duplicate"}, {"reason": "다치셔서"}])
@pytest.mark.parametrize("number", [sample.INTENT, sample.CHARGE])
def test_a_refund_is_asked_for_with_what_stripe_describes(number, more):
    with scripted(dict(sample.GOOD)) as script:
        connector = connect(script.base_url, allow_loopback=True)
        connector.call("refund", {"payment": number, **more}, key="k")
        connector.close()
    sent = {name: values[0] for name, values in parse_qs(script.asked[-1].body.decode()).items()}
    form = {name: int(value) if name == "amount" else value for name, value in sent.items() if "[" not in name}
    beside = {name[9:-1]: value for name, value in sent.items() if name.startswith("metadata[")}
    Draft4Validator(DESCRIBED["refund_form"]).validate({**form, "metadata": beside} if beside else form)
    assert len(form) + len(beside) == len(sent)


@pytest.mark.parametrize("sent", [sample.intent(), sample.charge(), sample.session(), sample.refund()])
def test_our_samples_hold_nothing_that_stripe_does_not_describe(sent):
    described = DESCRIBED["schemas"][sent["object"]]
    assert set(sent) <= set(described["properties"])
    known = Draft4Validator({**described, "required": []})
    wrong = [one.message for one in known.iter_errors({k: v for k, v in sent.items() if v is not None})]
    assert wrong == []


@pytest.mark.verifies("stripe.payment", peer=SPEC)
@pytest.mark.parametrize("kind", ["payment_intent", "charge", "checkout.session"])
def test_stripes_own_examples_are_read(kind):
    example = DESCRIBED["fixtures"][kind] | ({"currency": "usd", "amount_total": 100} if kind[0] == "c" else {})
    path = {"payment_intent": "payment_intents", "charge": "charges", "checkout.session": "checkout/sessions"}[kind]
    with scripted({f"GET /v1/{path}/{example['id']}": (200, example)}) as script:
        connector = connect(script.base_url, allow_loopback=True)
        found = connector.call("payment", {"payment": example["id"]})
        connector.close()
    assert found["currency"] == "USD"
