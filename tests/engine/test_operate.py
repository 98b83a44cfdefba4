"""What operators do by hand: hold, resume, retry, stop."""

import pytest

from connectors.errors import Rejected, Unavailable
from flows.engine.operate import OperateError, find_case, hold, record_by_hand, resume, retry, stop, void
from flows.ledger.exchanges import Exchange
from flows.people.assignments import claim
from flows.store import tables as t

PUT = ("sink.put", {"path": "/"})


def begin(shop, answers, steps=None):
    shop.open(steps or [shop.machine("put", *PUT), shop.person("call")])
    shop.calls.answers_to["sink.put"] = answers
    shop.asks()
    shop.turns()
    return shop.case()["id"]


def test_a_held_case_stands_and_its_effects_do_not_leave_until_it_is_resumed(shop):
    id = begin(shop, [Unavailable("down", retry_after=60), {}])
    shop.act(hold, id, "han", "the customer asked us to wait", shop.clock.now())
    shop.later(days=1)
    assert (len(shop.calls.uses()), shop.case()["held"]) == (1, "the customer asked us to wait")
    shop.act(resume, id, "han", shop.clock.now())
    assert ([one["step"] for one in shop.asked()], shop.case()["held"]) == (["call"], None)
    with pytest.raises(OperateError, match="is not held"):
        shop.act(resume, id, "han", shop.clock.now())
    assert [(line["who"], line["what"]) for line in shop.all(t.audit)] == [("han", "hold"), ("han", "resume")]


def test_retry_takes_the_fallback_back_and_calls_again(shop):
    id = begin(shop, [Rejected("no"), {}])
    shop.act(retry, id, "yoon", shop.clock.now())
    assert [one["state"] for one in shop.all(t.assignment)] == ["withdrawn", "open"]
    assert (len(shop.calls.uses()), [one["step"] for one in shop.asked()]) == (2, ["call"])


def test_retry_refuses_what_a_person_has_taken_over(shop):
    id = begin(shop, Rejected("no"))
    shop.act(claim, shop.asked()[0]["id"], "ji", shop.clock.now())
    with pytest.raises(OperateError, match="ji has taken this step over"):
        shop.act(retry, id, "yoon", shop.clock.now())
    assert len(shop.calls.uses()) == 1


def test_retry_never_repeats_what_a_person_did_in_an_earlier_step(shop):
    id = begin(shop, Rejected("no"), [shop.machine("first", *PUT), shop.machine("second", *PUT)])
    shop.does(shop.asked()[0])
    shop.later(minutes=1)
    assert [one["step"] for one in shop.asked()] == ["second"]
    shop.calls.answers_to["sink.put"] = {}
    shop.act(retry, id, "yoon", shop.clock.now())
    assert [one.key.rsplit("/")[1] for one in shop.calls.sent if one.case] == ["first", "second", "second"]
    assert [one["state"] for one in shop.effects()] == ["failed", "done"]


def test_retry_of_a_message_sends_it_once(shop):
    steps = [shop.machine("greet", "message.send", {"message": "hello", "values": {"name": "{{ name }}"}})]
    shop.open(steps)
    shop.calls.answers_to["outbox.send"] = Rejected("no")
    shop.asks()
    shop.turns()
    del shop.calls.answers_to["outbox.send"]
    shop.act(retry, shop.case()["id"], "yoon", shop.clock.now())
    assert (len(shop.outbox()), shop.case()["outcome"]) == (1, "done")


def test_retry_of_a_parked_case_calls_now(shop):
    id = begin(shop, [Unavailable("down", retry_after=3600), {}])
    shop.act(retry, id, "yoon", shop.clock.now())
    assert (len(shop.calls.uses()), [one["step"] for one in shop.asked()]) == (2, ["call"])


def test_retry_of_a_failed_check_reads_again(shop):
    shop.open([shop.machine("look", "sink.get", {"path": "/"}, check="look.status == 200")])
    shop.calls.answers_to["sink.get"] = [{"status": 202}, {"status": 200}]
    shop.asks()
    shop.turns()
    shop.act(retry, shop.case()["id"], "yoon", shop.clock.now())
    assert shop.case()["outcome"] == "done"


@pytest.mark.parametrize("do", [retry, hold, resume])
def test_what_has_ended_or_never_was_is_told_kindly(shop, do):
    id = begin(shop, {}, [shop.machine("put", *PUT)])
    more = ["why"] if do is hold else []
    with pytest.raises(OperateError, match=r"has ended \(done\); nothing more can be done"):
        shop.act(do, id, "yoon", *more, shop.clock.now())
    with pytest.raises(OperateError, match="there is no case nothing; see: digilog cases"):
        shop.act(find_case, "nothing")


def test_nothing_failed_is_said_instead_of_tried(shop):
    id = begin(shop, {})
    with pytest.raises(OperateError, match="has no failed step; it waits for yoon to do theirs: digilog work list"):
        shop.act(retry, id, "yoon", shop.clock.now())


def test_a_case_stopped_by_hand_asks_nothing_more(shop):
    id = begin(shop, Unavailable("down", retry_after=60))
    shop.act(stop, shop.world, id, "han", "moved away", "lost")
    shop.later(days=1)
    assert (shop.case()["outcome"], shop.case()["reason"]) == ("lost", "by han: moved away")
    assert ([one["state"] for one in shop.effects()], shop.asked(), len(shop.calls.uses())) == (["cancelled"], [], 1)


@pytest.mark.parametrize("party", ["010-12", "nobody@", "x"])
def test_an_exchange_at_the_desk_needs_a_phone_number_or_address(shop, party):
    begin(shop, {})
    with pytest.raises(OperateError, match="is no "):
        shop.act(record_by_hand, shop.world, party, Exchange(kind="cancel"), "yoon")


def test_a_case_on_hold_does_not_hold_back_the_same_customers_other_case(shop):
    shop.open([shop.machine("put", *PUT)], overlap="parallel")
    shop.calls.answers_to["sink.put"] = [Unavailable("down", retry_after=60), {}]
    shop.asks()
    shop.turns()
    shop.act(hold, shop.case()["id"], "han", "wait", shop.clock.now())
    shop.asks("k2")
    shop.later(minutes=5)
    assert [(one["status"], one["outcome"]) for one in shop.all(t.case)] == [("parked", None), ("ended", "done")]


def test_what_comes_back_for_a_case_that_was_held_and_ended_is_cancelled(shop):
    first = begin(shop, [Unavailable("down", retry_after=60), {}], [shop.machine("put", *PUT)])
    shop.act(hold, first, "han", "wait", shop.clock.now())
    with shop.store.write() as session:  # as while it is under way
        session.execute(t.effect.update().values(state="sending"))
    shop.act(stop, shop.world, first, "han", "moved away", "lost")
    with shop.store.write() as session:  # as when its answer says: later
        session.execute(t.effect.update().values(state="due", next_at=shop.clock.now()))
    shop.later(minutes=5)
    assert [one["state"] for one in shop.effects()] == ["cancelled"]
    assert len(shop.calls.uses()) == 1


def test_what_was_recorded_by_hand_is_taken_back_once_and_neither_counts(shop):
    shop.open()
    entry = Exchange(kind="purchase", amount=5000)
    id = shop.act(record_by_hand, shop.world, "010-1234-5678", entry, "yoon", reference="yoon/1")
    assert shop.act(record_by_hand, shop.world, "010-1234-5678", entry, "yoon", reference="yoon/1") == id
    shop.act(void, shop.world, id, "han", "typed twice")
    with pytest.raises(OperateError, match="taken back already"):
        shop.act(void, shop.world, id, "han", "typed twice")
    rows = shop.all(t.exchange)
    assert [row["voids"] for row in rows] == [None, id]
    with pytest.raises(OperateError, match="a correction itself"):
        shop.act(void, shop.world, rows[1]["id"], "han", "x")
    with pytest.raises(OperateError, match="there is no exchange"):
        shop.act(void, shop.world, "nobody", "han", "x")
    assert [(line["who"], line["what"]) for line in shop.all(t.audit)] == [("yoon", "exchange"), ("han", "void")]


def test_a_correction_ends_no_case(shop):
    shop.write([shop.person("call")], name="renew", stop=[{"exchange": ["purchase"], "outcome": "won"}])
    shop.open()
    id = shop.act(record_by_hand, shop.world, "010-1234-5678", Exchange(kind="purchase"), "yoon")
    shop.turns()
    shop.asks()
    shop.turns()
    assert shop.case()["status"] != "ended"
    shop.act(void, shop.world, id, "yoon", "it was another customer")
    shop.turns()
    assert shop.case()["status"] != "ended"


def test_a_second_hold_changes_nothing_of_the_first(shop):
    id = begin(shop, {})
    shop.act(hold, id, "han", "the customer calls back", shop.clock.now())
    with pytest.raises(OperateError, match="is held already"):
        shop.act(hold, id, "yoon", "again", shop.clock.now())
    assert shop.case(id)["held"] == "the customer calls back"
    assert shop.story().count("held") == 1
