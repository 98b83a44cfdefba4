"""Services that tell nobody are asked: nothing is lost or twice, and who must do something about it is told once."""

import json
from datetime import timedelta

import pytest

from connectors.base import Incoming, Polled
from connectors.errors import NotConnected, Rejected, Unavailable
from flows.engine.learning import AT_ONCE
from flows.engine.questions import ask
from flows.people import reconnect
from flows.store import tables as t
from flows.store.write import UNCONFIRMED, change, emit
from tests.engine.conftest import ask_too
from tests.runs.conftest import until

MAIL = {"event": "form.submitted", "connection": "mailbox"}


def letter(key, name="김하나", phone="010-1234-5678"):
    body = {"이름": name, "연락처": phone}
    return Incoming("form.submitted", key, body, raw=json.dumps(body).encode())


def polled(cursor, *keys):
    return Polled(tuple(letter(key, phone=f"010-1234-{number:04d}") for number, key in enumerate(keys)), cursor)


@pytest.fixture
def mail(begin, asked):
    """A shop that polls `mailbox` each five minutes; the first poll brought cursor 1."""

    def begun(*answers, **more):
        asked.mailbox.answers = [Polled((letter("old"),), "1"), *answers]
        shop = begin("mailbox", [CALL], start=MAIL, **more)
        shop.turns()
        return shop

    return begun


CALL = {"id": "call", "do": "전화한다", "by": "manager", "by_hand": "3m", "expect": "되어 있다"}


def state(shop, what="poll"):
    return next(row for row in shop.all(t.asking) if row["what"] == what)


def keys(shop):
    return [row["key"] for row in shop.all(t.event)]


def test_the_first_poll_only_finds_the_place_to_begin_from(mail, asked):
    shop = mail(polled("2"))
    assert asked.mailbox.asked == [None]
    assert (state(shop)["cursor"], keys(shop)) == ("1", [])


def test_what_a_poll_finds_opens_cases_and_the_next_one_goes_on_from_there(mail, asked):
    shop = mail(polled("2", "a", "b"), polled("3", "c"), polled("4"))
    shop.later(minutes=4)
    assert asked.mailbox.asked == [None]
    shop.later(minutes=1)
    shop.later(minutes=5)
    shop.later(minutes=5)
    assert asked.mailbox.asked == [None, "1", "2", "3"]
    assert keys(shop) == ["a", "b", "c"]
    assert [case["status"] for case in shop.all(t.case)] == ["assigned"] * 2  # c asked again while open


def test_a_connection_may_be_asked_more_often_than_usual(mail, asked):
    shop = mail(polled("2"), settings={"every": "1m"})
    shop.later(minutes=1)
    assert asked.mailbox.asked == [None, "1"]


def test_a_poll_whose_answer_was_never_committed_is_asked_again_and_brings_the_same_events_once(mail, asked):
    shop = mail(polled("2", "a"), polled("2", "a"), polled("3"))
    shop.asking.dead = True
    shop.later(minutes=5)
    assert (len(shop.asking.sent), state(shop)["cursor"], keys(shop)) == (2, "1", [])
    ask_too(shop)
    shop.turns()
    assert (state(shop)["cursor"], keys(shop)) == ("2", ["a"])


def test_an_answer_for_a_place_that_is_not_ours_any_more_is_dropped(mail):
    shop = mail(polled("2", "a"))
    shop.asking.dead = True
    shop.later(minutes=5)
    question = shop.asking.sent[-1]
    ask_too(shop)
    shop.asking.dead = True
    shop.turns()  # the new engine asks it now

    shop.world.claimer, mine = "somebody else", shop.world.claimer
    shop.asking._back = [ask(shop.world, question)]
    shop.turns()
    shop.world.claimer = mine
    assert keys(shop) == []


def test_the_place_survives_that_the_connection_is_edited_or_taken_out_for_a_while(mail, asked):
    shop = mail(polled("2", "a"), polled("3", "b"))
    shop.later(minutes=5)
    before = shop.files["company"]["connections"]
    shop.files["company"]["connections"] = {**before, "mailbox": {"connector": "mailbox", "every": "2m"}}
    shop.write_files()
    shop.load()
    shop.later(minutes=5)
    assert asked.mailbox.asked == [None, "1", "2"]
    assert keys(shop) == ["a", "b"]


def test_nobody_is_asked_for_what_nothing_comes_of(begin, asked):
    asked.mailbox.answers = [polled("1")]
    shop = begin("mailbox", [CALL])  # its playbook starts by the form
    shop.turns()
    assert asked.mailbox.asked == []


def test_a_service_that_is_away_is_asked_later_and_later_and_nothing_is_lost(mail, asked):
    shop = mail(Unavailable("away"))
    shop.later(minutes=5)
    for _ in range(20):
        shop.later(seconds=60)
    tried = len(asked.mailbox.asked)
    assert 8 <= tried <= 14
    assert (state(shop)["reason"], state(shop)["attempt"]) == ("away", tried - 1)
    assert shop.asked() == []
    asked.mailbox.answers = [polled("2", "a")]
    shop.later(minutes=7)
    assert (keys(shop), state(shop)["reason"], state(shop)["attempt"]) == (["a"], None, 0)


def test_a_service_that_asks_to_come_later_is_left_alone_for_that_long(mail, asked):
    shop = mail(Unavailable("later", retry_after=600), polled("2", "a"))
    shop.later(minutes=5)
    shop.later(minutes=9)
    assert len(asked.mailbox.asked) == 2
    shop.later(minutes=2)
    assert keys(shop) == ["a"]


def test_a_refused_credential_is_told_once_and_closed_when_the_service_answers_again(mail, asked):
    shop = mail(NotConnected("revoked", next_step="connect it again"))
    shop.later(minutes=5)
    for _ in range(5):
        shop.later(minutes=31)
    assert len(asked.mailbox.asked) >= 5
    (told,) = shop.asked(kind="reconnect")
    assert (told["connection"], told["reason"], told["role"]) == ("mailbox", "revoked; connect it again", "owner")
    assert shop.all(t.connection)[0]["paused"] == "revoked; connect it again"
    asked.mailbox.answers = [polled("2", "a")]
    shop.later(minutes=41)
    assert (shop.asked(kind="reconnect"), keys(shop)) == ([], ["a"])
    assert shop.all(t.connection)[0]["paused"] is None


def test_when_the_owner_says_done_it_is_asked_at_once(mail, asked):
    shop = mail(NotConnected("revoked"), polled("2", "a"))
    shop.later(minutes=5)
    (told,) = shop.asked(kind="reconnect")
    shop.does(told, who="han")
    assert keys(shop) == ["a"]


def test_a_service_that_keeps_saying_no_is_told_to_the_owner_and_nothing_pauses(mail, asked):
    shop = mail(Rejected("there is no such form"))
    for _ in range(12):
        shop.later(minutes=5)
    (told,) = shop.asked(kind="reconnect")
    assert told["reason"].startswith("there is no such form")
    assert shop.all(t.connection) == []
    asked.mailbox.answers = [polled("2")]
    shop.later(minutes=41)
    assert shop.asked(kind="reconnect") == []


def test_a_poll_that_cannot_be_kept_harms_nobody_else(mail, asked):
    shop = mail(Polled((Incoming("form.submitted", "\ud800", {}), letter("a")), "2"), Polled(("nonsense",), "3"))
    shop.later(minutes=5)
    assert [row["state"] for row in shop.all(t.event)] == ["quarantined", "decided"]
    shop.later(minutes=5)
    shop.asks("k", phone="010-9999-9999")
    shop.turns()
    assert state(shop)["cursor"] == "2"
    assert "digilog itself failed" in state(shop)["reason"]


def test_two_engines_ask_once(mail, asked):
    shop = mail(polled("2", "a"), polled("3"))
    one, first = shop.engine, shop.asking
    first.dead = True
    shop.later(minutes=5)
    assert len(first.sent) == 2
    claim = one.claim
    shop.engine.claim = shop.store.claim()  # what restart() closes
    second = ask_too(shop)
    shop.turns()
    assert second.sent == []
    claim.close()
    until(lambda: shop.engine.recover() or shop.turns() or second.sent)  # PostgreSQL notices a little later
    assert (len(second.sent), keys(shop)) == (1, ["a"])


def test_the_rate_of_a_connection_holds_for_polls_too(mail, asked):
    shop = mail(polled("2"), settings={"every": "1s", "rate": "2/1m"})
    for _ in range(59):
        shop.later(seconds=1)
    assert len(asked.mailbox.asked) == 2


@pytest.fixture
def listed(begin, asked):
    def begun(**more):
        shop = begin("register", [CALL], start={"event": "payment.paid", "connection": "register"}, **more)
        shop.turns()
        return shop

    return begun


def paid(id, phone="010-1234-5678"):
    told = {"id": id, "state": "paid", "amount": "15000", "이름": "김", "연락처": phone}
    return Incoming("payment.paid", id, told, raw=json.dumps(told).encode())


def test_what_a_webhook_never_told_is_found_and_what_it_told_is_one_event(listed, asked):
    shop = listed()
    assert asked.register.asked == []  # what was before is not asked for
    began = shop.clock.now()

    with shop.store.write() as session:
        emit(session, "register", "p1", "payment.paid", shop.clock.now(), paid("p1").raw)
    shop.turns()
    asked.register.listed = (paid("p1"), paid("p2", "010-2222-2222"))
    shop.later(hours=1)
    shop.later(hours=1)
    assert asked.register.asked == [began, began]
    assert [row["key"] for row in shop.all(t.event, t.event.c.connection == "register")] == ["p1", "p2"]
    assert len(shop.all(t.case)) == 2
    shop.later(hours=1)
    assert asked.register.asked[-1] == shop.clock.now() - 2 * (shop.clock.now() - began) / 3


def test_after_a_start_it_is_asked_at_once(listed, asked):
    shop = listed()
    shop.later(minutes=10)
    ask_too(shop)
    shop.turns()
    assert len(asked.register.asked) == 1
    shop.later(minutes=10)
    assert len(asked.register.asked) == 1


def test_a_list_that_could_not_be_had_is_had_later_from_the_same_time_on(listed, asked):
    shop = listed()
    began = shop.clock.now()
    asked.register.answers = [Unavailable("away")]
    asked.register.listed = (paid("p1"),)
    shop.later(hours=1)
    shop.later(minutes=1)
    assert asked.register.asked == [began, began]
    assert [row["key"] for row in shop.all(t.event, t.event.c.connection == "register")] == ["p1"]


def test_only_the_owner_is_asked_once_by_calls_and_polls_together(mail, asked):
    shop = mail(NotConnected("revoked"))
    shop.later(minutes=5)

    with shop.store.write() as session:
        reconnect.pause(session, "mailbox", NotConnected("refused"), shop.clock.now())
    assert len(shop.asked(kind="reconnect")) == 1


@pytest.mark.parametrize("odd", [Polled((letter("b"),), None), (letter("b"),), None])
def test_an_answer_without_a_place_to_go_on_from_is_not_taken_and_nothing_is_passed_over(mail, asked, odd):
    shop = mail(lambda _: odd, polled("2", "a", "b"))
    shop.later(minutes=5)
    assert (state(shop)["cursor"], keys(shop)) == ("1", [])
    assert "the connector failed on it" in state(shop)["reason"]
    shop.later(minutes=5)
    assert (asked.mailbox.asked, keys(shop)) == ([None, "1", "1"], ["a", "b"])


def set_right(shop):
    """The machine's clock was 400 days ahead."""
    shop.clock._now -= timedelta(days=400)
    shop.turns()


def test_a_clock_that_was_far_ahead_and_is_set_right_does_not_silence_a_poll(mail, asked):
    shop = mail(polled("2", "a"), polled("3", "b"), polled("4"))
    shop.later(days=400)
    assert keys(shop) == ["a"]
    set_right(shop)
    assert keys(shop) == ["a", "b"]
    assert state(shop)["next_at"] - shop.clock.now() == timedelta(minutes=5)


def test_after_a_clock_that_was_far_ahead_a_list_is_asked_for_of_a_time_that_was(listed, asked):
    shop = listed()
    shop.later(days=400)
    set_right(shop)
    assert asked.register.asked[-1] <= shop.clock.now()
    shop.later(hours=1)
    assert len(asked.register.asked) == 3


def test_what_a_service_did_not_know_at_first_and_lists_later_is_believed(listed, asked):
    shop = listed()
    with shop.store.write() as session:
        forged = json.dumps({"id": "p1", "이름": "거짓말", "연락처": "010-6666-6666"}).encode()
        event = emit(session, "register", "p1", "payment.paid", shop.clock.now(), forged)
        other = emit(session, "register", "p2", "payment.paid", shop.clock.now(), forged)
        change(session, t.event, event, state="quarantined", reason=f"{UNCONFIRMED}the service knows nothing of it")
        change(session, t.event, other, state="discarded", reason="by han: a try")
    asked.register.listed = (paid("p1"), paid("p2"))
    for _ in range(3):
        shop.later(hours=1)
    (case,) = shop.all(t.case)
    assert case["event_id"] == event
    assert "거짓말" not in shop.all(t.private_case)[0]["data"]
    assert [row["state"] for row in shop.all(t.event, t.event.c.connection == "register")] == ["decided", "discarded"]


def test_a_long_list_is_kept_in_pieces_and_a_kill_in_between_loses_nothing_of_it(mail, asked):
    many = [letter(f"k{number}", phone="010-1234-5678") for number in range(1_200)]
    shop = mail(Polled(tuple(many), "2"), Polled(tuple(many), "2"), polled("3"))
    shop.clock.set(shop.clock.now() + timedelta(minutes=5))
    seen = [0]
    for _ in range(2):  # one asks, the next one takes the first piece
        shop.engine.turn()
        seen.append(len(keys(shop)))
    assert (seen[-1], state(shop)["cursor"], len(asked.mailbox.asked)) == (AT_ONCE, "1", 2)
    ask_too(shop)
    while state(shop)["cursor"] == "1":
        before = len(keys(shop))
        shop.engine.turn()
        assert len(keys(shop)) - before <= AT_ONCE
    assert (sorted(keys(shop)), state(shop)["cursor"]) == (sorted(one.key for one in many), "2")
    assert asked.mailbox.asked == [None, "1", "1"]
