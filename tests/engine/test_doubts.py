"""What may have happened: shown with all that is known, settled by a person, and never sent again."""

import pytest

from connectors.errors import Uncertain
from flows.engine import doubts
from flows.engine.operate import OperateError
from flows.store import tables as t


@pytest.fixture
def unclear(shop, till):
    """A case in doubt, and a second step after it."""
    shop.connect("till", connector="till")
    shop.open([shop.machine("call", "till.shout", {"what": "{{ name }}"}), shop.person("after")])
    till.faults = [Uncertain("the answer was lost")]
    shop.asks()
    shop.turns()
    return shop


@pytest.fixture
def unclear_notice(shop, till):
    """A notice to a colleague of which nobody knows whether it arrived."""
    shop.connect("till", connector="till")
    shop.files["company"]["mediums"] = {**shop.files["company"]["mediums"], "team": "till"}
    shop.open([shop.person("call")])
    till.faults = [Uncertain("the answer was lost")]
    shop.asks()
    shop.turns()
    shop.files["company"]["mediums"] = {**shop.files["company"]["mediums"], "team": "outbox"}
    return shop


def listed(shop):
    with shop.store.read() as session:
        return doubts.doubts(session, shop.world)


def test_a_doubt_tells_what_for_whom_when_and_why(unclear):
    shop = unclear
    (doubt,) = listed(shop)
    assert (doubt.use, doubt.what, doubt.case) == ("till.shout", "call을 한다", shop.case()["id"])
    assert (doubt.reason, doubt.sent, doubt.person) == ("the answer was lost", shop.clock.now(), "yoon")
    assert doubt.arguments == {"what": "김하나"}


@pytest.mark.parametrize(("happened", "next_step"), [(True, "after"), (False, "call")])
def test_a_settled_doubt_takes_the_way_of_its_page_and_sends_nothing(unclear, till, happened, next_step):
    shop = unclear
    (doubt,) = listed(shop)
    shop.act(doubts.settle, shop.world, doubt.effect, happened, "yoon", "called them")
    shop.later(days=2)
    assert [one["step"] for one in shop.asked()] == [next_step]
    assert till.calls == ["shout"]
    asked = shop.all(t.assignment, t.assignment.c.kind == "doubt")[0]
    assert (asked["state"], asked["done_by"]) == ("done", "yoon")
    audit = shop.all(t.audit)[-1]
    said = "happened" if happened else "did not happen"
    assert (audit["who"], audit["what"], audit["subject"], audit["reason"]) == (
        "yoon", said, f"effect {doubt.effect}", "called them",
    )  # fmt: skip
    assert listed(shop) == []
    with pytest.raises(OperateError, match="or it is settled; see: digilog doubt"):
        shop.act(doubts.settle, shop.world, doubt.effect, happened, "yoon", None)


def test_what_is_settled_on_its_page_is_no_doubt_any_more(unclear):
    shop = unclear
    shop.does(shop.asked(kind="doubt")[0], {"happened": "yes"})
    assert listed(shop) == []


@pytest.mark.parametrize(("happened", "state"), [(True, "done"), (False, "failed")])
def test_a_notice_in_doubt_is_listed_and_can_be_closed(unclear_notice, till, happened, state):
    shop = unclear_notice
    (doubt,) = listed(shop)
    assert (doubt.what, doubt.case, doubt.asked) == ("a notice to your own people", None, None)
    assert "call을 한다" in doubt.arguments["subject"]
    shop.act(doubts.settle, shop.world, doubt.effect, happened, "yoon", None)
    shop.later(days=2)
    assert till.calls == ["send"]
    assert listed(shop) == []
    assert [one["state"] for one in shop.all(t.effect, t.effect.c.id == doubt.effect)] == [state]


def test_the_command_lists_tells_and_settles(unclear, digilog):
    shop = unclear
    (doubt,) = listed(shop)
    assert "till.shout" in digilog("doubt")
    told = digilog("doubt", str(doubt.effect))
    assert all(part in told for part in ("김하나", "the answer was lost", "--happened", "--did-not-happen"))
    assert "did not happen" in digilog("doubt", str(doubt.effect), "--did-not-happen", "--as", "yoon", "--reason", "x")
    assert [one["kind"] for one in shop.asked()] == ["fallback"]
    assert "nothing is in doubt" in digilog("doubt")
