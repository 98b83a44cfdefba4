"""Events that nobody signs: nothing comes of them before the service itself was asked, and no forgery comes through."""

import json

import pytest

from connectors.errors import NotConnected, Rejected, Unavailable
from flows.cli import cases
from flows.cli.app import Where
from flows.engine import starting
from flows.store import tables as t
from flows.store.write import emit
from tests.engine.conftest import ask_too

CALL = {"id": "call", "do": "전화한다", "by": "manager", "by_hand": "3m", "expect": "되어 있다"}
TRUE = {"이름": "김하나", "연락처": "010-1234-5678", "amount": "15000", "state": "paid"}


@pytest.fixture
def knock(begin):
    shop = begin("knock", [CALL], start={"event": "payment.paid", "connection": "knock"}, overlap="parallel")
    shop.turns()
    return shop


def knocks(shop, *ids):
    """Webhooks as the inbox keeps them: they say what they like."""
    with shop.store.write() as session:
        for id in ids:
            raw = json.dumps({"id": id, "이름": "거짓말", "연락처": "010-6666-6666", "amount": "1"}).encode()
            emit(session, "knock", id, "payment.paid", shop.clock.now(), raw, unconfirmed=True)


def state(shop):
    return {row["what"]: row for row in shop.all(t.asking)}


def states(shop):
    return [row["state"] for row in shop.all(t.event, t.event.c.connection == "knock")]


def test_the_answer_of_the_service_is_believed_and_not_the_webhook(knock, asked):
    asked.knock.truth["p1"] = TRUE
    knocks(knock, "p1")
    knock.turns()
    (case,) = knock.all(t.case)
    assert "김하나" in knock.all(t.private_case)[0]["data"]
    assert b"\\uae40" in knock.all(t.private_event)[0]["body"]
    (event, _) = knock.all(t.event)
    assert (event["state"], event["confirmed_at"], case["event_id"]) == ("decided", knock.clock.now(), event["id"])
    assert asked.knock.asked == ["p1"]


@pytest.mark.parametrize(
    ("truth", "why"),
    [
        (None, "it is not confirmed: the service knows nothing of it"),
        (Rejected("no such payment"), "it is not confirmed: no such payment"),
        (KeyError("secret words"), "it is not confirmed: the connector failed on it (KeyError)"),
    ],
)
def test_what_the_service_does_not_know_is_shown_and_nothing_comes_of_it(knock, asked, truth, why):
    asked.knock.truth |= {"forged": truth, "p1": TRUE}
    knocks(knock, "forged", "p1")
    knock.turns()
    assert states(knock) == ["quarantined", "decided"]
    assert knock.all(t.event)[0]["reason"] == why
    assert len(knock.all(t.case)) == 1


def test_a_forgery_that_is_replayed_is_asked_about_again(knock, asked):
    knocks(knock, "forged")
    knock.turns()
    with knock.store.write() as session:
        begun = starting.replay(session, knock.world, 1, "han")
    assert begun.opened == ()
    assert begun.reason == "the service is asked once more whether it is so; see: digilog events --all"
    assert states(knock) == ["unconfirmed"]
    knock.turns()
    assert states(knock) == ["quarantined"]
    assert knock.all(t.case) == []
    asked.knock.truth["forged"] = TRUE
    with knock.store.write() as session:
        starting.replay(session, knock.world, 1, "han")
    knock.turns()
    assert len(knock.all(t.case)) == 1


def test_while_the_service_is_away_all_wait_and_then_come_in_their_order(knock, asked):
    asked.knock.truth |= {f"p{one}": Unavailable("away") for one in range(5)}
    knocks(knock, *asked.knock.truth)
    knock.turns()
    assert (asked.knock.asked[0], len(asked.knock.asked)) == ("p0", 2)  # two in a row: nobody is there
    for _ in range(10):
        knock.later(minutes=1)
    assert len(asked.knock.asked) < 30
    assert (set(states(knock)), state(knock)["confirm"]["reason"]) == ({"unconfirmed"}, "away")
    asked.knock.truth = dict.fromkeys(asked.knock.truth, TRUE)
    knock.later(minutes=7)
    assert states(knock) == ["decided"] * 5
    assert asked.knock.asked[-5:] == ["p0", "p1", "p2", "p3", "p4"]


def test_one_that_cannot_be_asked_holds_up_nobody_else_and_goes_to_a_person_at_last(knock, asked):
    asked.knock.truth |= {"odd": Unavailable("fails"), "p1": TRUE, "p2": TRUE}
    knocks(knock, "odd", "p1")
    knock.turns()
    assert states(knock) == ["unconfirmed", "decided"]
    knocks(knock, "p2")
    knock.turns()
    assert states(knock)[-1] == "decided"
    for _ in range(400):
        knock.later(minutes=5)
        if states(knock)[0] != "unconfirmed":
            break
        knocks(knock, "p1")
    row = knock.all(t.event)[0]
    assert row["state"] == "unconfirmed"  # alone, it is the service that is away
    asked.knock.truth["p3"] = TRUE
    knocks(knock, "p3")
    knock.later(minutes=8)
    row = knock.all(t.event)[0]
    assert (row["state"], row["reason"]) == (
        "quarantined", "it is not confirmed: fails; given up after long trying",
    )  # fmt: skip
    assert set(state(knock)) == {"confirm"}


def test_two_that_the_service_fails_on_do_not_keep_all_others_waiting(knock, asked):
    asked.knock.truth |= {f"odd{one}": Unavailable("fails") for one in range(2)}
    asked.knock.truth |= {f"p{one}": TRUE for one in range(5)}
    knocks(knock, *asked.knock.truth)
    for _ in range(6):
        knock.later(minutes=6)
    assert states(knock) == ["unconfirmed"] * 2 + ["decided"] * 5


def test_an_answer_that_is_no_body_sets_aside_its_own_event_and_no_other(knock, asked, monkeypatch):
    asked.knock.truth["p1"] = TRUE
    knocks(knock, "odd", "p1")
    right = type(knock.world.connection("knock")).confirm
    monkeypatch.setattr(
        type(knock.world.connection("knock")), "confirm", lambda *one: "text" if b"odd" in one[2] else right(*one)
    )
    knock.turns()
    assert states(knock) == ["quarantined", "decided"]


def test_a_refused_credential_is_told_once_and_all_go_on_when_it_is_set_right(knock, asked):
    asked.knock.truth |= {"p1": NotConnected("no key"), "p2": NotConnected("no key")}
    knocks(knock, "p1", "p2")
    for _ in range(4):
        knock.later(minutes=31)
    (told,) = knock.asked(kind="reconnect")
    asked.knock.truth = {"p1": TRUE, "p2": TRUE}
    knock.does(told, who="han")
    assert states(knock) == ["decided"] * 2
    assert knock.asked(kind="reconnect") == []


def test_an_engine_that_dies_while_it_asks_loses_nothing(knock, asked):
    asked.knock.truth["p1"] = TRUE
    knock.asking.dead = True
    knocks(knock, "p1")
    knock.turns()
    assert states(knock) == ["unconfirmed"]
    ask_too(knock)
    knock.turns()
    assert states(knock) == ["decided"]
    assert len(knock.all(t.case)) == 1


def test_a_burst_is_asked_about_one_after_another_within_the_rate(knock, asked):
    knock.files["company"]["connections"]["knock"]["rate"] = "10/1m"
    knock.write_files()
    knock.load()
    asked.knock.truth |= {f"p{one}": TRUE for one in range(30)}
    knocks(knock, *asked.knock.truth)
    knock.turns()
    assert len(asked.knock.asked) == 10
    knock.later(minutes=1)
    knock.later(minutes=1)
    assert asked.knock.asked == list(asked.knock.truth)
    assert states(knock) == ["decided"] * 30


def test_what_waits_to_be_confirmed_is_listed_with_the_reason(knock, asked, capsys, monkeypatch):
    asked.knock.truth["p1"] = Unavailable("the till is away")
    knocks(knock, "p1")
    knock.turns()
    monkeypatch.setenv("DIGILOG_HOME", str(knock.home))
    monkeypatch.setenv("DIGILOG_PLAYBOOKS", str(knock.folder))
    cases.events(where=Where())
    said = capsys.readouterr().out
    assert "unconfirmed" in said
    assert "the till is away" in " ".join(said.split())
