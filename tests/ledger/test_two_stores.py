"""The metrics ledger on either kind of store: writers at once, many numbers, and counts of exchanges."""

import threading
import time
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, select

from flows.ledger.readings import Value, correct, keep
from flows.ledger.series import series
from flows.store import tables as t
from flows.store.read import rows
from tests.ledger import test_derived as derived
from tests.ledger.test_readings import DAY, METRICS, keeps, lets_go, says, stood, word


@pytest.fixture
def ledger(shop):
    shop.files["metrics"] = {"metrics": METRICS | derived.METRICS}
    shop.files["canvas"] = derived.CANVAS
    return shop.open([shop.person("call")])


def test_two_who_keep_at_once_wait_for_each_other(ledger):
    begun, comes = threading.Event(), threading.Event()
    book, now = ledger.world.book, ledger.clock.now()

    def second():
        begun.wait()
        comes.set()
        with ledger.store.write(beside=True) as session:
            keep(session, book, [word("6")], now)
            correct(session, book, word("7"), now, "by hand")

    other = threading.Thread(target=second)
    other.start()
    with ledger.store.write(beside=True) as session:
        keep(session, book, [word("5")], now)
        begun.set()
        comes.wait()
        time.sleep(0.1)  # it stands before the door
    other.join()
    assert stood(ledger) == [("pulled", "5"), ("pulled", "6"), ("pinned", "7")]


def test_ten_thousand_numbers_are_kept_with_a_handful_of_statements(ledger):
    said = [
        Value(metric, DAY - timedelta(days=back), Decimal(back), "x", dimensions={"ad": str(ad)})
        for metric in METRICS
        for back in range(100)
        for ad in range(50)
    ]
    done = []
    with ledger.store.write() as session:
        event.listen(session, "before_cursor_execute", lambda *told: done.append(told[2]))
        kept = keep(session, ledger.world.book, said, ledger.clock.now())
        again = keep(session, ledger.world.book, said, ledger.clock.now())
        assert (kept.new, again.same) == (10_000, 10_000)
        assert len(rows(session, select(t.reading.c.id))) == 10_000
    assert len([sql for sql in done if "reading" in sql]) == 4


def test_a_days_whole_story_is_the_same_on_both(ledger):
    (
        keeps(ledger, "5", "5", "1.10"),
        says(ledger, "9"),
        keeps(ledger, "6", "missing"),
        lets_go(ledger),
        keeps(ledger, "0"),
    )
    assert stood(ledger) == [
        ("pulled", "5"), ("pulled", "1.10"), ("pinned", "9"), ("beside", "6"), ("released", "6"), ("pulled", "0"),
    ]  # fmt: skip
    with ledger.store.read() as session:
        then = ledger.clock.now() - timedelta(minutes=3)
        told = series(session, ledger.world.book, METRICS, DAY, DAY, ledger.clock.now(), then)["views"][DAY]
    assert (told.value, told.pinned, told.conflict) == (9, True, True)


def test_sales_and_what_was_given_back_are_counted_the_same_on_both(ledger):
    derived.begin(ledger, derived.FIRST)
    till = derived.Till(ledger)
    till.sells(2, amount="100.10", quantity=10, who="a"), till.sells(9, amount=50, who="b")
    till.sells(3, "purchase_shirt", 7, who="a"), till.sells(4, "apply", channel="web")
    till.sells(12, "claim", amount="30.10", who="b"), till.sells(20, "refund_card", who="a")
    assert till.days("amount_own_day") == {2: Decimal("100.10"), 9: 50, 12: Decimal("-30.10"), 20: Decimal("-100.10")}
    assert till.days("amount_sale_day") == {9: Decimal("19.90")}
    assert till.days("customers_own_day") == {2: 1, 9: 1, 20: -1}
    assert (till.days("bought"), till.days("web")) == ({2: 1, 3: 1, 9: 1, 20: -1}, {4: 1})
    assert till.days("work") == {}
