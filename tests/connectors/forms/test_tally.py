"""Tally: only what is signed is believed, and an answer is what the customer read on the form.

The signatures are made by `openssl`; they are not verified against the vendor.
"""

import base64
import copy
import json
import subprocess

import pytest

from connectors.errors import Forged, NotConnected, Odd
from connectors.forms.tally import Tally
from tests.connectors.samples import tally as sample

VARIABLE = "DIGILOG_CONNECTIONS__TRIAL_FORM__SIGNING_SECRETS"
SECRET = sample.SECRETS["signing_secrets"]
RAW = sample.EVENTS[0][1]


def form(secrets=SECRET):
    return Tally.connect("trial-form", {}, environ={VARIABLE: secrets})


def by_openssl(raw, secret=SECRET):
    made = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", secret, "-binary"], input=raw, capture_output=True, check=True
    )
    return {"Tally-Signature": base64.b64encode(made.stdout).decode()}


def changed(change):
    payload = copy.deepcopy(sample.PAYLOAD)
    change(payload["data"])
    return json.dumps(payload).encode()


def answers(*fields):
    return form().read("form.submitted", changed(lambda data: data.update(fields=list(fields))))


@pytest.mark.parametrize("active", [SECRET, f"another,{SECRET}"])
def test_a_submission_signed_by_an_active_secret_is_one_event_however_often_it_comes(active):
    event = form(active).receive(by_openssl(RAW), RAW)
    assert (event.name, event.key) == ("form.submitted", "2wgx4n")
    again = changed(lambda data: None).replace(b"a4cb511e", b"ffffffff")  # sent again: another eventId
    assert form().receive(by_openssl(again), again).key == event.key


@pytest.mark.parametrize(
    "headers",
    [
        {},
        by_openssl(RAW + b" "),
        by_openssl(RAW, "another"),
        {"tally-signature": "한글"},
        {"tally-signature": ""},
        {"tally-signature": "\xff"},
    ],
)
def test_what_is_not_signed_is_not_believed(headers):
    with pytest.raises(Forged):
        form().receive(headers, RAW)


def test_without_a_secret_nothing_is_received_since_the_address_alone_is_no_secret():
    with pytest.raises(NotConnected, match=VARIABLE):
        form("")


def test_answers_are_found_by_question_and_by_key_and_options_are_their_texts():
    read = form().read("form.submitted", RAW)
    assert {name: read[name] for name in ("이름", "전화번호", "희망일", "희망 시간", "지점", "불편한 곳", "통증")} == {
        "이름": "김하나",
        "전화번호": "+821033334444",
        "희망일": "2026-11-28",
        "희망 시간": "10:30",
        "지점": "합정점",
        "불편한 곳": "허리, 어깨",
        "통증": 4,
    }
    assert read["question_branch"] == "합정점"
    assert read["자세 사진"] == "https://storage.example.com/a.jpg"
    assert read["가능한 때"] == "평일: 오전\n주말: 오전, 오후"
    assert read["utm_source"] == "instagram"
    assert read["question_memo"] is None
    assert (read["form"], read["submitted_at"]) == ("VwbNEw", "2026-11-20T09:12:43.000Z")


def test_a_question_asked_twice_is_never_answered_by_the_wrong_one():
    twice = [{"key": "a", "label": "지점", "value": "합정점"}, {"key": "b", "label": "지점", "value": "망원점"}]
    assert "지점" not in answers(*twice)
    assert answers(*twice)["b"] == "망원점"
    shown_once = [{"key": "a", "label": "지점", "value": None}, {"key": "b", "label": "지점", "value": "망원점"}]
    assert answers(*shown_once)["지점"] == "망원점"


@pytest.mark.parametrize(
    "field",
    [
        {"key": "a", "label": "지점", "value": ["gone"], "options": [{"id": "x", "text": "합정점"}]},
        {"key": "a", "label": "지점", "value": [7], "options": [{"id": "x", "text": "합정점"}]},
        {"key": "a", "label": "지점", "value": ["x"], "options": [{"id": "x", "text": " "}]},
        {"key": "a", "label": "지점", "value": ["e7bfbbc6"]},
        {"key": "a", "label": "지점", "value": ["e7bfbbc6"], "options": None},
        {"key": "a", "label": "사진", "value": [{"name": "a.jpg"}]},
        "a field",
        None,
    ],
)
def test_an_answer_that_cannot_be_read_is_never_shown_as_an_id_or_a_blank(field):
    with pytest.raises(Odd):
        answers(field)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.pop("submissionId") and data.pop("responseId"),
        lambda data: data.update(submissionId=7),
        lambda data: data.update(submissionId="9" * 300),
        lambda data: data.update(submissionId=" "),
    ],
)
def test_a_submission_without_a_usable_id_goes_to_a_person(change):
    raw = changed(change)
    with pytest.raises(Odd):
        form().receive(by_openssl(raw), raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b'{"data": []}',
        b'{"eventType": "OTHER", "data": {}}',
        b"\xff",
        b'{"data": {"submissionId": "a", "fields": [{"label": "a", "value": 1e400}]}}',
        b'{"data": {"submissionId": "a", "fields": [{"label": "a", "value": NaN}]}}',
    ],
)
def test_signed_and_odd_goes_to_a_person(raw):
    with pytest.raises(Odd):
        form().receive(by_openssl(raw), raw)
    with pytest.raises(Odd):
        form().read("form.submitted", raw)
