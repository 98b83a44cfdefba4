"""The own form page: one press is one event, and nobody types twice."""

import json
import logging
import re

import pytest

from flows.store import tables as t
from tests.web.conftest import GOOD, Door

FORM = "/form/trial-form"


def key(door: Door) -> str:
    found = re.search(r'name="_key" value="([^"]+)"', door.get(FORM).text)
    assert found
    return found[1]


def test_a_double_click_is_one_event(door: Door) -> None:
    answers = {**GOOD, "_key": key(door)}
    replies = [door.post(FORM, answers) for _ in range(3)]
    assert [(one.status, one.headers["location"]) for one in replies] == [(303, f"{FORM}/thanks")] * 3
    (event,) = door.events()
    assert (event["connection"], event["key"], event["name"], event["state"]) == (
        "trial-form", answers["_key"], "form.submitted", "new",
    )  # fmt: skip
    (body,) = door.rows(t.private_event.select())
    assert json.loads(body["body"]) == GOOD
    assert "Thank you" in door.get(f"{FORM}/thanks").text


def test_answers_changed_after_sending_are_not_lost(door: Door) -> None:
    first = {**GOOD, "_key": key(door)}
    door.post(FORM, first)
    again = door.post(FORM, {**first, "kind": "b"})
    assert again.status == 409
    assert "press" in again.text.lower()
    fresh = re.search(r'name="_key" value="([^"]+)"', again.text)
    assert fresh
    assert fresh[1] != first["_key"]
    assert door.post(FORM, {**first, "kind": "b", "_key": fresh[1]}).status == 303
    assert len(door.events()) == 2


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("name", None, "is missing"),
        ("name", "   ", "is missing"),
        ("name", "\x00\x07", "is missing"),
        ("phone", "010-12", "is no phone number; write it like 010-1234-5678"),
        ("kind", "z", "choose one of a, b, c, d, e, f, g, h"),
        ("first", None, "is missing"),
        ("at", "tomorrow", "is no datetime; write it like 2026-11-28 10:00"),
        ("age", "9", "must be at least 14"),
        ("age", "1e9999", "must be at most 99"),
        ("age", "NaN", "is no whole number"),
        ("name", "x" * 10_001, "is longer than 10,000 characters"),
        ("rules", None, "needs your consent to go on"),
        ("pain", "knee", "leave it empty, or agree to “You may note where it hurts”"),
    ],
)
def test_a_wrong_answer_is_told_beside_its_field_and_the_rest_is_kept(
    house: Door, field: str, typed: str | None, said: str
) -> None:
    answers = {**GOOD, "_key": key(house), field: typed}
    reply = house.post(FORM, {name: value for name, value in answers.items() if value is not None})
    assert reply.status == 422
    assert f'<p class="error" id="e-{field}">{said}</p>' in reply.text
    assert reply.text.count('class="error"') == 1
    kept = {"name": 'value="Kim Hana"', "phone": 'value="010-1234-5678"', "kind": '<option value="a" selected>'}
    assert all(html in reply.text for name, html in kept.items() if name != field)
    assert f'value="{answers["_key"]}"' in reply.text
    assert house.events() == []


def test_refusals_are_said_in_korean(korean_door: Door) -> None:
    wrong = {**GOOD, "_key": key(korean_door), "phone": "1", "name": "", "pain": "무릎"}
    text = korean_door.post(FORM, wrong).text
    for said in ("전화번호가 아닙니다. 010-1234-5678 처럼 적어 주세요", "입력해 주세요", "항목에 동의해 주세요"):
        assert said in text
    assert '<html lang="ko">' in text
    assert "is missing" not in text


def test_each_field_has_its_label_and_the_fitting_input(door: Door) -> None:
    text = door.get(FORM).text
    for html in (
        '<label for="f-phone">Phone</label>',
        '<input type="tel" name="phone" id="f-phone"',
        '<input type="datetime-local" name="at"',
        '<input type="number" name="age" id="f-age" value="" autocomplete="off" inputmode="numeric" min="14" max="99"',
        '<select name="kind" id="f-kind" required>',
        "<legend>Is it your first class?</legend>",
        '<input type="checkbox" name="rules" id="f-rules" value="yes" required>',
        (
            '<input type="checkbox" name="health" id="f-health" value="yes"> <span>You may note where it hurts '
            '<span class="quiet">(optional)</span>'
        ),
    ):
        assert html in text
    assert "checked" not in text
    assert "<script" not in text
    assert "style=" not in text


def test_a_robot_that_fills_the_trap_is_thanked_and_forgotten(door: Door) -> None:
    reply = door.post(FORM, {**GOOD, "_key": key(door), "_homepage": "http://spam.example"})
    assert reply.status == 303
    assert door.events() == []


def test_html_in_an_answer_stays_text(door: Door) -> None:
    evil = '"><script>alert(1)</script>{{ 7*7 }}'
    text = door.post(FORM, {**GOOD, "name": evil, "_key": key(door), "phone": "1"}).text
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}" in text


def test_one_address_may_send_thirty_a_minute(door: Door) -> None:
    statuses = [door.post(FORM, {"_key": "x"}).status for _ in range(31)]
    assert statuses == [400] * 30 + [429]


@pytest.mark.parametrize(
    ("body", "type", "status"),
    [
        (b"a" * (256 * 1024 + 1), "application/x-www-form-urlencoded", 413),
        (b"name=%ff%fe", "application/x-www-form-urlencoded", 400),
        (b"name=\xea\xb9\x80", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a=1" for _ in range(400)), "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 415),
        (b"--x--", "multipart/form-data; boundary=x", 415),
        (b"", "application/x-www-form-urlencoded", 400),
    ],
)
def test_what_is_no_form_of_ours_is_refused_with_a_sentence(house: Door, body: bytes, type: str, status: int) -> None:
    reply = house.ask("POST", FORM, body, {"content-type": type})
    assert reply.status == status
    assert 'class="notice"' in reply.text
    assert house.events() == []


@pytest.mark.parametrize("name", ["later-form", "partner", "nobody", "TRIAL-FORM"])
def test_only_open_own_forms_have_a_page(house: Door, name: str) -> None:
    assert house.get(f"/form/{name}").status == 404
    assert house.post(f"/form/{name}", GOOD).status == 404


def test_customers_words_reach_no_log(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        door.post(FORM, {**GOOD, "name": "canary-7311", "_key": key(door)})
        door.post(FORM, {**GOOD, "name": "canary-7311", "_key": key(door), "phone": "canary-7311"})
        door.post(FORM, {**GOOD, "name": "canary-7311", "_key": key(door), "_homepage": "canary-7311"})
    assert "canary-7311" not in caplog.text
