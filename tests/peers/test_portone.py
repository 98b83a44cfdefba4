"""PortOne V2 against its own SDK, the library of Standard Webhooks, and Prism with PortOne's own document."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from jsonschema import Draft4Validator
from portone_server_sdk import webhook as sdk
from portone_server_sdk._generated.payment.payment import _deserialize_payment
from portone_server_sdk.webhook import WebhookVerificationError

from connectors.errors import Forged, Rejected, Uncertain
from connectors.payments.portone import PortOne
from connectors.testing import Script, scripted
from tests.connectors.samples import portone as sample
from tests.peers.bearer import renaming
from tests.peers.start import free_port, node, started

SPEC = Path(__file__).parent / "specs" / "portone_payments.json"
SDK, PRISM, SIGNER = "portone-server-sdk 0.21.0", "prism 5.16.0", "standardwebhooks 1.1.0"
SECRET = sample.SECRETS["webhook_secrets"]


def connect(base_url="https://api.portone.io", **more):
    environ = {f"DIGILOG_CONNECTIONS__PAY__{name.upper()}": value for name, value in sample.SECRETS.items()}
    return PortOne.connect("pay", {"base_url": base_url, **more}, environ=environ)


@pytest.fixture(scope="module")
def prism():
    """PortOne's document between the connector and the scripted answers: it checks both ways."""
    with scripted(dict(sample.GOOD)) as upstream:
        port = free_port()
        script = "dist/index.js"
        command = [*node("@stoplight/prism-cli", script), "proxy", str(SPEC), upstream.base_url, "--errors"]
        with started([*command, "--port", str(port)], port) as peer, renaming("PortOne", peer.port) as address:
            connector = connect(address, allow_loopback=True)
            yield upstream, connector, peer
            connector.close()


@pytest.fixture
def pay(prism):
    upstream, connector, peer = prism
    upstream.answers.clear()
    upstream.answers.update(sample.GOOD)
    upstream.asked.clear()
    yield connector
    assert "violation" not in peer.log().lower(), peer.log()[-3000:]


@pytest.fixture
def upstream(prism) -> Script:
    return prism[0]


@pytest.mark.verifies("portone.payment", peer=PRISM)
@pytest.mark.verifies("portone.confirm", peer=PRISM)
@pytest.mark.parametrize("found", [sample.payment(), sample.canceled(), sample.canceled(60000)])
def test_a_payment_is_asked_for_and_answered_as_portones_document_says(pay, upstream, found):
    upstream.answers[f"GET /payments/{sample.ORDER}"] = (200, found)
    assert pay.call("payment", {"payment": sample.ORDER})["amount"] == Decimal(60000)
    raw = pay.confirm("payment.paid", sample.webhook())
    assert pay.read("payment.paid", raw)["order"] == sample.ORDER


@pytest.mark.verifies("portone.refund", peer=PRISM)
def test_a_refund_is_sent_and_answered_as_portones_document_says(pay, upstream):
    back = pay.call("refund", sample.ACTIONS["refund"], key="k")
    assert (back["amount"], back["state"]) == (Decimal(20000), "refunded")
    assert upstream.asked[-1].json() == {"reason": sample.ACTIONS["refund"]["reason"], "amount": 20000}
    requested = {k: v for k, v in sample.cancellation(60000, status="REQUESTED").items() if k != "cancelledAt"}
    upstream.answers[f"POST /payments/{sample.ORDER}/cancel"] = (200, {"cancellation": requested})
    whole = {"payment": sample.ORDER, "reason": "-"}
    assert pay.call("refund", whole, key="k")["state"] == "pending"


@pytest.mark.verifies("portone.refund", peer=PRISM)
@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (409, {"type": "PAYMENT_ALREADY_CANCELLED"}, Rejected),
        (502, {"type": "PG_PROVIDER", "pgCode": "F400", "pgMessage": "한도 초과"}, Uncertain),
    ],
)
def test_a_refusal_of_portones_document_is_understood(pay, upstream, status, body, error):
    upstream.answers[f"POST /payments/{sample.ORDER}/cancel"] = (status, body)
    with pytest.raises(error):
        pay.call("refund", sample.ACTIONS["refund"], key="k")


@pytest.mark.verifies("portone.reconcile", peer=PRISM)
@pytest.mark.verifies("portone.probe", peer=PRISM)
def test_payments_are_listed_as_portones_document_says(pay, upstream):
    found = pay.reconcile(datetime(2026, 11, 22, tzinfo=UTC))
    assert [one.name for one in found] == ["payment.paid", "payment.refunded"]
    asked = json.loads(parse_qs(urlsplit(upstream.asked[-1].path).query)["requestBody"][0])
    described = json.loads(SPEC.read_text())["components"]  # Prism does not look into a query that is JSON
    Draft4Validator({"$ref": "#/components/schemas/GetPaymentsBody", "components": described}).validate(asked)
    assert set(asked["filter"]) <= set(described["schemas"]["PaymentFilterInput"]["properties"])
    assert "API secret" in pay.probe()


@pytest.mark.verifies("portone.receive", peer=SIGNER)
@pytest.mark.verifies("portone.receive", peer=SDK)
@pytest.mark.parametrize("raw", [raw for _, raw in sample.EVENTS])
def test_what_the_library_signs_portones_sdk_and_we_believe(raw):
    headers = sample.signed(raw, sample.SECRETS)
    theirs = sdk.verify(SECRET, raw.decode(), headers)
    ours = connect().receive(headers, raw)
    assert theirs.data.payment_id == ours.payload["payment"]
    assert type(theirs).__name__ in {"WebhookTransactionPaid", "WebhookTransactionCancelledPartialCancelled"}


@pytest.mark.verifies("portone.receive", peer=SDK)
def test_what_portones_sdk_refuses_we_refuse():
    raw = sample.webhook()
    good = sample.signed(raw, sample.SECRETS)
    stamp = str(int(good["webhook-timestamp"]) - 400)
    for headers, body in [
        ({}, raw),
        (good, raw + b" "),
        (good | {"webhook-id": "msg_0"}, raw),
        (good | {"webhook-timestamp": stamp}, raw),
        (good | {"webhook-signature": "v1,AAAA"}, raw),
        (good | {"webhook-signature": good["webhook-signature"].replace("v1,", "v2,")}, raw),
    ]:
        with pytest.raises(WebhookVerificationError):
            sdk.verify(SECRET, body.decode(), headers)
        with pytest.raises(Forged):
            connect().receive(headers, body)


@pytest.mark.parametrize("found", [sample.payment(), sample.canceled(), sample.canceled(60000)])
def test_portones_sdk_reads_our_samples_as_payments(found):
    theirs = _deserialize_payment(json.loads(json.dumps(found)))
    assert (theirs.id, theirs.amount.total, theirs.customer.phone_number) == (sample.ORDER, 60000, "010-3333-4444")
