"""Calls to services: what each error means for each class, what a crash leaves, and who goes first."""

from datetime import timedelta

import pytest

from connectors.errors import NotConnected, Rejected, Unavailable, Uncertain
from connectors.testing import scripted
from flows.engine import operate
from flows.store import tables as t
from flows.store.write import emit

USES = {
    "read": ("sink.get", {"path": "/x"}),
    "repeat": ("sink.put", {"path": "/x", "body": "{{ name }}"}),
    "once": ("sink.post", {"path": "/x", "body": "{{ name }}"}),
    "keyed": ("keyed.post", {"path": "/x", "body": "{{ name }}"}),
}


def begin(shop, effect="repeat", answers=None, **more):
    """A case whose only step calls a service."""
    sink = shop.files["company"]["connections"]["sink"]
    shop.connect("keyed", **sink, idempotency_header="Idempotency-Key")
    use, arguments = USES[effect]
    shop.open([shop.machine("call", use, arguments, **more)])
    shop.calls.answers_to[use] = answers if answers is not None else {}
    shop.asks()
    shop.turns()
    return shop


@pytest.mark.parametrize("effect", USES)
def test_what_went_well_is_called_once_and_the_case_goes_on(shop, effect):
    begin(shop, effect)
    assert shop.calls.uses() == [USES[effect][0]]
    assert shop.effects()[0]["effect_class"] == effect
    assert (shop.case()["status"], shop.case()["outcome"]) == ("ended", "done")


@pytest.mark.parametrize("effect", USES)
def test_what_was_refused_is_never_repeated_and_a_person_does_it(shop, effect):
    begin(shop, effect, Rejected("the service said no"))
    shop.later(days=2)
    assert len(shop.calls.uses()) == 1
    (asked,) = shop.asked()
    assert (asked["kind"], asked["role"], asked["reason"]) == ("fallback", "manager", "the service said no")
    assert shop.case()["failed"]
    shop.does(asked)
    assert shop.case()["outcome"] == "done"
    assert not shop.case()["failed"]


@pytest.mark.parametrize("effect", USES)
def test_a_service_that_is_down_is_waited_for_with_growing_pauses(shop, effect):
    begin(shop, effect, [Unavailable("down")] * 6 + [{}])
    pauses = []
    while (then := shop.effects()[0]["next_at"]) is not None:
        pauses.append((then - shop.clock.now()).total_seconds())
        assert shop.case()["status"] == "parked"
        shop.clock.set(then)
        shop.turns()
    assert len(pauses) == 6
    assert all(0.75 * 2**n <= pause <= 1.25 * 2**n for n, pause in enumerate(pauses))
    assert shop.case()["outcome"] == "done"
    assert shop.story().count("call parked") == 1


@pytest.mark.parametrize("effect", USES)
def test_a_service_that_stays_down_becomes_a_persons_work(shop, effect):
    begin(shop, effect, Unavailable("down"), fallback={"by": "owner", "do": "전화한다"})
    shop.world.give_up = timedelta(hours=2)
    shop.until_rest(timedelta(hours=30))
    made, ended = shop.effects()[0]["made_at"], shop.effects()[0]["ended_at"]
    assert timedelta(hours=1, minutes=50) < ended - made <= timedelta(hours=2)
    (asked,) = shop.asked()
    assert (asked["kind"], asked["person"]) == ("fallback", "han")
    assert "given up" in asked["reason"]


def test_a_service_that_says_when_is_asked_then(shop):
    begin(shop, "once", [Unavailable("busy", retry_after=90), {}])
    assert shop.effects()[0]["next_at"] - shop.clock.now() == timedelta(seconds=90)
    shop.later(seconds=89)
    assert len(shop.calls.uses()) == 1
    shop.later(seconds=1)
    assert len(shop.calls.uses()) == 2
    assert shop.case()["outcome"] == "done"


@pytest.mark.parametrize(("effect", "again"), [("read", True), ("repeat", True), ("keyed", True), ("once", False)])
def test_an_unclear_answer_is_repeated_only_where_that_does_no_harm(shop, effect, again):
    begin(shop, effect, [Uncertain("no answer"), {}])
    shop.later(days=3)
    assert len(shop.calls.uses()) == 1 + again
    assert len({one.key for one in shop.calls.sent if one.case}) == 1
    assert shop.case()["status"] == ("ended" if again else "in_doubt")
    assert [one["kind"] for one in shop.asked()] == ([] if again else ["doubt"])


@pytest.mark.parametrize(("happened", "story"), [("yes", ["call done"]), ("no", ["call handed", "call assigned"])])
def test_doubt_is_settled_by_a_person_and_never_sent_again(shop, happened, story):
    begin(shop, "once", Uncertain("no answer"))
    (asked,) = shop.asked()
    assert (asked["kind"], asked["reason"]) == ("doubt", "no answer")
    with pytest.raises(operate.OperateError, match="settle the doubt first"):
        shop.act(operate.retry, shop.case()["id"], "yoon", shop.clock.now())
    shop.does(asked, {"happened": happened})
    assert shop.story()[-len(story) - (happened == "yes") :][: len(story)] == story
    if happened == "no":
        assert [one["kind"] for one in shop.asked()] == ["fallback"]
        shop.does(shop.asked()[0])
    shop.later(days=3)
    assert shop.case()["outcome"] == "done"
    assert len(shop.calls.uses()) == 1


@pytest.mark.parametrize("effect", USES)
def test_a_refused_credential_pauses_the_connection_and_asks_once(shop, effect):
    begin(shop, effect, NotConnected("the token was refused", next_step="set a new one"))
    shop.asks("k2", phone="010-2222-3333")
    shop.turns()
    assert len(shop.calls.uses()) == 1  # the second waits without being tried
    (asked,) = shop.asked()
    assert (asked["kind"], asked["reason"]) == ("reconnect", "the token was refused; set a new one")
    shop.later(days=3)
    assert len(shop.calls.uses()) == 1
    shop.calls.answers_to[USES[effect][0]] = {}
    shop.does(asked, who="han")
    assert [case["outcome"] for case in shop.all(t.case)] == ["done", "done"]
    assert len(shop.asked()) == 0


def test_a_connection_that_was_taken_out_of_the_company_is_said(shop):
    begin(shop, "once", Unavailable("down", retry_after=60))
    del shop.calls.answers_to["sink.post"]
    del shop.files["company"]["connections"]["sink"]
    shop.write([shop.person("call")])
    shop.write_files()
    shop.load()
    shop.later(minutes=1)
    assert "no connection of company.yaml any more" in shop.asked()[0]["reason"]


@pytest.mark.parametrize(
    ("effect", "sent", "status"),
    [("read", 1, "ended"), ("repeat", 1, "ended"), ("keyed", 1, "ended"), ("once", 0, "in_doubt")],
)
def test_what_was_in_flight_when_digilog_was_killed(shop, effect, sent, status):
    begin(shop, effect, {})  # a first case, to have all connections open
    shop.calls.dead = True
    shop.asks("k2", phone="010-2222-3333")
    shop.turns()
    assert shop.effects()[1]["state"] == "sending"
    assert shop.restart({USES[effect][0]: {}}) == 1
    shop.turns()
    assert len(shop.calls.uses()) == sent
    assert shop.case()["status"] == status
    if status == "in_doubt":
        assert (shop.asked()[0]["kind"], shop.case()["failed"]) == ("doubt", True)
    assert shop.restart() == 0


def test_an_answer_is_kept_until_it_is_committed(shop):
    """A store that refuses one transaction must not turn a call that went well into a doubt."""
    begin(shop, "once", {})
    shop.asks("k2", phone="010-2222-3333")
    while not [one for one in shop.effects() if one["state"] == "sending"]:
        shop.engine.turn()
    shop.store.write, kept = None, shop.store.write
    with pytest.raises(TypeError):
        shop.engine.turn()
    del shop.store.write
    assert kept is not None
    shop.turns()
    assert [one["outcome"] for one in shop.all(t.case)] == ["done", "done"]


def test_a_customers_effects_leave_in_order_and_hold_back_nobody_else(shop):
    begin(shop, "repeat", {})
    shop.write([shop.machine("call", "sink.put", {"path": "/x"})], overlap="parallel")
    shop.load()
    heard = []

    def answer(sending):
        heard.append(sending.case)
        return Unavailable("down") if len(heard) == 1 else {}

    shop.calls.answers_to["sink.put"] = answer
    shop.asks("a1", phone="010-2222-3333")
    shop.turns()
    shop.asks("a2", phone="010-2222-3333")
    shop.asks("b1", phone="010-3333-4444")
    shop.turns()
    first, second, other = [case["id"] for case in shop.all(t.case)][1:]
    assert heard == [first, other]
    shop.later(minutes=2)
    assert heard == [first, other, first, second]


def test_while_a_customers_call_is_under_way_the_next_one_waits(shop):
    begin(shop, "repeat", {}, key="{{ case.id }}")
    shop.write([shop.machine("call", "sink.put", {"path": "/x"})], overlap="parallel")
    shop.load()
    shop.calls.dead = True
    shop.asks("a1", phone="010-2222-3333")
    shop.turns()
    shop.asks("a2", phone="010-2222-3333")
    shop.asks("b1", phone="010-3333-4444")
    shop.turns()
    assert [one["state"] for one in shop.effects()] == ["done", "sending", "due", "sending"]
    shop.restart({"sink.put": {}})
    shop.turns()
    assert [one["state"] for one in shop.effects()] == ["done"] * 4


def test_a_deferred_message_does_not_hold_back_a_later_one(shop):
    hello = {"message": "hello", "values": {"name": "{{ name }}"}}
    shop.connect("second", connector="own_form")
    shop.write([shop.machine("soon", "message.send", hello)], name="other",
               start={"event": "form.submitted", "connection": "second"})  # fmt: skip
    shop.open([shop.machine("day", "message.send", hello, between="09:00-10:30")])
    shop.calls.free = 0  # all slots are taken until its hours are over
    shop.asks("k1")
    shop.turns()
    shop.calls.free = 100
    shop.at("2026-11-23 11:00")
    with shop.store.write() as session:
        body = b'{"name": "a", "phone": "010-1234-5678"}'
        emit(session, "second", "k2", "form.submitted", shop.clock.now(), body)
    shop.turns()
    assert [one["state"] for one in shop.effects()] == ["due", "done"]
    shop.at("2026-11-24 09:00")
    assert [one["state"] for one in shop.effects()] == ["done", "done"]


def test_never_more_is_marked_sending_than_can_leave(shop):
    begin(shop, "repeat", {})
    shop.calls.free, shop.calls.dead = 2, True
    for number in range(5):
        shop.asks(f"n{number}", phone=f"010-5555-000{number}")
    shop.turns(1)
    states = [one["state"] for one in shop.effects()]
    assert states.count("sending") == 2


def test_a_refused_medium_is_followed_by_the_other_and_then_by_a_person(shop):
    shop.open([shop.machine("greet", "message.send", {"message": "hello", "values": {"name": "{{ name }}"}})])
    shop.calls.answers_to["outbox.send"] = Rejected("no such template")
    shop.asks()
    shop.turns()
    assert [one.arguments["medium"] for one in shop.calls.sent if one.case] == ["alimtalk", "sms"]
    assert [one["kind"] for one in shop.asked()] == ["fallback"]


def test_a_connector_that_answers_what_cannot_be_kept_harms_only_its_own_case(shop):
    begin(shop, "once", [object(), {}])
    shop.asks("k2", phone="010-2222-3333")
    shop.turns()
    assert [case["status"] for case in shop.all(t.case)] == ["in_doubt", "ended"]
    assert "digilog itself failed here (TypeError)" in shop.asked()[0]["reason"]


def test_a_message_that_is_gone_harms_only_its_own_case(shop):
    hello = {"message": "hello", "values": {"name": "{{ name }}"}}
    shop.open([shop.machine("greet", "message.send", hello)])
    shop.calls.answers_to["outbox.send"] = [Unavailable("down", retry_after=60), {}]
    shop.asks()
    shop.turns()
    shop.write([shop.machine("put", "sink.put", {"path": "/"})])
    shop.files["messages"] = {"offer": shop.files["messages"]["offer"]}
    shop.write_files()
    shop.load()
    shop.calls.answers_to["sink.put"] = {}
    shop.asks("k2", phone="010-2222-3333")
    shop.later(minutes=1)
    assert [case["status"] for case in shop.all(t.case)] == ["assigned", "ended"]


def test_over_a_real_wire_a_service_gets_each_call_once(shop):
    with scripted({"PUT /x": [(503, {}), (200, {"ok": True})]}) as service:
        shop.connect("sink", connector="web", base_url=service.base_url, allow_loopback="true")
        shop.open([shop.machine("call", "sink.put", {"path": "/x", "body": "{{ name }}"}, check="call.status == 200")])
        shop.asks()
        shop.turns()
        assert shop.case()["status"] == "parked"
        shop.later(seconds=5)
        shop.world.connection("sink").close()
        assert [one.json() for one in service.asked] == ["김하나", "김하나"]
    assert shop.case()["outcome"] == "done"
