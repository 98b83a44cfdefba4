"""How fast a connection is called: its own limit kept in any stretch of time, and its wish for rest."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from connectors.answers import retry_after
from connectors.base import Connector
from connectors.clock import VirtualClock
from connectors.errors import NotConnected, Unavailable
from flows.engine import operate
from flows.store import tables as t


@pytest.fixture
def begin(shop, till):
    """So many customers at once, each with a call to the till."""

    def made(count, rate, steps=None, **more):
        shop.connect("till", connector="till", **({"rate": rate} if rate else {}))
        shop.open(steps or [shop.machine("call", "till.pay", {"what": "{{ name }}"})], overlap="parallel", **more)
        for number in range(count):
            asks(shop, number)
        shop.turns(100)
        return shop

    return made


def asks(shop, number):
    shop.asks(f"k{number}", f"n{number}", phone=f"010-1234-{number % 9000:04d}")


def most_in(till, length):
    """The most calls that fell into any stretch of this length."""
    times = sorted(at for _, _, at in till.log)
    return max(sum(first <= at < first + length for at in times) for first in times)


@pytest.mark.parametrize(("rate", "length"), [("3/1s", 1), ("10/m", 60), ("7/2m", 120)])
def test_never_more_calls_leave_in_any_such_time_and_all_leave_in_the_end(begin, till, rate, length):
    shop = begin(40, rate)
    for _ in range(150):
        shop.later(seconds=length / 9)
    assert most_in(till, timedelta(seconds=length)) == int(rate.split("/")[0])
    assert till.order == [f"n{number}" for number in range(40)]
    assert {case["outcome"] for case in shop.all(t.case)} == {"done"}


def test_a_restart_does_not_begin_the_rate_anew(begin, till):
    shop = begin(20, "5/1m")
    shop.world.rates = type(shop.world.rates)()
    shop.restart()
    shop.later(seconds=30)
    assert len(till.log) == 5
    shop.later(seconds=30)
    assert len(till.log) == 10


def test_what_waits_for_its_turn_takes_no_place_of_others(begin, till):
    shop = begin(50, "1/1h")
    shop.calls.free = 2
    shop.write([shop.machine("put", "sink.put", {"path": "/"})])
    shop.load()
    shop.calls.answers_to["sink.put"] = {}
    shop.asks("other", phone="010-9999-9999")
    shop.turns()
    assert (len(till.log), shop.calls.uses().count("sink.put")) == (1, 1)


def test_a_wish_for_rest_holds_for_the_whole_connection_and_for_no_other(begin, till):
    shop = begin(0, None, [])
    till.faults = [Unavailable("slow down", retry_after=90)]
    shop.calls.answers_to["sink.put"] = {}
    shop.write(
        [shop.machine("call", "till.pay", {"what": "{{ name }}"}), shop.machine("put", "sink.put", {"path": "/"})]
    )
    shop.load()
    asks(shop, 0)
    shop.turns()
    asks(shop, 1)
    shop.later(seconds=80)
    shop.write([shop.machine("put", "sink.put", {"path": "/"})])
    shop.load()
    asks(shop, 2)
    shop.turns()
    assert (len(till.log), shop.calls.uses().count("sink.put")) == (1, 1)
    shop.later(seconds=10)
    assert (till.calls, {case["outcome"] for case in shop.all(t.case)}) == (["pay"] * 3, {"done"})


def test_a_person_who_wants_it_now_goes_before_the_rest(begin, till):
    shop = begin(0, None)
    till.faults = [Unavailable("slow down", retry_after=3600)]
    asks(shop, 0)
    shop.turns()
    asks(shop, 1)
    shop.turns()
    shop.act(operate.retry, shop.all(t.case)[0]["id"], "yoon", shop.clock.now())
    assert [case["outcome"] for case in shop.all(t.case)] == ["done", None]


@pytest.mark.parametrize("rate", ["3/1m", None])
def test_a_clock_that_is_set_back_holds_nothing_for_long(begin, till, rate):
    till.faults = [] if rate else [Unavailable("slow down", retry_after=60)]
    shop = begin(3, rate)
    shop.clock = shop.world.clock = VirtualClock(shop.clock.now() - timedelta(days=1))
    asks(shop, 7)
    shop.turns()
    assert "n7" in till.order


def test_one_customers_calls_keep_their_order(begin, till):
    shop = begin(0, "2/1m")
    for number in range(12):
        shop.asks(f"k{number}", f"n{number}", phone=f"010-1234-000{number % 2}")
        shop.turns()
    for _ in range(10):
        shop.later(minutes=1)
    assert till.order == [f"n{number}" for number in range(12)]


def test_a_rate_that_the_company_changes_holds_at_once(begin, till):
    shop = begin(20, "2/1h")
    shop.connect("till", connector="till", rate="6/1h")
    shop.write_files()
    shop.load()
    shop.turns()
    assert len(till.log) == 6
    shop.connect("till", connector="till")
    shop.write_files()
    shop.load()
    shop.later(hours=1)
    assert len(till.log) == 20


@pytest.mark.parametrize(
    ("rate", "pace"),
    [("60/1m", (60, timedelta(minutes=1))), ("5/s", (5, timedelta(seconds=1))), ("1/12h", (1, timedelta(hours=12)))],
)
def test_a_rate_is_written_as_calls_and_time(rate, pace):
    assert Connector.connect("any", {"rate": rate}, environ={}).pace == pace


@pytest.mark.parametrize("rate", ["0/1m", "60", "60/0s", "60 per minute", "-1/s"])
def test_what_is_no_rate_is_said(rate):
    with pytest.raises(NotConnected, match="rate: "):
        Connector.connect("any", {"rate": rate}, environ={})


@pytest.mark.parametrize(("ahead", "least", "most"), [(90, 80, 90), (-90, 0, 0)])
def test_a_wish_for_rest_may_be_a_date(ahead, least, most):
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
    assert least <= retry_after({"retry-after": at}) <= most
