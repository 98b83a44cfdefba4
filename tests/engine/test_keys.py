"""Steps for each item of a list, evidence of what people did, and what a machine does in state trial."""

import pytest

from connectors.errors import Rejected, Uncertain
from flows.engine.operate import retry
from flows.people.assignments import AssignmentError, skip
from flows.store import tables as t

ITEMS = [{"sku": "a", "count": 1}, {"sku": "b", "count": 2}, {"sku": "c", "count": 3}]
LOOK = {"path": "/orders"}
PUT = {"path": "/items/{{ item.sku }}", "body": {"count": "{{ item.count }}"}}


def each(shop, items=ITEMS, with_=PUT, use="sink.put", **more):
    steps = [shop.machine("look", "sink.get", LOOK),
             shop.machine("put", use, with_, for_each="look.data.items", **more),
             shop.person("call", when="put.count > 0")]  # fmt: skip
    shop.open(steps)
    shop.calls.answers_to |= {"sink.get": {"data": {"items": items}}, "sink.put": {"status": 200}}
    shop.asks()
    return shop


def test_an_action_is_done_once_for_each_item(shop):
    each(shop).turns()
    put = [one for one in shop.calls.sent if one.action == "put"]
    case = shop.case()["id"]
    assert [(one.key, one.arguments["path"]) for one in put] == [
        (f"{case}/put/{number}", f"/items/{sku}") for number, sku in enumerate("abc", 1)
    ]
    assert [one["step"] for one in shop.asked()] == ["call"]
    shop.restart()
    shop.turns()
    assert len(shop.effects()) == 4


def test_a_retry_does_every_item_that_failed_and_none_that_is_done(shop):
    each(shop)
    shop.calls.answers_to["sink.put"] = [Rejected("no"), {"status": 200}, Rejected("no"), {"status": 200}]
    shop.turns()
    assert [one["kind"] for one in shop.asked()] == ["fallback"]
    shop.act(retry, shop.case()["id"], "yoon", shop.clock.now())
    put = [one.arguments["path"][-1] for one in shop.calls.sent if one.action == "put"]
    assert (put, [one["step"] for one in shop.asked()]) == (["a", "b", "c", "a", "c"], ["call"])


@pytest.mark.parametrize(
    ("items", "kind"),
    [
        ([], "done"),
        ("abc", "assigned"),
        (None, "assigned"),
        ([{"count": 1}], "assigned"),
        ([ITEMS[0]] * 1001, "assigned"),
    ],
)
def test_what_is_no_list_or_too_long_or_lacks_a_value_calls_nothing(shop, items, kind):
    each(shop, items).turns()
    assert [one.action for one in shop.calls.sent if one.case] == ["get"]
    assert (shop.case()["status"] == "ended") is (kind == "done")
    assert [one["kind"] for one in shop.asked()] == ([] if kind == "done" else ["fallback"])


def test_when_some_items_fail_a_person_is_told_how_many(shop):
    each(shop)
    shop.calls.answers_to["sink.put"] = [{}, Rejected("no"), {}]
    shop.turns()
    (asked,) = shop.asked()
    assert (asked["kind"], asked["reason"].startswith("1 of 3 failed")) == ("fallback", True)
    assert len([one for one in shop.calls.sent if one.action == "put"]) == 3


def test_an_item_in_doubt_is_asked_and_never_sent_again(shop):
    shop.open([shop.machine("look", "sink.get", LOOK),
               shop.machine("pay", "sink.post", {"path": "/x"}, for_each="look.data.items")])  # fmt: skip
    shop.calls.answers_to |= {"sink.get": {"data": {"items": ITEMS}}, "sink.post": [{}, Uncertain("lost"), {}]}
    shop.asks()
    shop.turns()
    shop.later(hours=1)
    assert [one["kind"] for one in shop.asked()] == ["doubt"]
    assert len([one for one in shop.calls.sent if one.action == "post"]) == 3


def test_each_item_is_recorded_once(shop):
    each(shop, use="ledger.record", with_={"kind": "purchase_card", "quantity": "{{ item.count }}"}).turns()
    assert [one["quantity"] for one in shop.all(t.exchange)] == [1, 2, 3]
    assert len({one["reference"] for one in shop.all(t.exchange)}) == 3


def test_items_with_one_key_are_done_once(shop):
    each(shop, [*ITEMS, ITEMS[0]], key="stock/{{ item.sku }}").turns()
    assert [one.key for one in shop.calls.sent if one.action == "put"] == ["stock/a", "stock/b", "stock/c"]


@pytest.mark.parametrize(
    ("evidence", "shown", "taken"),
    [("text", "영수증 12번", True), ("text", "", False), ("link", "https://onda.example/1", True),
     ("link", "영수증", False), ("photo", "https://onda.example/1.jpg", True), ("photo", "사진", False)],
)  # fmt: skip
def test_evidence_that_is_asked_for_must_be_shown(shop, evidence, shown, taken):
    note = shop.machine("note", "ledger.record", {"kind": "apply", "note": "{{ ask.evidence }}"})
    shop.open([shop.person("ask", evidence=evidence), note])
    shop.asks()
    shop.turns()
    refused = shop.does(shop.asked()[0], {"evidence": shown})
    assert [one.field for one in refused] == ([] if taken else ["evidence"])
    if taken:
        assert shop.all(t.private_exchange)[0]["note"] == shown


def test_a_step_with_evidence_can_still_be_skipped_where_no_answer_is_needed(shop):
    shop.open([shop.person("ask", evidence="text")])
    shop.asks()
    shop.turns()
    shop.act(skip, shop.world.book.playbooks["visit"], shop.asked()[0]["id"], "yoon", "없음", shop.clock.now())
    assert shop.case()["status"] == "ended"


TRIAL = {"state": "trial", "machine_in_trial": "confirm"}


@pytest.mark.parametrize(("send", "calls", "story"), [("yes", 1, "put done"), ("no", 0, "put skipped")])
def test_in_trial_what_is_prepared_leaves_when_a_person_says_so(shop, send, calls, story):
    shop.open([shop.machine("put", "sink.put", {"path": "/"}), shop.person("end")], **TRIAL)
    shop.calls.answers_to["sink.put"] = {}
    shop.asks()
    shop.turns()
    (asked,) = shop.asked()
    assert (asked["kind"], shop.effects()) == ("confirm", [])
    with pytest.raises(AssignmentError):
        shop.act(skip, shop.world.book.playbooks["visit"], asked["id"], "yoon", "나중에", shop.clock.now())
    shop.does(asked, {"send": send})
    assert len(shop.calls.uses()) == calls
    assert story in shop.story()
    assert [one["step"] for one in shop.asked()] == ["end"]


def test_a_yes_counts_for_its_own_step_alone(shop):
    shop.open([shop.machine("put", "sink.put", {"path": "/"}), shop.machine("other", "sink.put", {"path": "/"})],
              **TRIAL)  # fmt: skip
    shop.calls.answers_to["sink.put"] = {}
    shop.asks()
    shop.turns()
    shop.does(shop.asked()[0], {"send": "yes"})
    assert [(one["kind"], one["step"]) for one in shop.asked()] == [("confirm", "other")]
    assert len(shop.calls.uses()) == 1


def test_what_was_let_go_waits_when_the_playbook_goes_back_to_design(shop):
    steps = [shop.machine("put", "sink.put", {"path": "/"})]
    shop.open(steps, **TRIAL)
    shop.asks()
    shop.turns()
    (asked,) = shop.asked()
    shop.write(steps, state="design")
    shop.load()
    shop.does(asked, {"send": "yes"})
    assert shop.calls.uses() == []
