"""Numbers counted from our own ledger: exchanges net of what was given back, and minutes that people noted."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert

from flows.ledger.derived import derived
from flows.ledger.exchanges import Exchange, record
from flows.ledger.parties import find_or_make
from flows.store import tables as t
from tests.conftest import FILES
from tests.ledger.desk import begin

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)


def counted(kind, **more):
    return {"label": kind, "on": "decide", "source": {"exchanges": kind, **more}}


METRICS = {
    f"{count}_{claims}": counted("purchase_card", count=count, claims=claims)
    for count in ("exchanges", "customers", "amount", "net_amount", "quantity")
    for claims in ("own_day", "sale_day", "ignored")
} | {
    "new": counted("purchase_card", sale="new"),
    "paid": counted("payment", count="amount"),
    "dollars": counted("payment", count="amount") | {"unit": "USD"},
    "bought": counted("purchase"),
    "given_back": counted("refund", count="amount"),
    "web": counted("apply") | {"channel": "web"},
    "work": {"label": "일", "on": "internal", "source": {"minutes_of": "manager"}},
    "asked": {"label": "묻는 것", "on": "apply", "source": {"by": "manager"}},
}

KINDS = {"purchase_shirt": {"stage": "decide"}, "refund_card": {}}
CANVAS = {**FILES["canvas"], "kinds": FILES["canvas"]["kinds"] | KINDS}


class Till:
    """Records exchanges by the day of November, and counts."""

    def __init__(self, shop):
        self.shop, self.book, self.number = shop, shop.world.book, 0

    def sells(self, day, kind="purchase_card", amount=None, who="han", clock="12:00", **more):
        self.number += 1
        party = more.pop("party_kind", "person")
        told = {name: more.pop(name) for name in ("system", "reference", "voids") if name in more}
        number = None if amount is None else Decimal(amount)
        with self.shop.store.write() as session:
            about = find_or_make(session, party, "email", f"{who}@x.example", self.shop.clock.now())
            at = self.shop.moment(f"2026-11-{day:02} {clock}")
            facts = {"by": "x", "system": "s", "reference": str(self.number)} | told
            return record(session, self.book, about, Exchange(kind=kind, amount=number, **more), at, **facts)

    def days(self, metric):
        with self.shop.store.read() as session:
            found = derived(session, self.book, metric, FIRST, LAST)
        assert list(found) == [FIRST + timedelta(days=ahead) for ahead in range(30)]
        return {day.day: number for day, number in found.items() if number}


@pytest.fixture
def till(shop):
    shop.files["metrics"] = {"metrics": METRICS}
    shop.files["canvas"] = CANVAS
    shop.open([shop.person("call")])
    begin(shop, FIRST)
    return Till(shop)


def test_before_the_ledger_began_no_number_is_a_zero(shop):
    shop.files["metrics"], shop.files["canvas"] = {"metrics": METRICS}, CANVAS
    till = Till(shop.open([shop.person("call")]))

    def counted_days(metric="new"):
        with shop.store.read() as session:
            return {day.day: int(number) for day, number in derived(session, till.book, metric, FIRST, LAST).items()}

    assert counted_days() == counted_days("work") == {}  # nothing has happened yet
    begin(shop, date(2026, 11, 28))
    assert counted_days() == counted_days("work") == {28: 0, 29: 0, 30: 0}
    wrong = till.sells(3, sale="new")
    till.sells(26, sale="new", who="ji")  # noted later, of before
    till.sells(26, sale="new", voids=wrong)
    assert counted_days() == {26: 1, 27: 0, 28: 0, 29: 0, 30: 0}
    begin(shop, date(2026, 12, 2))
    assert min(counted_days("work")) == 26


def test_a_ledger_that_begins_after_the_days_asked_for_has_none_of_them(shop):
    shop.files["metrics"], shop.files["canvas"] = {"metrics": METRICS}, CANVAS
    shop.open([shop.person("call")])
    begin(shop, LAST + timedelta(days=1))
    with shop.store.read() as session:
        assert derived(session, shop.world.book, "new", FIRST, LAST) == {}


def test_numbers_from_exchanges_count_customers_and_no_corrected_ones(till):
    first = till.sells(3, "apply", channel="web")
    till.sells(3, "apply", channel="web", who="yoon")
    till.sells(3, "apply", who="company", party_kind="company")
    till.sells(4, "apply", channel="web", who="ji", party_kind="employee")
    till.sells(5, "apply", channel="web", voids=first)
    assert till.days("web") == {3: 1}


def test_a_kind_is_counted_and_a_family_with_all_its_kinds(till):
    till.sells(3), till.sells(4, "purchase_shirt"), till.sells(5, "purchase")
    assert till.days("exchanges_ignored") == {3: 1}
    assert till.days("bought") == {3: 1, 4: 1, 5: 1}
    assert till.days("new") == {3: 1}


@pytest.mark.parametrize(
    ("metric", "own_day", "sale_day"),
    [
        ("amount", {2: 100, 9: 50, 12: -30, 20: -70}, {9: 50}),
        ("net_amount", {2: 100, 9: 50, 12: -30, 20: -70}, {9: 50}),
        ("exchanges", {2: 1, 9: 1, 20: -1}, {9: 1}),
        ("customers", {2: 1, 9: 1, 20: -1}, {9: 1}),
        ("quantity", {2: 10, 9: 10, 20: -10}, {9: 10}),
    ],
)
def test_what_was_given_back_is_taken_off_on_the_declared_day_or_not_at_all(till, metric, own_day, sale_day):
    till.sells(2, amount=100, quantity=10, who="a")
    till.sells(9, amount=50, quantity=10, who="b")
    till.sells(12, "claim", amount=30, who="a")
    till.sells(20, "refund", amount=70, who="a")
    assert till.days(f"{metric}_own_day") == own_day
    assert till.days(f"{metric}_sale_day") == sale_day
    assert till.days(f"{metric}_ignored") == {day: number for day, number in own_day.items() if number > 0}


def test_a_refund_belongs_to_the_payment_it_names(till):
    till.sells(2, "payment", 100, system="toss", reference="p1", currency="KRW")
    till.sells(3, "payment", 100, system="toss", reference="p10", currency="KRW")
    till.sells(4, "payment", 7, system="toss", reference="u", currency="USD")
    till.sells(5, "refund", 40, system="toss", reference="p1/refund/40", currency="KRW")
    till.sells(8, "refund", 7, system="toss", reference="u/refund/7", currency="USD")
    assert till.days("paid") == {2: 100, 3: 100, 5: -40}
    assert till.days("dollars") == {4: 7, 8: -7}
    assert till.days("given_back") == {5: 40}  # by itself a number like any other


def test_a_refund_that_names_no_sale_belongs_to_the_customers_latest_one_before(till):
    till.sells(2, amount=100), till.sells(4, "purchase_shirt", 30), till.sells(8, amount=100), till.sells(3, who="b")
    till.sells(6, "refund", 30)  # the shirt's
    till.sells(7, "refund_card", 60)  # the card's
    till.sells(7, "refund", 10, who="stranger")
    assert till.days("amount_sale_day") == {2: 40, 8: 100}


def test_a_refund_without_an_amount_is_the_whole_and_a_claim_without_one_is_nothing(till):
    till.sells(2, amount=100, who="a"), till.sells(2, amount=100, who="b")
    till.sells(3, "refund", who="a"), till.sells(3, "claim", who="b"), till.sells(4, "refund", 1, who="a")
    assert till.days("exchanges_own_day") == {2: 2, 3: -1}
    assert till.days("exchanges_sale_day") == {2: 1}
    assert till.days("amount_sale_day") == {2: 99}


def test_who_bought_twice_and_gave_one_back_is_one_customer(till):
    till.sells(2, amount=10, clock="10:00"), till.sells(2, amount=10, clock="11:00")
    till.sells(2, "refund", 10, clock="13:00")
    assert till.days("customers_own_day") == {2: 1}
    assert till.days("exchanges_own_day") == {2: 1}


def test_a_refund_of_a_corrected_sale_is_the_corrections(till):
    wrong = till.sells(2, amount=1000)
    till.sells(3, amount=1000, voids=wrong), till.sells(2, amount=100)
    till.sells(5, "refund", 100)
    assert till.days("amount_own_day") == {2: 100, 5: -100}


def test_amounts_stay_exact(till):
    for cents in ("0.1", "0.2", "999999999999.99"):
        till.sells(2, amount=cents)
    assert till.days("amount_own_day") == {2: Decimal("1000000000000.29")}


def test_days_are_the_companys_also_for_minutes_noted_at_night(till):
    def done(at, minutes, role="manager", state="done"):
        row = {"kind": "step", "role": role, "state": state, "opened_at": till.shop.clock.now()}
        with till.shop.store.write() as session:
            facts = {"id": f"{at}{role}{state}", "done_at": till.shop.moment(at), "minutes": minutes}
            session.execute(insert(t.assignment).values(**row, **facts))

    done("2026-11-02 23:59", 5), done("2026-11-03 00:00", 7), done("2026-11-03 09:00", 3)
    done("2026-11-03 09:00", 90, role="owner"), done("2026-11-03 10:00", None), done("2026-10-31 23:59", 9)
    done("2026-12-01 00:00", 9), done("2026-11-04 10:00", 8, state="skipped")
    assert till.days("work") == {2: 5, 3: 10}


def test_what_comes_from_elsewhere_is_not_counted_here(till):
    with pytest.raises(ValueError, match="asked is not counted"):
        till.days("asked")


def test_a_number_that_refunds_restate_is_asked_how_long_they_may_come(till):
    told = [one for one in till.book.notices if "settle_days" in one]
    assert len(told) == len([name for name in METRICS if name.endswith("sale_day")])
    till.shop.files["metrics"] = {
        "metrics": {"kept": counted("purchase_card", claims="sale_day") | {"settle_days": 30}}
    }
    till.shop.write_files()
    till.shop.load()
    assert not [one for one in till.shop.world.book.notices if "settle_days" in one]
