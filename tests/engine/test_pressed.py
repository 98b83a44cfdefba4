"""A button under a notice does an assignment that asks nothing: once, by whom it was pressed, if it is ours."""

import json

import pytest

from flows.people.links import Links
from flows.store import tables as t
from flows.store.write import emit

HAN = "U0HAN1"


@pytest.fixture
def team(shop):
    people = shop.files["company"]["people"]
    shop.files["company"]["people"] = {**people, "han": {**people["han"], "slack": HAN}}

    def begun(**step):
        shop.open([shop.person("call", **step)])
        shop.asks()
        shop.turns()
        return shop

    return begun


def presses(shop, value=None, by=HAN, key="b1"):
    (asked,) = shop.asked(kind="step") or [{"id": "gone", "opened_at": shop.clock.now()}]
    value = shop.world.links.done(asked["id"], asked["opened_at"]) if value is None else value
    body = {"value": value, "by": by, "channel": "C1", "message": "1.1"}
    with shop.store.write() as session:
        emit(session, "form", key, "button.pressed", shop.clock.now(), json.dumps(body).encode())
    shop.turns()
    return shop.all(t.event, t.event.c.key == key)[0]


def test_who_presses_the_button_has_done_it_and_the_case_goes_on(team):
    shop = team()
    (asked,) = shop.asked()
    event = presses(shop)
    row = shop.all(t.assignment, t.assignment.c.id == asked["id"])[0]
    assert (row["state"], row["done_by"], shop.case()["outcome"]) == ("done", "han", "done")
    assert (event["state"], event["reason"]) == ("decided", f"assignment {asked['id']} was done by han")


def test_a_second_press_does_nothing_and_says_who_was_first(team):
    shop = team()
    (asked,) = shop.asked()
    value = shop.world.links.done(asked["id"], asked["opened_at"])
    presses(shop, value)
    event = presses(shop, value, key="b2")
    assert event["reason"] == "already done by han; thank you all the same"


@pytest.mark.parametrize(
    ("step", "pressed", "why"),
    [
        ({}, {"by": "U0STRANGER"}, "nobody of company.yaml has the Slack id of who pressed"),
        ({}, {"by": None}, "nobody of company.yaml has the Slack id of who pressed"),
        ({}, {"value": "done:made-up"}, "the button is too old, or was not made here"),
        ({}, {"value": "done:"}, "the button is too old, or was not made here"),
        ({"form": {"how": {"type": "text", "label": "어땠나"}}}, {}, "the assignment asks for answers"),
        ({"checklist": ["문을 닫았다"]}, {}, "the assignment asks for answers"),
    ],
)
def test_what_a_button_cannot_do_it_says(team, step, pressed, why):
    shop = team(**step)
    event = presses(shop, **pressed)
    assert event["state"] == "decided"
    assert event["reason"].startswith(why)
    assert len(shop.asked()) == 1


def test_a_button_of_two_weeks_ago_does_nothing(team):
    shop = team()
    (asked,) = shop.asked()
    value = shop.world.links.done(asked["id"], asked["opened_at"])
    shop.later(days=15)
    assert presses(shop, value)["reason"].startswith("the button is too old")


def test_another_button_is_an_event_like_any_other(team):
    shop = team()
    assert presses(shop, "yes")["reason"] == "no playbook starts by this event; check `start:` of the playbooks"


@pytest.fixture
def slack(team, shop):
    """Notices go to Slack; its calls are written down."""
    shop.connect("chat", connector="slack", channel="C0ONE")
    shop.files["company"]["mediums"] = {**shop.files["company"]["mediums"], "team": "chat"}

    def begun(address="https://studio.example", **step):
        shop.open([shop.person("call", **step)])
        shop.world.links = Links(address, b"key")
        shop.asks()
        shop.turns()
        row = shop.all(t.effect, t.effect.c.connection == "chat")[0]
        return json.loads(shop.all(t.private_effect, t.private_effect.c.effect_id == row["id"])[0]["arguments"])

    return begun


def test_a_notice_in_slack_has_a_button_for_the_page_and_one_that_says_done(slack, shop):
    sent = slack()
    assert sent["link"].startswith("https://studio.example/work/")
    assert (sent["link_label"], sent["done_label"]) == ("여기서 처리", "다 했음")
    assert "https://" not in sent["text"]
    presses(shop, sent["done"])
    assert shop.case()["outcome"] == "done"


def test_what_asks_for_answers_has_no_button_that_says_done(slack):
    assert "done" not in slack(checklist=["문을 닫았다"])


def test_without_an_address_of_its_own_the_link_stays_in_the_text(slack):
    sent = slack("http://127.0.0.1:4080")
    assert "link" not in sent
    assert "http://127.0.0.1:4080/work/" in sent["text"]
