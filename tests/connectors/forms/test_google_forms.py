"""Google Forms: each response comes in once, edits as edits, and nothing from before the form was connected."""

import json
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import variable_of
from connectors.errors import NotConnected, Odd, Rejected
from connectors.registry import find
from connectors.testing import scripted
from tests.connectors.samples import google_forms as sample
from tests.connectors.samples.google_forms import FORM, LIST, POLLED, WHOLE_FORM, response
from tests.peers.discovery import discovery

READER = find("google_forms").connect("form", sample.SETTINGS, environ={})


@pytest.fixture
def form(tmp_path):
    """A form of a scripted Google; what it was asked is judged by Google's own document at the end."""
    with scripted(dict(sample.GOOD)) as script:
        environ = {variable_of("form", name): value for name, value in sample.SECRETS.items()}
        settings = {**sample.SETTINGS, "base_url": script.base_url, "allow_loopback": True}
        made = find("google_forms").connect("form", settings, environ=environ, home=tmp_path)
        made.__dict__["script"] = script
        script.answers[LIST] = (200, {})
        yield made
        made.close()
        judge = discovery("forms", "v1")
        for one in script.asked:
            if one.path != "/token":
                judge.asked(one.method, one.path)


def holds(form, *responses):
    """What Google lists from now on. Held against its document."""
    page = {"responses": list(responses)} if responses else {}
    discovery("forms", "v1").answered("forms.forms.responses.list", page)
    form.__dict__["script"].answers[LIST] = (200, page)


def polls(form, cursor):
    found = form.poll(cursor)
    return [(one.name, one.key) for one in found.events], found.cursor


def asked(form):
    return [one.path for one in form.__dict__["script"].asked if one.path.startswith(LIST.removeprefix("GET "))]


def at(clock, day=22):
    return f"2026-11-{day:02d}T{clock}Z"


def test_what_was_sent_before_the_form_was_connected_does_not_come_in(form):
    holds(form, response("old", at("01:00:00")), response("late", at("02:00:00.5")))
    found, cursor = polls(form, None)
    assert found == []
    assert polls(form, cursor) == ([], cursor)
    assert "answers" not in asked(form)[0]


@pytest.mark.verifies("google_forms.poll", peer="Google's discovery document, forms v1")
def test_each_response_comes_in_once_in_the_order_in_which_it_was_sent(form):
    _, cursor = polls(form, None)
    holds(form, response("b", at("05:00:01")), response("a", at("05:00:00")))
    found, cursor = polls(form, cursor)
    assert found == [("form.submitted", "a"), ("form.submitted", "b")]
    holds(form, response("b", at("05:00:01")), response("c", at("05:00:01")), response("a", at("05:00:00")))
    assert polls(form, cursor)[0] == [("form.submitted", "c")]
    assert polls(form, cursor)[0] == [("form.submitted", "c")]  # the cursor was not kept: the key is the same


def test_what_is_listed_late_comes_in_all_the_same(form):
    _, cursor = polls(form, None)
    holds(form, response("b", at("05:00:00")))
    _, cursor = polls(form, cursor)
    holds(form, response("a", at("04:51:00")), response("b", at("05:00:00")))
    assert polls(form, cursor)[0] == [("form.submitted", "a")]
    assert "timestamp+%3E%3D+2026-11-22T04%3A50%3A00.000000Z" in asked(form)[-1]


def test_an_edited_response_comes_in_as_edited_once(form):
    _, cursor = polls(form, None)
    holds(form, response("a", at("05:00:00")))
    _, cursor = polls(form, cursor)
    for edited in ("05:03:00", "05:40:00", "23:00:00"):
        holds(form, response("a", at("05:00:00"), at(edited), name="김둘"))
        found, cursor = polls(form, cursor)
        assert found == [("form.edited", f"a@2026-11-22T{edited}.000000Z")]
        assert polls(form, cursor)[0] == []


def test_a_response_of_the_past_that_is_edited_now_is_an_edit(form):
    holds(form, response("old", at("05:00:00", day=1)))
    _, cursor = polls(form, None)
    holds(form, response("old", at("05:00:00", day=1), at("05:00:00")))
    assert polls(form, cursor)[0] == [("form.edited", "old@2026-11-22T05:00:00.000000Z")]


def test_what_was_sent_and_edited_between_two_polls_is_sent_once(form):
    holds(form, response("a", at("05:00:00")))
    _, cursor = polls(form, None)
    holds(form, response("a", at("05:00:00")), response("b", at("05:30:00"), at("05:31:00")))
    found, cursor = polls(form, cursor)
    assert found == [("form.submitted", "b")]
    assert polls(form, cursor)[0] == []


def test_a_cursor_stays_small_and_knows_its_form(form):
    _, cursor = polls(form, None)
    many = [response(f"r{at_}", at(f"0{at_ // 60}:{at_ % 60:02d}:00")) for at_ in range(300)]
    holds(form, *many)
    found, cursor = polls(form, cursor)
    assert len(found) == 300
    assert len(json.loads(cursor)["seen"]) == 2 * 11
    other = json.dumps({"form": "another-form", "at": at("00:00:00"), "seen": {}})
    found, begun = polls(form, other)
    assert (found, json.loads(begun)["form"]) == ([], sample.ID)
    assert polls(form, "what?")[0] == []


def test_all_pages_are_read(form):
    _, cursor = polls(form, None)
    pages = [{"responses": [response(one, at(f"05:00:0{one}"))], "nextPageToken": f"t{one}"} for one in "012"]
    form.__dict__["script"].answers[LIST] = [*((200, one) for one in pages), (200, {"responses": []})]
    found, _ = polls(form, cursor)
    assert [key for _, key in found] == ["0", "1", "2"]
    assert [path.partition("pageToken=")[2] for path in asked(form)[-4:]] == ["", "t0", "t1", "t2"]


def test_one_odd_response_does_not_hold_up_the_others(form):
    _, cursor = polls(form, None)
    odd = {**response("a", at("05:00:00")), "answers": "moved"}
    form.__dict__["script"].answers[LIST] = (200, {"responses": [odd, response("b", at("05:00:01"))]})
    found = form.poll(cursor)
    assert [one.key for one in found.events] == ["a", "b"]
    with pytest.raises(Odd):
        form.read("form.submitted", found.events[0].raw)
    assert form.read("form.submitted", found.events[1].raw)["이름"] == "김하나"


def test_a_list_that_cannot_be_read_is_refused_and_nothing_is_skipped(form):
    for page in ({"responses": [{"responseId": "a"}]}, {"responses": {}}, []):
        form.__dict__["script"].answers[LIST] = (200, page)
        with pytest.raises(Rejected):
            form.poll(None)
    form.__dict__["script"].answers[LIST] = (404, {})
    with pytest.raises(NotConnected, match="share it with"):
        form.poll(None)


def test_answers_are_found_by_question_and_by_id():
    assert READER.read("form.submitted", POLLED[0]) == {
        "1a2b3c4d": "김하나",
        "2b3c4d5e": "010-1234-5678",
        "3c4d5e6f": "기구, 매트",
        "4d5e6f70": "https://drive.google.com/open?id=1UpLoAdEdFiLe",
        "5e6f7081": "오전",
        "6f708192": None,
        "이름": "김하나",
        "연락처": "010-1234-5678",
        "관심 있는 수업": "기구, 매트",
        "처방전 사진": "https://drive.google.com/open?id=1UpLoAdEdFiLe",
        "가능한 시간 [월요일]": "오전",
        "form": sample.ID,
        "submitted_at": "2026-11-22T05:31:49.123456Z",
        "respondent_email": "hana@example.com",
    }


def test_the_questions_are_those_of_the_form_as_it_is_asked_now(form):
    discovery("forms", "v1").answered("forms.forms.get", WHOLE_FORM)
    assert form.probe() == "the form 체험 수업 신청 asks 6 questions"
    _, cursor = polls(form, None)
    holds(form, response("a", at("05:00:00")))
    form.__dict__["script"].answers[FORM] = (200, {**WHOLE_FORM, "items": [sample.question("1a2b3c4d", "성함")]})
    (event,) = form.poll(cursor).events
    assert form.read(event.name, event.raw)["성함"] == "김하나"
    assert json.loads(event.raw) == event.payload


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("https://docs.google.com/forms/d/e/1FAIpQLSsample_sample/viewform", "open the form to edit it"),
        ("체험 신청", "form"),
    ],
)
def test_an_address_that_is_not_the_owners_is_told(given, words):
    (wrong,) = find("google_forms").check_settings({"form": given})
    assert words in wrong


def test_the_address_of_the_form_will_do():
    address = f"https://docs.google.com/forms/d/{sample.ID}/edit"
    made = find("google_forms").connect("form", {"form": address}, environ={})
    assert (made.form, made.every_so_often) == (sample.ID, timedelta(minutes=1))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["form", "titles", "response"]), JSON))
def test_whatever_was_kept_is_read_or_odd(kept):
    with suppress(Odd):
        assert isinstance(READER.read("form.submitted", json.dumps(kept).encode()), dict)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 40), st.integers(0, 40)), max_size=12))
def test_in_whatever_order_people_send_and_edit_each_is_told_once(history):
    """A model of Google: a list of responses with times; a poll after each change, some with nothing new."""
    form = Listed()
    cursor = form.poll(None).cursor
    told, minute = [], 0
    for id, wait, more in history:
        minute += wait + 1
        form.put(id, minute)
        if more % 3:
            found = form.poll(cursor)
            cursor, told = found.cursor, [*told, *found.events]
    told += form.poll(cursor).events
    sent = [one.key for one in told if one.name == "form.submitted"]
    assert sorted(sent) == sorted(form.kept)
    assert len({one.key for one in told}) == len(told)
    for id, (_, last) in form.kept.items():
        newest = [one for one in told if one.payload["response"]["responseId"] == id][-1]
        assert newest.payload["response"]["lastSubmittedTime"] == last


class Listed(type(READER)):
    """The connector over a list instead of calls."""

    def __init__(self):
        super().__init__(form=sample.ID)
        self.__dict__["kept"] = {}

    def put(self, id, minute):
        when = (datetime.fromisoformat("2026-11-22T00:00:00+00:00") + timedelta(minutes=minute)).isoformat()
        self.__dict__["kept"][id] = (self.__dict__["kept"].get(id, (when, ""))[0], when)

    def _listed(self, since, fields=None):
        for id, (sent, last) in self.__dict__["kept"].items():
            if datetime.fromisoformat(last) >= since:
                yield response(id, sent, last)

    def _form(self):
        return type("Form", (), {"questions": {}})
