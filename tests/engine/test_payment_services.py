"""What payment services send, through the real engine: received, asked about where nobody signs, read, and recorded."""

from contextlib import closing
from decimal import Decimal

import pytest

from connectors.base import Incoming
from connectors.testing import scripted
from flows.engine.decide import NOBODY
from flows.store import tables as t
from flows.store.write import emit
from tests.connectors.samples import portone, stripe, toss
from tests.engine.conftest import ask_too

CALL = {"id": "call", "do": "전화한다", "by": "manager", "by_hand": "3m", "expect": "되어 있다"}


UNKNOWN = "it is not confirmed: the service knows nothing of it"
PAYMENT, REFUND = ("payment", Decimal(60_000), "KRW"), ("refund", Decimal(20_000), "KRW")


@pytest.mark.parametrize(
    ("service", "sample", "exchanges"),
    [
        ("toss", toss, []),  # tells neither a phone number nor an address
        ("portone", portone, [PAYMENT]),  # its script knows one of the two payments
        ("stripe", stripe, [PAYMENT, REFUND]),
    ],
)
def test_each_sample_of_a_service_is_an_exchange_or_says_why_not(shop, service, sample, exchanges):
    with scripted(sample.GOOD) as answers:
        shop.connect(
            "till", connector=service, base_url=answers.base_url, allow_loopback="true",
            **{name: str(value) for name, value in sample.SETTINGS.items() if name != "base_url"},
        )  # fmt: skip
        shop.open([CALL])
        shop.world.secrets = {
            f"DIGILOG_CONNECTIONS__TILL__{field.upper()}": value for field, value in sample.SECRETS.items()
        }
        ask_too(shop)
        with closing(shop.world.connection("till")) as till:
            for headers_of, raw in sample.EVENTS:
                found = till.receive(headers_of(raw, sample.SECRETS), raw)
                assert isinstance(found, Incoming)
                with shop.store.write() as session:
                    emit(session, "till", found.key, found.name, shop.clock.now(), raw, unconfirmed=till.confirms)
            shop.turns(40)
        events = shop.all(t.event, t.event.c.connection == "till")
        assert {row["reason"] for row in events} <= {None, NOBODY, UNKNOWN}
        assert [(row["kind"], row["amount"], row["currency"]) for row in shop.all(t.exchange)] == exchanges
