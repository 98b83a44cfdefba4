"""Calls that may have happened: repeated under their key while the service drops it, or asked about first."""

from datetime import timedelta

import pytest

from connectors.errors import NotConnected, Rejected, Unavailable, Uncertain
from flows.engine import doubts, operate
from flows.store import tables as t

LOST = "done, but the answer is lost"


@pytest.fixture
def begin(shop, till):
    """A case whose only step calls the till; the till's answers by script."""

    def made(action, *faults, **more):
        shop.connect("till", connector="till")
        shop.open([shop.machine("call", f"till.{action}", {"what": "{{ name }}"}, **more)])
        till.faults = list(faults)
        shop.asks()
        shop.turns()
        return shop

    return made


def on_the_way(shop, till):
    """Killed after the call has reached the till, before its answer was kept."""
    while not till.log:
        shop.engine.turn()
    shop.restart()
    shop.turns()


@pytest.mark.parametrize(("action", "calls"), [("pay", ["pay", "pay"]), ("ring", ["ring", "find"])])
def test_a_lost_answer_is_cleared_up_by_the_machine_and_nothing_happens_twice(begin, till, action, calls):
    shop = begin(action, LOST)
    shop.later(minutes=1)
    assert (till.calls, list(till.did.values())) == (calls, [1])
    assert (shop.case()["outcome"], shop.effects()[0]["state"]) == ("done", "done")
    assert shop.asked() == []


@pytest.mark.parametrize(("action", "calls"), [("pay", ["pay", "pay"]), ("ring", ["ring", "find"])])
def test_after_a_kill_the_same_holds(shop, till, action, calls):
    shop.connect("till", connector="till")
    shop.open([shop.machine("call", f"till.{action}", {"what": "{{ name }}"})])
    shop.asks()
    on_the_way(shop, till)
    assert (till.calls, list(till.did.values())) == (calls, [1])
    assert shop.case()["outcome"] == "done"


def test_what_the_till_does_not_know_is_sent_again_under_the_same_key(begin, till):
    shop = begin("ring", Uncertain("no answer"))
    shop.later(minutes=1)
    assert till.calls == ["ring", "find", "ring"]
    assert (len({key for _, key, _ in till.log}), list(till.did.values())) == (1, [1])
    assert shop.case()["outcome"] == "done"


@pytest.mark.parametrize("trouble", [Unavailable("down"), Rejected("cannot search now"), Uncertain("no answer")])
def test_if_asking_fails_it_is_asked_again_later_and_not_sent(begin, till, trouble):
    shop = begin("ring", LOST, trouble, trouble)
    shop.later(seconds=3)
    shop.later(seconds=6)
    shop.later(seconds=12)
    assert (till.calls, list(till.did.values())) == (["ring", "find", "find", "find"], [1])
    assert shop.case()["outcome"] == "done"


def test_asking_without_a_credential_pauses_the_connection(begin, till):
    shop = begin("ring", LOST, NotConnected("the token was refused"))
    shop.later(minutes=1)
    (asked,) = shop.asked()
    shop.does(asked, who="han")
    assert (asked["kind"], till.calls) == ("reconnect", ["ring", "find", "find"])
    assert shop.case()["outcome"] == "done"


@pytest.mark.parametrize(("down", "state"), [(23, "done"), (25, "in_doubt")])
def test_a_key_is_repeated_only_while_the_service_drops_it(begin, till, down, state):
    shop = begin("pay", LOST)
    shop.world.give_up = timedelta(days=9)
    till.down = True
    for _ in range(down * 4):
        shop.later(minutes=15)
    till.down = False
    shop.later(minutes=15)
    assert (shop.effects()[0]["state"], list(till.did.values())) == (state, [1])
    assert [one["kind"] for one in shop.asked()] == ["doubt"] * (state == "in_doubt")


def test_the_window_is_counted_from_the_first_sending_that_may_have_happened(begin, till):
    shop = begin("pay", Unavailable("closed", retry_after=23 * 3600), LOST)
    shop.world.give_up = timedelta(days=9)
    shop.later(hours=23)
    assert till.calls == ["pay", "pay"]
    shop.later(hours=2)
    assert (shop.effects()[0]["state"], list(till.did.values())) == ("done", [1])


@pytest.mark.parametrize("action", ["pay", "ring"])
def test_what_may_have_happened_is_never_just_given_to_a_person_to_do(begin, till, action):
    shop = begin(action, LOST, valid_for="1h")
    till.down = True
    shop.later(hours=2)
    shop.later(days=2)
    (asked,) = shop.asked()
    assert (asked["kind"], shop.effects()[0]["state"]) == ("doubt", "in_doubt")


def test_a_playbook_taken_back_to_trial_leaves_a_doubt_and_calls_no_more(begin, till):
    shop = begin("pay", LOST)
    shop.write([shop.machine("call", "till.pay", {"what": "{{ name }}"})], state="trial")
    shop.load()
    shop.later(minutes=5)
    assert (till.calls, [one["kind"] for one in shop.asked()]) == (["pay"], ["doubt"])


@pytest.mark.parametrize(
    ("action", "fault", "state"),
    [
        ("pay", Unavailable("down"), "cancelled"),
        ("ring", Unavailable("down"), "cancelled"),
        ("find", Unavailable("down"), "cancelled"),
        ("pay", LOST, "in_doubt"),
        ("ring", LOST, "in_doubt"),
    ],
)
@pytest.mark.parametrize("answered", [False, True])
def test_a_case_that_was_stopped_calls_no_more_and_what_may_have_happened_is_shown(
    shop, till, action, fault, state, answered
):
    shop.connect("till", connector="till")
    shop.open([shop.machine("call", f"till.{action}", {} if action == "find" else {"what": "{{ name }}"})])
    till.faults = [fault]
    shop.asks()
    while not till.log or (answered and shop.case()["status"] != "parked"):
        shop.engine.turn()
    shop.act(operate.stop, shop.world, shop.case()["id"], "han", "moved away", "lost")
    shop.later(minutes=10)
    assert (len(till.log), shop.effects()[0]["state"]) == (1, state)
    with shop.store.write() as session:
        found = doubts.doubts(session, shop.world)
        assert [one.use for one in found] == [f"till.{action}"] * (state == "in_doubt")
        for one in found:
            doubts.settle(session, shop.world, one.effect, True, "han", "it is on the bill")
        assert doubts.doubts(session, shop.world) == []
    shop.later(days=1)
    assert shop.case()["status"] == "ended"


def test_a_doubt_that_was_settled_stays_so_when_its_case_ends(begin):
    shop = begin("shout", LOST)
    shop.does(shop.asked()[0], {"happened": "yes"})
    with shop.store.read() as session:
        assert (shop.case()["status"], doubts.doubts(session, shop.world)) == ("ended", [])


def test_refused_when_it_is_repeated_it_did_not_happen(begin, till):
    shop = begin("pay", Uncertain("no answer"), Rejected("the card is blocked"))
    shop.later(minutes=1)
    assert [one["kind"] for one in shop.all(t.assignment)] == ["fallback"]


def test_for_any_web_service_its_window_is_a_setting(shop):
    sink = shop.files["company"]["connections"]["sink"]
    shop.connect("keyed", **sink, idempotency_header="Idempotency-Key", idempotency_window="30m")
    shop.open([shop.machine("call", "keyed.post", {"path": "/x", "body": "{{ name }}"})])
    shop.calls.answers_to["keyed.post"] = [Uncertain("no answer"), Unavailable("down", retry_after=1800), {}]
    shop.asks()
    shop.turns()
    shop.later(minutes=1)
    shop.later(hours=1)
    assert (len(shop.calls.uses()), shop.effects()[0]["state"]) == (2, "in_doubt")
