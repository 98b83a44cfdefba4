"""Two engines on one database, turn by turn: who takes what, who counts for whom, and what of the dead is settled."""

import json
from datetime import timedelta

import pytest

from flows.engine.engine import _DUE_CASES, Engine
from flows.engine.world import World
from flows.store import tables as t
from flows.store.store import open_store
from tests.conftest import Script, Shop

POST = {"path": "/x", "body": {"name": "{{ name }}"}}


@pytest.fixture
def other(shop):
    """A second engine, as of another process."""
    made = []

    def beside() -> Engine:
        store = open_store(shop.home, shop.database)
        world = World(shop.world.book, shop.clock, shop.world.links, shop.home, chance=shop.world.chance)
        engine = Engine(store, world, Script(world, store))
        engine._calls.answers_to |= shop.calls.answers_to
        made.append(store)
        return engine

    yield beside
    for store in made:
        store.close()


def opened(shop: Shop, count: int, **head) -> Shop:
    shop.open([shop.machine("post", "sink.post", POST)], overlap="parallel", **head)
    shop.calls.answers_to["sink.post"] = {"id": 7}
    for number in range(count):
        shop.asks(f"k{number}", f"n{number}", f"010-1234-{number:04d}")
    return shop


def test_a_case_in_one_engines_hands_is_left_to_it_and_others_are_taken(shop, other):
    shop.open([shop.person("call")], overlap="parallel")
    for number in range(4):
        shop.asks(f"k{number}", phone=f"010-1234-{number:04d}")
    shop.work()
    with shop.store.write() as session:
        session.execute(t.case.update().values(wake_at=shop.clock.now()))
    second = other()
    with shop.store.write(beside=True) as session:
        (held,) = _DUE_CASES.rows(session, now=shop.clock.now(), at_once=1)
        second.turn()
        with shop.store.read() as reads:
            left = reads.execute(t.case.select().where(t.case.c.wake_at.is_not(None))).all()
        assert [one.id for one in left] == [held["id"]]


@pytest.mark.parametrize(("kind", "state"), [("keyed", "due"), ("once", "in_doubt")])
def test_calls_of_a_dead_engine_are_settled_by_another_and_those_of_a_living_one_are_not(shop, other, kind, state):
    opened(shop, 1)
    shop.calls.dead = True
    shop.turns()
    with shop.store.write() as session:
        session.execute(t.effect.update().values(effect_class=kind))
    second = other()
    assert second.recover() == 0
    shop.engine.claim.close()
    assert second.recover() == 1
    assert [one["state"] for one in shop.effects()] == [state]


def test_an_answer_to_a_call_that_others_have_settled_changes_nothing(shop, other):
    opened(shop, 1)
    shop.calls.dead = True
    shop.turns()
    shop.engine.claim.close()
    other().recover()
    shop.calls._back = [shop.calls._answer(one) for one in shop.calls.sent]
    shop.turns()
    assert [one["state"] for one in shop.effects()] == ["in_doubt"]


def test_two_engines_keep_one_rate(shop, other):
    shop.connect("sink", connector="web", base_url="http://127.0.0.1:9", allow_loopback="true", rate="5/1m")
    opened(shop, 20)
    second = other()
    for _ in range(6):
        shop.engine.turn()
        second.turn()
    assert len(shop.calls.sent) + len(second._calls.sent) == 5
    shop.clock.set(shop.clock.now() + timedelta(seconds=61))
    for _ in range(6):
        second.turn()
        shop.engine.turn()
    assert len(shop.calls.sent) + len(second._calls.sent) == 10
    with shop.store.read() as session:
        kept = session.execute(t.connection.select()).one()
    assert len(json.loads(kept.calls)) == 5


def test_what_is_marked_but_never_left_is_due_again(shop):
    opened(shop, 1)
    shop.calls.dead = True
    shop.turns()
    shop.engine._flying.clear()  # as after a commit whose answer was lost
    shop.engine._unsure = True
    shop.engine.recover()
    assert [(one["state"], one["attempt"]) for one in shop.effects()] == [("due", 0)]
