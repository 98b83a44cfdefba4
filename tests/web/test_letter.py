"""A message that is sent by hand, or let go: its page and the terminal show the words, to whom and by what."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest

from flows.cli import work
from flows.cli.app import Where
from flows.playbook.check import check
from flows.store import data
from flows.store import tables as t
from flows.store.write import open_assignment
from tests.web.conftest import GOOD, Door, open_door
from tests.web.test_form import FORM, key

HOSTILE = "</textarea><script>alert(1)</script>{{ 7 * 7 }} #{kind} \x1b[31m"
ASKED = '<textarea readonly aria-label="Text to copy" rows="4">\n'
MESSAGES = """
hello:
  medium: alimtalk
  purpose: info
  fallback: sms
  text: |-
    #{who}님, 반갑습니다.
    Class #{kind} · 합정점
mail:
  medium: email
  purpose: info
  subject: "For #{who}"
  text: "Come back, #{who}"
"""
TRIAL = """
playbook: trial
title: Trial class
state: {state}
machine_in_trial: {trial}
system: customer
stage: apply
owner: manager
purpose: Whoever asks for a trial class hears from us the same day.
scenario: {{s1: asks for a class}}
start: {{event: form.submitted, connection: trial-form}}
fields:
  name:   {{type: text, label: Your name}}
  phone:  {{type: phone, label: Phone}}
  kind:   {{type: choice, label: Class, choices: [a, b]}}
  age:    {{type: integer, label: Age, required: no}}
case: phone
overlap: parallel
steps:
  - id: greet
    do: Send the greeting
    by: {by}
    use: message.send
    with: {{message: {message}, values: {values}}}
    fallback: {{by: manager, do: Greet by phone}}
    serves: [s1]
    expect: greeted
    by_hand: 1m
"""
HELLO = '{who: "{{ name }}", kind: "{{ kind }}"}'


def write(folder: Path, by: str = "manager", state: str = "operate", message: str = "hello", **more: str) -> None:
    values = more.get("values", HELLO)
    text = TRIAL.format(by=by, state=state, message=message, values=values, trial=more.get("trial", "shadow"))
    (folder / "trial.yaml").write_text(text, "utf-8")
    (folder / "messages.yaml").write_text(MESSAGES, "utf-8")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Door]:
    with open_door(tmp_path) as found:
        yield found


def arrive(door: Door, name: str = "Kim Hana", **how: str) -> str:
    """A customer asks, under a playbook written so; the page of the work that came of it."""
    folder = door.home.parent / "company"
    write(folder, **how)
    checked = check(folder)
    assert checked.book, checked.problems
    door.context.world.book = checked.book
    fields = {"name": name, "phone": GOOD["phone"], "kind": "a", "_key": key(door)}
    assert door.post(FORM, fields).status == 303
    door.work()
    return door.get(door.link(door.open_work())).text


def shown(page: str) -> str:
    """What stands in the textarea, as a browser reads it."""
    found = re.search(r"<textarea readonly[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    return unescape(found[1]) if found else ""


@pytest.mark.parametrize(
    ("how", "heading"),
    [
        ({}, "The message to send"),
        ({"by": "machine", "state": "trial"}, "The message to send"),
        ({"by": "machine", "state": "trial", "trial": "confirm"}, "The message that leaves if you say yes"),
    ],
)
def test_a_message_to_send_by_hand_or_to_let_go_stands_on_the_page(
    shop: Door, how: dict[str, str], heading: str
) -> None:
    page = arrive(shop, **how)
    assert f"<h2>{heading}</h2>" in page
    assert ASKED + "Kim Hana님, 반갑습니다.\nClass a · 합정점</textarea>" in page
    for label, value in (("For", "Kim Hana"), ("Phone", "010-1234-5678"), ("By", "Alimtalk")):
        assert page.count(f"<dt>{label}</dt><dd>{value}</dd>") == 1


def test_what_a_customer_wrote_into_a_message_stays_text(shop: Door) -> None:
    page = arrive(shop, name=HOSTILE)
    assert "<script" not in page
    assert "{{ 7 * 7 }} #{kind}" in shown(page)  # filled once, never read again
    assert shown(page).startswith("</textarea><script>")


def test_without_an_address_the_page_says_so_and_still_shows_the_words(shop: Door) -> None:
    page = arrive(shop, message="mail", values='{who: "{{ name }}"}')
    assert '<p class="notice">No e-mail address of the customer is known.</p>' in page
    assert "<dt>Subject</dt><dd>For Kim Hana</dd>" in page
    assert "<dt>Phone</dt><dd>010-1234-5678</dd>" in page
    assert shown(page) == "Come back, Kim Hana"


def test_a_text_that_cannot_be_filled_says_which_value_is_missing(shop: Door) -> None:
    arrive(shop)
    path, book = shop.link(shop.open_work()), shop.context.world.book
    hello = book.messages["hello"]
    for messages, says in (
        ({"hello": hello.model_copy(update={"text": "#{who} at #{hour}"})}, "cannot be filled in: hour has no value."),
        ({"hello": hello.model_copy(update={"purpose": "ad"})}, "This is an advert: send it only to who agreed"),
        ({}, "hello: there is no such message; add it to messages.yaml"),
    ):
        shop.context.world.book = replace(book, messages=messages)
        assert says in shop.get(path).text
    shop.context.world.book = book
    with shop.store.write() as session:
        content = {"fields": {"name": "Kim Hana", "phone": "+821098765432"}, "results": {}}
        session.execute(t.private_case.update().values(data=data.dump(content)))
    page = shop.get(path)
    assert (page.status, shown(page.text)) == (200, "")
    assert "The text cannot be filled in: kind has no value." in page.text
    assert "<dd>010-9876-5432</dd>" in page.text  # as this case holds it


def test_what_the_machine_sends_goes_to_the_number_that_the_page_shows(shop: Door) -> None:
    arrive(shop, by="machine", state="trial", trial="confirm")
    with shop.store.write() as session:
        content = {"fields": {"name": "Kim Hana", "phone": "+821098765432", "kind": "a"}, "results": {}}
        session.execute(t.private_case.update().values(data=data.dump(content)))
    assert "<dd>010-1234-5678</dd>" in shop.get(shop.link(shop.open_work())).text


def test_a_doubt_and_closed_work_show_no_message_to_send(shop: Door) -> None:
    arrive(shop)
    (case,) = shop.rows(t.case.select())
    with shop.store.write() as session:
        told = {"kind": "doubt", "case_id": case["id"], "playbook": "trial", "step": "greet", "role": "manager"}
        id = open_assignment(session, datetime.now(UTC), **told)
        session.execute(t.assignment.update().where(t.assignment.c.id != id).values(state="done"))
    for row in shop.rows(t.assignment.select()):
        assert "Class a" not in shop.get(shop.link(row)).text


def test_the_terminal_shows_the_same_in_the_companys_language(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_door(tmp_path, "ko") as door:
        page = arrive(door, name=HOSTILE)
        assert '<textarea readonly aria-label="복사할 글"' in page
        id = door.open_work()["id"]
        capsys.readouterr()
        work.show(id, where=Where(home=door.home, playbooks=tmp_path / "company"))
    said = capsys.readouterr().out
    for line in (
        "보낼 메시지",
        "연락처: 010-1234-5678",
        "보내는 방법: 알림톡",
        "Class a · 합정점",
        "할 일 · 담당: yoon · 마감: -",
    ):
        assert f"{line}\n" in said or line in said
    assert "\x1b" not in said
    assert "</textarea><script>alert(1)</script>{{ 7 * 7 }} #{kind}" in said
