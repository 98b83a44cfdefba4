"""A service that is down for six hours of virtual time: nothing lost, nothing twice, in order, no stampede after."""

from collections import defaultdict
from datetime import timedelta
from itertools import pairwise

import pytest

from connectors.errors import Uncertain
from flows.engine.rates import IN_A_ROW
from flows.store import tables as t

LOST = "done, but the answer is lost"
HOURS, STEP, PARTIES = 6, timedelta(minutes=1), 15
FIVE = timedelta(seconds=5)


class Day:
    """Customers who come every few minutes while the till is down; each of them several times."""

    def __init__(self, shop, till, action, rate=None):
        self.shop, self.till, self.came = shop, till, defaultdict(list)
        shop.connect("till", connector="till", **({"rate": rate} if rate else {}))
        shop.open([shop.machine("call", f"till.{action}", {"what": "{{ name }}"})], overlap="parallel")

    def comes(self, number):
        phone = f"010-1234-{number % PARTIES:04d}"
        self.came[phone].append(f"n{number}")
        self.shop.asks(f"k{number}", f"n{number}", phone=phone)

    def passes(self, length, every=None, kills=(), step=STEP):
        """Time goes on; every so often a customer comes, and at some steps digilog is killed and starts again."""
        for number in range(int(length / step)):
            if every and number % every == 0:
                self.comes(sum(map(len, self.came.values())))
            if number in kills:
                self.shop.calls.dead = True
                self.shop.turns(3)
                self.shop.restart()
            self.shop.later(seconds=step.total_seconds())

    def most_in(self, length, since):
        times = sorted(at for _, _, at in self.till.log if at >= since)
        return max(sum(first <= at < first + length for at in times) for first in times)


def orders(till, came):
    """What the till did, by customer, as the customers came."""
    place = {what: number for number, what in enumerate(till.order)}
    return {phone: sorted(whats, key=place.__getitem__) for phone, whats in came.items()}


@pytest.mark.parametrize(("action", "rate"), [("pay", None), ("pay", "10/1m"), ("ring", "20/1m")])
def test_six_hours_lose_nothing_and_repeat_nothing(shop, till, action, rate):
    day = Day(shop, till, action, rate)
    till.faults = [LOST, Uncertain("no answer"), LOST]
    for number in range(3):
        day.comes(number)
    shop.turns()
    till.down = True
    day.passes(timedelta(hours=HOURS), every=4, kills=(25, 26, 150, 350))
    assert {case["status"] for case in shop.all(t.case)} <= {"parked", "calling"}
    till.down, up = False, shop.clock.now()
    shop.turns()
    day.passes(timedelta(minutes=30))
    count = 3 + HOURS * 3600 // 240
    assert len(shop.all(t.case)) == count
    assert {case["outcome"] for case in shop.all(t.case)} == {"done"}
    assert (len(till.did), set(till.did.values())) == (count, {1})
    assert orders(till, day.came) == day.came
    assert shop.asked() == []
    if rate:
        assert day.most_in(timedelta(minutes=1), up) <= int(rate.split("/")[0])


def test_when_it_is_back_those_that_wait_do_not_all_come_at_once(shop, till):
    day = Day(shop, till, "pay")
    till.down = True
    for number in range(200):
        shop.asks(f"k{number}", f"n{number}", phone=f"010-5555-{number:04d}")
    day.passes(timedelta(hours=1))
    till.down, up = False, shop.clock.now()
    day.passes(timedelta(seconds=45), step=timedelta(seconds=1))
    assert set(till.did.values()) == {1}
    assert len(till.did) == 200
    assert day.most_in(timedelta(seconds=1), up) <= 60


def test_a_service_that_is_down_is_tried_in_rounds_and_not_by_each_that_waits(shop, till):
    day = Day(shop, till, "pay")
    till.down = True
    for number in range(200):
        shop.asks(f"k{number}", f"n{number}", phone=f"010-5555-{number:04d}")
    day.passes(timedelta(minutes=10), step=FIVE)
    since = shop.clock.now()
    day.passes(timedelta(minutes=10), step=FIVE)
    rounds = sorted({at for _, _, at in till.log if at > since})
    assert len(rounds) > 10
    assert min(later - first for first, later in pairwise(rounds)) >= timedelta(seconds=30)
    till.down = False
    day.passes(timedelta(seconds=45), step=FIVE)
    assert len(till.did) == 200


def test_what_is_too_late_after_the_outage_is_dropped_and_said(shop, till):
    shop.connect("till", connector="till")
    shop.open([shop.machine("call", "till.pay", {"what": "{{ name }}"}, valid_for="2h"), shop.person("after")])
    till.down = True
    for number in range(12):
        shop.asks(f"k{number}", f"n{number}", phone=f"010-1234-{number:04d}")
        shop.turns()
        shop.later(minutes=30)
    till.down = False
    shop.later(minutes=10)
    assert sorted(till.order) == ["n10", "n11", "n9"]
    states = [one["state"] for one in shop.effects()]
    assert (states.count("dropped"), states.count("done")) == (9, 3)
    assert shop.story().count("call dropped") == 9
    assert {line["reason"] for line in shop.all(t.journal) if line["state"] == "dropped"} == {
        "too late: not sent after its time"
    }
    assert len(shop.asked()) == 12


def test_a_file_that_stays_open_all_day_gets_all_its_rows(shop):
    shop.open([shop.machine("row", "sheet.upsert_row", {"row_id": "{{ name }}", "row": {"a": "{{ phone }}"}})])
    lock = shop.home / "files" / "~$list.xlsx"
    lock.touch()
    for number in range(150):
        shop.asks(f"k{number}", f"n{number}", phone=f"010-1234-{number:04d}")
        shop.later(minutes=2)
    assert {case["status"] for case in shop.all(t.case)} == {"parked"}
    lock.unlink()
    shop.later(minutes=7)
    assert {case["outcome"] for case in shop.all(t.case)} == {"done"}
    found = shop.world.connection("sheet").call("read", {})
    assert sorted(row["id"] for row in found) == sorted(f"n{number}" for number in range(150))


def spoils(shop, case):
    """A case that cannot be read makes the next turn begin again, row by row."""
    with shop.store.write() as session:
        broken = {"step": -9, "status": "ready", "wake_at": shop.clock.now(), "held": None}
        session.execute(t.case.update().where(t.case.c.id == case).values(**broken))


def test_a_turn_that_is_replayed_wakes_those_that_wait_all_the_same(shop, till):
    day = Day(shop, till, "pay")
    till.down = True
    for number in range(PARTIES):
        day.comes(number)
    day.passes(timedelta(hours=1))
    bad, *good = [case["id"] for case in shop.all(t.case)]
    till.down = False
    for _ in range(60):
        for _ in range(4):
            spoils(shop, bad)
            shop.engine.turn()
        shop.clock.set(shop.clock.now() + timedelta(seconds=1))
    assert {shop.case(one)["outcome"] for one in good} == {"done"}


def test_a_turn_that_is_replayed_counts_a_failure_once(shop, till):
    day = Day(shop, till, "pay")
    day.comes(0)
    shop.turns()
    till.down = True
    for number in range(1, IN_A_ROW):
        day.comes(number)
    shop.engine.turn()
    spoils(shop, shop.all(t.case)[0]["id"])
    shop.engine.turn()
    till.down = False
    day.comes(IN_A_ROW)
    shop.turns()
    assert shop.case()["outcome"] == "done"  # the till is not yet taken for dead
