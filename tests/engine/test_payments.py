"""Payments, refunds and replies are exchanges by themselves: each once, of the right customer, or said why not."""

import json
from decimal import Decimal

import pytest

from connectors.payments import Payment, told
from flows.engine import starting
from flows.store import tables as t
from flows.store.write import emit

CALL = {"id": "call", "do": "전화한다", "by": "manager", "by_hand": "3m", "expect": "되어 있다"}
WHO = {"phone": "010-1234-5678", "name": "김하나"}


@pytest.fixture
def till(begin):
    """A shop that hears of payments, in which a customer may have a case already."""
    shop = begin("register", [CALL])
    shop.turns()
    return shop


def tell(shop, name, key, body, connection="register"):
    with shop.store.write() as session:
        emit(session, connection, key, name, shop.clock.now(), json.dumps(body).encode())
    shop.turns()


def payment(state="paid", id="pay_1", order="", refunded="0", **who):
    made = Payment(id=id, order=order, amount=Decimal(15000), state=state, refunded=Decimal(refunded))
    return told(made) | who


def exchanges(shop):
    return [
        (row["kind"], row["direction"], row["amount"], row["currency"], row["sale"])
        for row in shop.all(t.exchange)
    ]  # fmt: skip


def event(shop, key):
    return shop.all(t.event, t.event.c.key == key)[0]


PAID = ("payment", "in", Decimal(15000), "KRW", "new")


def test_a_payment_of_a_phone_number_is_that_customers_exchange(till):
    till.asks()
    till.turns()
    tell(till, "payment.paid", "k1", payment(**WHO))
    assert exchanges(till) == [PAID]
    assert till.all(t.exchange)[0]["party_id"] == till.case()["party_id"]
    assert (event(till, "k1")["state"], event(till, "k1")["reason"]) == ("decided", None)


def test_who_pays_without_being_known_becomes_a_customer(till):
    tell(till, "payment.paid", "k1", payment(**WHO))
    (party,) = till.all(t.party)
    kept = {row["kind"]: row["value"] for row in till.all(t.private_contact)}
    assert kept == {"phone": "+821012345678", "name": "김하나"}
    assert till.all(t.exchange)[0]["party_id"] == party["id"]


def test_an_order_that_begins_with_a_case_is_of_its_customer(till):
    till.asks()
    till.turns()
    tell(till, "payment.paid", "k1", payment(order=f"{till.case()['id']}-2"))
    assert till.all(t.exchange)[0]["party_id"] == till.case()["party_id"]


@pytest.mark.parametrize("order", ["", "20261122-000012", "zzzzzzzzzz", "\u0000" * 10])
def test_a_payment_of_nobody_is_shown_and_can_be_replayed_when_it_has_somebody(till, order):
    tell(till, "payment.paid", "k1", payment(order=order))
    assert exchanges(till) == []
    found = event(till, "k1")
    assert (found["state"], found["reason"]) == (
        "quarantined", "no exchange is recorded: no customer is known by its order, phone or e-mail",
    )  # fmt: skip


def test_the_same_payment_told_twice_is_one_exchange(till):
    tell(till, "payment.paid", "k1", payment(**WHO))
    tell(till, "payment.paid", "k2", payment(**WHO))
    with till.store.write() as session:
        starting.replay(session, till.world, event(till, "k1")["id"], "han")
    till.turns()
    assert exchanges(till) == [PAID]


def test_refunds_are_found_by_their_payment_and_each_is_what_it_gave_back(till):
    tell(till, "payment.paid", "k1", payment(**WHO))
    tell(till, "payment.refunded", "k2", payment("partly_refunded", refunded="4000"))
    tell(till, "payment.refunded", "k3", payment("refunded", refunded="15000"))
    tell(till, "payment.refunded", "k4", payment("refunded", refunded="15000"))
    tell(till, "payment.refunded", "k5", payment("partly_refunded", refunded="4000"))
    assert exchanges(till) == [
        PAID, ("refund", "out", Decimal(4000), "KRW", None), ("refund", "out", Decimal(11000), "KRW", None),
    ]  # fmt: skip
    assert len({row["party_id"] for row in till.all(t.exchange)}) == 1


def test_a_refund_whose_payment_was_never_told_brings_the_payment_too(till):
    tell(till, "payment.refunded", "k1", payment("refunded", refunded="15000", **WHO))
    assert [row[0] for row in exchanges(till)] == ["payment", "refund"]


def test_a_recorded_payment_stops_and_starts_what_exchanges_do(till):
    till.write([CALL], name="thanks", start={"exchange": "payment"}, fields=None, case="party")
    till.write([CALL], stop=[{"exchange": ["payment"], "outcome": "won"}])
    till.load()
    till.asks()
    till.turns()
    tell(till, "payment.paid", "k1", payment(**WHO))
    cases = {case["playbook"]: case for case in till.all(t.case)}
    assert (cases["visit"]["outcome"], cases["thanks"]["status"]) == ("won", "assigned")


@pytest.fixture
def order(till):
    """A playbook that begins by a payment, with fields of it."""
    fields = {
        "phone": {"type": "phone", "from": "phone"},
        "what": {"type": "text", "from": "payment.order"},
        "amount": {"type": "money", "from": "payment.amount"},
    }
    till.write([CALL], name="order", start={"event": "payment.paid", "connection": "register"}, fields=fields)
    till.load()
    return till


def test_a_playbook_begins_by_a_payment_and_the_exchange_is_its_customers(order):
    tell(order, "payment.paid", "k1", payment(order="A-1", **WHO))
    case = order.case()
    data = order.all(t.private_case)[0]["data"]
    assert (case["playbook"], '"what":"A-1"' in data, '"15000"' in data) == ("order", True, True)
    assert order.all(t.exchange)[0]["party_id"] == case["party_id"]


@pytest.mark.parametrize("state", ["waiting", "failed", "canceled", "refunded", "something new"])
def test_nothing_begins_by_a_payment_of_which_the_service_says_something_else(order, state):
    tell(order, "payment.paid", "k1", payment(order="A-1", **WHO) | {"payment": {"id": "pay_1", "state": state}})
    assert order.all(t.case) == []
    found = event(order, "k1")
    said = state if state != "something new" else "something that digilog does not know"
    assert found["state"] == "decided"
    assert found["reason"] == f"nothing begins by it: the service says of this payment: {said}"
    assert [row[0] for row in exchanges(order)] == (["payment", "refund"] if state == "refunded" else [])[: 1 + 1]


def test_a_payment_without_a_customer_still_opens_its_case_and_says_what_is_missing(order):
    order.write(
        [CALL], name="order", start={"event": "payment.paid", "connection": "register"}, case="what",
        fields={"what": {"type": "text", "from": "payment.order"}},
    )  # fmt: skip
    order.load()
    tell(order, "payment.paid", "k1", payment(order="A-1"))
    assert len(order.all(t.case)) == 1
    assert event(order, "k1")["reason"].startswith("no exchange is recorded")


def test_a_reply_of_a_known_number_is_an_exchange(till):
    till.asks()
    till.turns()
    tell(till, "message.replied", "m1", {"text": "네", "phone": "01012345678"})
    assert exchanges(till) == [("reply", "in", None, None, None)]


@pytest.mark.parametrize("amount", ["-1", "NaN", "1e400", None, True, {"a": 1}, "much"])
def test_an_amount_that_is_none_is_not_recorded_as_one(till, amount):
    told = payment(**WHO)
    tell(till, "payment.paid", "k1", told | {"payment": {**told["payment"], "amount": amount}})
    assert [row[2] for row in exchanges(till)] == [None]
