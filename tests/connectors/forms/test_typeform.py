"""Typeform: only what is signed is believed, answers of every type are read, and what was missed is asked for.

The signatures are made by `openssl`; they are not verified against the vendor.
"""

import base64
import copy
import json
import subprocess
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.errors import Forged, NotConnected, Odd, Rejected
from connectors.forms.typeform import Typeform
from connectors.testing import scripted
from tests.connectors.samples import typeform as sample

PREFIX = "DIGILOG_CONNECTIONS__TRIAL_FORM__"
ENVIRON = {f"{PREFIX}{field.upper()}": value for field, value in sample.SECRETS.items()}
RAW = sample.EVENTS[0][1]
SINCE = datetime(2026, 11, 1, 9, tzinfo=UTC)


def form(settings=sample.SETTINGS, environ=ENVIRON):
    return Typeform.connect("trial-form", settings, environ=environ)


@contextmanager
def listing(answers):
    with scripted(sample.GOOD | answers) as typeform:
        settings = {**sample.SETTINGS, "base_url": typeform.base_url, "allow_loopback": True}
        with closing(form(settings)) as connection:
            yield typeform, connection


def by_openssl(raw, secret=sample.SECRETS["signing_secrets"]):
    made = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", secret, "-binary"], input=raw, capture_output=True, check=True
    )
    return {"Typeform-Signature": f"sha256={base64.b64encode(made.stdout).decode()}"}


def changed(change):
    payload = copy.deepcopy(sample.PAYLOAD)
    change(payload["form_response"])
    return json.dumps(payload).encode()


def answer(**one):
    raw = changed(lambda response: response.update(answers=[{"field": {"id": "JwWggjAKtOkA", "ref": "name"}, **one}]))
    return form().read("form.submitted", raw)["이름"]


def test_a_signed_response_is_believed_and_known_by_its_token():
    event = form().receive(by_openssl(RAW), RAW)
    assert (event.name, event.key) == ("form.submitted", "a3a12ec67a1365927098a606107fac15")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        by_openssl(RAW + b" "),
        by_openssl(RAW, "another"),
        {"typeform-signature": by_openssl(RAW)["Typeform-Signature"].removeprefix("sha256=")},
        {"typeform-signature": "sha256="},
    ],
)
def test_what_is_not_signed_is_not_believed(headers):
    with pytest.raises(Forged):
        form().receive(headers, RAW)


def test_answers_of_every_type_are_found_by_question_and_by_ref():
    read = form().read("form.submitted", RAW)
    assert {title: read[title] for title in ("이름", "전화번호", "이메일", "희망일", "지점", "불편한 곳", "동의")} == {
        "이름": "김하나",
        "전화번호": "+821033334444",
        "이메일": "hana@example.com",
        "희망일": "2026-11-28",
        "지점": "합정점",
        "불편한 곳": "허리, 어깨",
        "동의": True,
    }
    assert read["자세 사진"] == read["photo"] == "https://api.typeform.com/responses/files/1/a.jpg"
    assert (read["times"], read["홈페이지"], read["메모"]) == (5, "https://hana.example.com", "아침이 좋아요")
    assert (read["utm_source"], read["score"]) == ("instagram", 4)
    assert (read["form"], read["submitted_at"]) == ("lT4Z3j", "2026-11-20T18:17:02Z")


@pytest.mark.parametrize(
    ("one", "said"),
    [
        ({"type": "choice", "choice": {"other": "그 밖의 것"}}, "그 밖의 것"),
        ({"type": "choices", "choices": {"labels": ["허리"], "other": "무릎"}}, "허리, 무릎"),
        ({"type": "choices", "choices": {"other": "무릎"}}, "무릎"),
        ({"type": "payment", "payment": {"amount": "30000", "last4": "4242", "success": True}}, "30000"),
        ({"type": "something_new", "something_new": "text"}, "text"),
    ],
)
def test_words_that_are_no_option_are_taken_as_written(one, said):
    assert answer(**one) == said


@pytest.mark.parametrize(
    "one", [{}, {"type": "text"}, {"type": "text", "text": None}, {"type": ["text"]}, {"field": 1}]
)
def test_an_answer_that_cannot_be_read_goes_to_a_person(one):
    with pytest.raises(Odd):
        answer(**one)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"event_type": "form_response_partial", "form_response": {}}',
                                 b'{"event_type": "form_response", "form_response": {"token": 7}}'])  # fmt: skip
def test_signed_and_odd_goes_to_a_person(raw):
    with pytest.raises(Odd):
        form().receive(by_openssl(raw), raw)


def test_what_was_missed_is_listed_with_the_key_and_the_answers_of_its_webhook():
    with listing({}) as (typeform, connection):
        (missed,) = connection.reconcile(SINCE)
        assert "체험 신청" in connection.probe()
    sent = connection.receive(by_openssl(RAW), RAW)
    assert (missed.name, missed.key) == (sent.name, sent.key)
    assert missed.raw is not None
    assert connection.read(missed.name, missed.raw) == connection.read(sent.name, RAW)
    asked = next(one for one in typeform.asked if "/responses" in one.path)
    assert parse_qs(urlsplit(asked.path).query)["since"] == ["2026-11-01T09:00:00Z"]
    assert asked.headers["authorization"] == "Bearer tfp_6b8f12"


def test_a_list_goes_on_where_its_page_ended():
    items = [{**sample.LISTED, "token": f"t{number}"} for number in range(1001)]
    pages = [(200, {"items": items[:1000]}), (200, {"items": items[1000:]})]
    with listing({"GET /forms/lT4Z3j/responses": pages}) as (typeform, connection):
        found = connection.reconcile(SINCE)
    assert [one.key for one in found] == [f"t{number}" for number in range(1001)]
    assert "before=t999" in typeform.asked[-1].path


@pytest.mark.parametrize("listed", [{"items": {}}, [], {"items": [1]}, {"items": None}])
def test_a_list_of_another_shape_is_refused(listed):
    with listing({"GET /forms/lT4Z3j/responses": (200, listed)}) as (_, connection), pytest.raises(Rejected):
        connection.reconcile(SINCE)


def test_without_a_token_nothing_is_listed_and_webhooks_still_come_in():
    connection = form({}, {f"{PREFIX}SIGNING_SECRETS": sample.SECRETS["signing_secrets"]})
    assert connection.receive(by_openssl(RAW), RAW).key
    with pytest.raises(NotConnected, match="token"):
        connection.reconcile(SINCE)
