"""Money is exact: vendors' smallest units, and keys that no two refunds share."""

from decimal import Decimal

import pytest

from connectors.errors import Odd, Rejected
from connectors.payments import refund_key
from connectors.payments.money import major, minor
from connectors.payments.reader import loads


@pytest.mark.parametrize(
    ("units", "currency", "money"),
    [(60000, "KRW", "60000"), (500, "jpy", "500"), (1050, "USD", "10.50"), (1, "EUR", "0.01"), (1500, "KWD", "1.500"),
     (0, "KRW", "0"), (500, "UGX", "5.00")],
)  # fmt: skip
def test_smallest_units_become_whole_money_and_back(units, currency, money):
    assert format(major(units, currency), "f") == money
    if units:
        assert minor(Decimal(money), currency) == units


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("0.5", "KRW"), ("100.1", "JPY"), ("1.005", "USD"), ("0", "USD"), ("-1", "KRW"), ("NaN", "KRW"),
     ("Infinity", "KRW"), ("1e999999", "KRW")],
)  # fmt: skip
def test_what_no_coin_can_pay_is_refused_before_anything_is_sent(amount, currency):
    with pytest.raises(Rejected, match="amount"):
        minor(Decimal(amount), currency)


def test_each_refund_has_a_key_of_its_own_and_the_same_refund_the_same():
    given = [
        refund_key(key, payment, amount)
        for key in ("case-1/refund", "case-2/refund")
        for payment in ("p-1", "p-2")
        for amount in (None, Decimal(10000), Decimal(20000))
    ]
    assert len(set(given)) == len(given)
    assert refund_key("k", "p", Decimal("1E+4")) == refund_key("k", "p", Decimal("10000.00"))
    assert all(len(one) == 64 and one.isalnum() for one in given)


@pytest.mark.parametrize(
    "wrong", ["1e40", "-1", "0.5", "10.01", "true", '"60000"', "null", "[1]", "1e999999999", "NaN", "9" * 5000]
)
def test_a_number_that_is_no_possible_amount_goes_to_a_person(wrong):
    with pytest.raises(Odd):
        loads(f'{{"totalAmount": {wrong}}}'.encode()).money("totalAmount", "KRW")


@pytest.mark.parametrize("wrong", ['"\\ud800"', '" "', '"None"', '"undefined"', "7", "null", "{}"])
def test_a_text_that_no_store_takes_goes_to_a_person(wrong):
    with pytest.raises(Odd, match="orderId"):
        loads(f'{{"orderId": {wrong}}}'.encode()).text("orderId")


@pytest.mark.parametrize("wrong", ['"2026-11-22"', '"2026-11-22T10:31:02"', '"soon"', "5"])
def test_a_time_without_a_zone_goes_to_a_person(wrong):
    with pytest.raises(Odd, match="at"):
        loads(f'{{"at": {wrong}}}'.encode()).at("at")
