"""The door: in which states something may leave, and what happens instead."""

import pytest

from connectors.errors import Unavailable
from flows.engine import operate
from flows.store import tables as t

HELLO = {"message": "hello", "values": {"name": "{{ name }}"}}


def closed(sending):
    raise AssertionError(f"{sending.connection} was called")


def everything_outgoing(shop):
    return [shop.machine("greet", "message.send", HELLO), shop.machine("tell", "team.notify", {"text": "왔다"}),
            shop.machine("put", "sink.put", {"path": "/"}), shop.machine("post", "sink.post", {"path": "/"}),
            shop.machine("row", "sheet.upsert_row", {"row_id": "1", "row": {"a": "{{ name }}"}})]  # fmt: skip


def test_in_trial_every_outgoing_step_is_a_persons_and_no_connector_is_called(shop):
    shop.open(everything_outgoing(shop), state="trial")
    for use in ("sink.put", "sink.post", "sheet.upsert_row", "outbox.send"):
        shop.calls.answers_to[use] = closed
    shop.asks()
    shop.turns()
    for step in ("greet", "tell", "put", "post", "row"):
        (asked,) = shop.asked()
        assert (asked["step"], asked["kind"]) == (step, "fallback")
        assert "state trial" in asked["reason"]
        shop.later(minutes=1)
        shop.does(asked)
    assert (shop.case()["outcome"], shop.case()["failed"]) == ("done", False)
    assert shop.calls.uses() == shop.outbox() == shop.effects() == []


def test_in_trial_what_only_touches_our_store_and_reads_are_real(shop):
    shop.open([shop.machine("note", "ledger.record", {"kind": "apply"}),
               shop.machine("look", "sink.get", {"path": "/"})], state="trial")  # fmt: skip
    shop.calls.answers_to["sink.get"] = {}
    shop.asks()
    shop.turns()
    assert (len(shop.all(t.exchange)), shop.calls.uses(), shop.case()["outcome"]) == (1, ["sink.get"], "done")


@pytest.mark.parametrize("state", ["design", "trial"])
def test_a_state_set_back_on_the_way_lets_nothing_leave_any_more(shop, state):
    shop.open([shop.machine("put", "sink.put", {"path": "/"}), shop.machine("post", "sink.post", {"path": "/"})])
    shop.calls.answers_to["sink.put"] = [Unavailable("down", retry_after=60), {}]
    shop.calls.answers_to["sink.post"] = closed
    shop.asks()
    shop.turns()
    version = shop.case()["version"]
    shop.write([shop.machine("put", "sink.put", {"path": "/"}), shop.machine("post", "sink.post", {"path": "/"})],
               state=state)  # fmt: skip
    shop.load()
    assert shop.world.book.playbooks["visit"].version == version
    shop.later(minutes=5)
    assert len(shop.calls.uses()) == 1
    for step in ("put", "post"):
        shop.later(minutes=1)
        (asked,) = shop.asked()
        assert (asked["step"], asked["kind"]) == (step, "fallback")
        shop.does(asked)
    assert shop.case()["outcome"] == "done"


def test_in_state_expand_it_leaves_as_in_operate(shop):
    shop.open([shop.machine("put", "sink.put", {"path": "/"})], state="expand")
    shop.calls.answers_to["sink.put"] = {}
    shop.asks()
    shop.turns()
    assert (shop.calls.uses(), shop.case()["outcome"]) == (["sink.put"], "done")


def test_a_playbook_whose_file_is_gone_lets_nothing_leave(shop):
    shop.open([shop.person("call"), shop.machine("post", "sink.post", {"path": "/"})])
    shop.calls.answers_to["sink.post"] = closed
    shop.asks()
    shop.turns()
    (shop.folder / "visit.yaml").unlink()
    shop.load()
    shop.does(shop.asked()[0])
    assert [one["kind"] for one in shop.asked()] == ["fallback"]


def test_in_complete_a_start_waits_until_a_person_lets_it_go(shop):
    shop.open([shop.machine("put", "sink.put", {"path": "/"})], state="complete")
    shop.calls.answers_to["sink.put"] = {}
    shop.asks()
    shop.turns()
    shop.later(days=1)
    assert (shop.calls.uses(), "let go" in shop.case()["held"]) == ([], True)
    shop.act(operate.resume, shop.case()["id"], "han", shop.clock.now())
    assert (shop.calls.uses(), shop.case()["outcome"]) == (["sink.put"], "done")


def test_in_design_nothing_starts(shop):
    shop.open([shop.person("call")], state="design")
    shop.asks()
    shop.turns()
    assert (shop.all(t.case), shop.all(t.event)[0]["state"]) == ([], "quarantined")


def test_an_advert_is_blocked_with_its_reason_and_the_case_goes_on(shop):
    shop.open([shop.machine("ad", "message.send", {"message": "offer"}), shop.person("call")])
    shop.calls.answers_to["outbox.send"] = closed
    shop.asks()
    shop.turns()
    assert [one["step"] for one in shop.asked()] == ["call"]
    assert [line["reason"] for line in shop.all(t.journal) if line["state"] == "blocked"] == [
        "adverts are not sent: there is no gate for them yet"
    ]


def test_a_message_that_became_an_advert_is_blocked_at_the_moment_of_sending(shop):
    shop.open([shop.machine("greet", "message.send", HELLO)])
    shop.calls.answers_to["outbox.send"] = [Unavailable("down", retry_after=60), {}]
    shop.asks()
    shop.turns()
    shop.files["messages"]["hello"] = {**shop.files["messages"]["hello"], "purpose": "ad"}
    shop.write_files()
    shop.load()
    shop.later(minutes=1)
    assert (len(shop.calls.uses()), shop.story()[-2:]) == (1, ["greet blocked", "ended"])
