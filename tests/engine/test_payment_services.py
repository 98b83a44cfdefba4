"""Payments of Toss, PortOne and Stripe, from the webhook to the ledger: the service's own word, once."""

from decimal import Decimal

import pytest

from connectors.testing import scripted
from flows.engine import starting
from flows.store import tables as t
from flows.store.write import emit
from tests.connectors.samples import portone, stripe, toss
from tests.engine.conftest import ask_too

CALL = {"id": "call", "do": "전화한다", "by": "manager", "by_hand": "3m", "expect": "되어 있다"}
FIELDS = {
    "order": {"type": "text", "from": "payment.order"},
    "amount": {"type": "money", "from": "payment.amount"},
}
SERVICES = {"toss": toss, "portone": portone, "stripe": stripe}
BY_KEY, BY_ID = f"GET /v1/payments/{toss.KEY}", f"GET /payments/{portone.ORDER}"
SOME_BACK = portone.webhook("Transaction.PartialCancelled", cancellationId=portone.CANCELLATION)


@pytest.fixture
def till(shop):
    """A shop that hears of payments of a service, which answers by script; gives shop and script."""
    running = []

    def opened(service, answers=None):
        sample = SERVICES[service]
        running.append(scripted({**sample.GOOD, **(answers or {})}))
        script = running[-1].__enter__()
        shop.connect("till", connector=service, base_url=script.base_url, allow_loopback="yes")
        shop.open([CALL], start={"event": "payment.paid", "connection": "till"}, fields=FIELDS, case="order")
        ask_too(shop)
        secrets = {f"DIGILOG_CONNECTIONS__TILL__{name.upper()}": text for name, text in sample.SECRETS.items()}
        shop.world.secrets = secrets
        return shop, script

    yield opened
    shop.world.connection("till").close()
    for one in running:
        one.__exit__(None, None, None)


def comes(shop, service, raw):
    """A webhook as the inbox receives and keeps it."""
    sign = SERVICES[service].EVENTS[0][0]
    connection = shop.world.connection("till")
    event = connection.receive(sign(raw, SERVICES[service].SECRETS), raw)
    with shop.store.write() as session:
        emit(session, "till", event.key, event.name, shop.clock.now(), raw, unconfirmed=connection.confirms)
    shop.turns()


def exchanges(shop):
    return [(row["kind"], row["amount"], row["currency"]) for row in shop.all(t.exchange)]


@pytest.mark.parametrize("service", ["portone", "stripe"])
def test_who_pays_has_a_case_and_an_exchange_once_whatever_webhooks_come(till, service):
    shop, _ = till(service)
    for _, raw in SERVICES[service].EVENTS[:2] * 2:
        comes(shop, service, raw)
    assert [row["playbook"] for row in shop.all(t.case)] == ["visit"]
    assert exchanges(shop)[0] == ("payment", Decimal(60000), "KRW")
    assert [row[0] for row in exchanges(shop)].count("payment") == 1
    kept = {row["kind"]: row["value"] for row in shop.all(t.private_contact)}
    assert kept["name"] == "김하나"


def test_a_refund_is_the_customers_exchange_with_what_went_back(till):
    shop, script = till("portone")
    comes(shop, "portone", portone.webhook())
    script.answers[BY_ID] = (200, portone.canceled(20000))
    comes(shop, "portone", SOME_BACK)
    comes(shop, "portone", SOME_BACK)
    assert exchanges(shop) == [("payment", Decimal(60000), "KRW"), ("refund", Decimal(20000), "KRW")]


def test_a_webhook_of_toss_is_believed_only_as_toss_itself_says(till):
    shop, script = till("toss", {BY_KEY: (404, {"code": "NOT_FOUND_PAYMENT"})})
    lie = toss.changed(toss.payment(totalAmount=1))
    comes(shop, "toss", lie)
    assert shop.all(t.case) == []
    assert shop.all(t.event)[0]["state"] == "quarantined"
    script.answers[BY_KEY] = (200, toss.payment())
    with shop.store.write() as session:
        starting.replay(session, shop.world, shop.all(t.event)[0]["id"], "han")
    shop.turns()
    assert '"60000"' in shop.all(t.private_case)[0]["data"]
    comes(shop, "toss", toss.changed(toss.payment()))
    assert len(shop.all(t.case)) == 1


def test_a_payment_whose_amount_has_changed_its_type_waits_for_a_person(till):
    shop, _ = till("toss", {BY_KEY: (200, toss.payment(totalAmount="60000"))})
    comes(shop, "toss", toss.changed(toss.payment()))
    assert shop.all(t.case) == []
    found = shop.all(t.event)[0]
    assert found["state"] == "quarantined"
    assert "payment.totalAmount" in found["reason"]
