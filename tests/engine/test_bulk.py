"""Many effects as one call: what is shared, what is each one's own, and what one bad member does to the others."""

import json
from datetime import timedelta

import pytest

from connectors.actions import action
from connectors.base import Connector
from connectors.errors import NotConnected, Unavailable, Uncertain
from connectors.testing import promises
from flows.engine import operate
from flows.engine.effects import Answer
from flows.store import tables as t

ONE, MANY = "sheet.upsert_row", "sheet.upsert_rows"
WRITE = (ONE, {"row_id": "{{ name }}", "row": {"이름": "{{ name }}" * 20}})


@pytest.fixture
def begin(shop):
    """So many customers at once, each with a row to write."""

    def made(count=5, **more):
        shop.open([shop.machine("row", *WRITE, **more)])
        for number in range(count):
            asks(shop, number)
        return shop

    return made


def asks(shop, number):
    shop.asks(f"k{number}", f"n{number}", phone=f"010-1234-{number:04d}")


def calls(shop):
    return [f"{one.connection}.{one.action}" for one in shop.calls.sent if one.connection == "sheet"]


def written(shop):
    return sorted(row["id"] for row in shop.world.connection("sheet").call("read", {}))


def scripted(shop, *answers):
    """Answers to the one call; the last is to really do it."""
    real, left = shop.calls._answer, list(answers)

    def answer(sending):
        if sending.action == "upsert_rows" and left:
            return Answer(sending.effect, error=left.pop(0))
        return real(sending)

    shop.calls._answer = answer


def test_effects_that_are_due_together_leave_as_one_call_and_each_gets_its_own_result(begin):
    shop = begin()
    shop.turns()
    assert calls(shop) == [MANY]
    assert written(shop) == ["n0", "n1", "n2", "n3", "n4"]
    assert [case["outcome"] for case in shop.all(t.case)] == ["done"] * 5
    (bulk,) = shop.all(t.effect, t.effect.c.effect_class == "bulk")
    assert (bulk["action"], bulk["state"], bulk["connection"]) == ("upsert_rows", "done", "sheet")
    assert {one["bulk_id"] for one in shop.effects()} == {bulk["id"]}
    results = [row["result"] for row in shop.all(t.private_effect)]
    assert ["n0" in one for one in results] == [True, False, False, False, False]


def test_each_gets_its_own_result_in_whatever_order_they_became_due(begin):
    shop = begin()
    scripted(shop, Unavailable("later", retry_after=0))
    shop.turns()
    with shop.store.write() as session:
        for place, one in enumerate(shop.effects(), 1):  # the newest is due first
            session.execute(
                t.effect.update()
                .where(t.effect.c.id == one["id"])
                .values(next_at=shop.clock.now() - timedelta(seconds=place), bulk_id=None)
            )
    shop.later(minutes=10)
    for one in shop.effects():
        kept = next(row for row in shop.all(t.private_effect) if row["effect_id"] == one["id"])
        case = next(row for row in shop.all(t.private_case) if row["case_id"] == one["case_id"])
        name = json.loads(case["data"])["fields"]["name"]
        assert (one["state"], json.loads(kept["result"])["id"]) == ("done", name)


def test_one_by_itself_goes_as_it_is(begin):
    shop = begin(1)
    shop.turns()
    assert calls(shop) == [ONE]
    assert shop.effects()[0]["bulk_id"] is None


def test_a_thousand_cases_write_the_file_a_few_times(begin):
    shop = begin(1_000)
    shop.turns(200)
    assert len(calls(shop)) <= 15
    assert len(written(shop)) == 1_000
    assert {case["outcome"] for case in shop.all(t.case)} == {"done"}


@pytest.mark.usefixtures("asked")
def test_an_action_may_take_more_at_once_than_usual(shop, begin):
    shop.connect("sheet", connector="rows", file="list.xlsx")
    begin(1_000)
    shop.turns(200)
    assert len(calls(shop)) <= 6
    assert len(written(shop)) == 1_000


def test_while_one_call_is_under_way_the_next_effects_gather_and_others_go_on(begin):
    shop = begin(2)
    shop.calls.dead = True
    shop.turns(2)
    shop.calls.free = 4  # those that gather must not take the places of others
    for number in range(2, 12):
        asks(shop, number)
    shop.write([shop.machine("put", "sink.put", {"path": "/"})])
    shop.load()
    shop.asks("other", phone="010-9999-9999")
    shop.turns()
    assert calls(shop) == [MANY]
    assert "sink.put" in shop.calls.uses()


@pytest.mark.parametrize("error", [Unavailable("the file is open"), Uncertain("no answer")])
def test_a_call_that_may_be_repeated_is_gathered_anew(begin, error):
    shop = begin()
    scripted(shop, error)
    shop.turns()
    assert {case["status"] for case in shop.all(t.case)} == {"parked"}
    shop.later(seconds=5)
    assert calls(shop) == [MANY, MANY]
    assert [case["outcome"] for case in shop.all(t.case)] == ["done"] * 5


def test_one_that_is_refused_harms_nobody_else(begin):
    shop = begin(3)
    shop.asks("bad", "x" * 1_900, phone="010-1234-9999")
    shop.turns()
    assert calls(shop) == [MANY, ONE, ONE, ONE, ONE]
    assert written(shop) == ["n0", "n1", "n2"]
    assert [case["outcome"] for case in shop.all(t.case)] == ["done"] * 3 + [None]
    (asked,) = shop.asked()
    assert (asked["kind"], asked["reason"]) == ("fallback", "a cell takes at most 32767 characters")


def test_a_refused_credential_pauses_once_for_all(begin):
    shop = begin()
    scripted(shop, NotConnected("no"))
    shop.turns()
    (asked,) = shop.asked()
    shop.does(asked, who="han")
    assert calls(shop) == [MANY, MANY]
    assert [case["outcome"] for case in shop.all(t.case)] == ["done"] * 5


def test_after_a_kill_every_member_goes_again_and_no_row_is_there_twice(begin):
    shop = begin()
    shop.calls.dead = True
    shop.turns()
    assert shop.restart() == 6
    shop.turns()
    assert calls(shop) == [MANY]
    assert written(shop) == ["n0", "n1", "n2", "n3", "n4"]
    assert [one["state"] for one in shop.all(t.effect, t.effect.c.effect_class == "bulk")] == ["failed", "done"]


def test_what_is_stopped_or_too_late_while_it_waits_does_not_travel_along(begin):
    shop = begin(3, valid_for="1h")
    scripted(shop, Unavailable("down", retry_after=3000))
    shop.turns()
    first = shop.all(t.case)[0]["id"]
    shop.act(operate.stop, shop.world, first, "han", "moved away", "lost")
    shop.later(minutes=55)
    assert written(shop) == ["n1", "n2"]
    asks(shop, 7)
    asks(shop, 8)
    scripted(shop, Unavailable("down", retry_after=2 * 3600))
    shop.turns()
    shop.clock.set(shop.clock.now() + timedelta(hours=2))
    shop.turns()
    assert [one["state"] for one in shop.effects()][-2:] == ["dropped", "dropped"]


def test_a_result_of_another_length_is_no_result_and_no_loss(begin):
    shop = begin(2)
    real = shop.calls._answer
    shop.calls._answer = lambda sending: real(sending) and Answer(sending.effect, [])
    shop.turns()
    assert [case["outcome"] for case in shop.all(t.case)] == ["done"] * 2


def test_only_what_can_be_repeated_may_be_bulk():
    with pytest.raises(ValueError, match="needs effect='repeat'"):
        action(effect="once", bulk="many")
    with pytest.raises(ValueError, match="how many effects of bulk= go together"):
        action(effect="repeat", at_once=5)

    class Loose(Connector):
        """A connector."""

        service = "loose"
        room = "web"

        @action(effect="repeat", bulk="nothing")
        def put(self, row: str) -> str:
            """Write."""

    assert promises("loose", Loose) == ["loose: put: bulk names an action of effect repeat that takes one list"]
