"""What people see and do: their work, a case's story, and each act with its reason and its name in the audit."""

import re

import pytest
from sqlalchemy import select, update

from flows.store import tables as t
from flows.store.write import make_effect, open_assignment
from flows.web.board import words
from flows.web.board.cases import SHOWN
from tests.web.board.conftest import Board

HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'; DROP TABLE party; --", "{{ 7919 * 7907 }}",
    '=HYPERLINK("http://evil")', "<!channel> @here", "\u202egnp.exe", "가" * 9_999, "</textarea><b>",
]  # fmt: skip


def test_today_shows_what_is_open_with_its_customer_and_whose_it_is(board: Board) -> None:
    row = board.submit()
    text = board.viewer.get("/").text
    assert f'href="/assignments/{row["id"]}"' in text
    assert "Agree on a time" in text
    assert "Kim Hana" in text
    assert "1 to do" in text
    assert "1 new cases began." in text


def test_an_empty_board_says_what_will_appear(board: Board) -> None:
    visitor = board.viewer
    assert "what people are to do appears here" in visitor.get("/").text
    assert "One appears when a customer sends a form" in visitor.get("/cases").text


def test_an_assignment_is_finished_by_whoever_is_logged_in(board: Board) -> None:
    row, visitor = board.submit(), board.admin
    page = visitor.get(f"/assignments/{row['id']}").text
    assert "Kim Hana" in page
    assert "Did it go as written?" in page
    wrong = visitor.post(f"/assignments/{row['id']}", {"_press": "done", "_minutes": "a lot", "class_at": ""})
    assert wrong.status == 422
    assert "whole minutes" in wrong.text
    answers = {
        "_press": "done", "class_at": "2026-12-01T10:00", "_ticked": ["0", "1"], "_minutes": "6", "_as_written": "no",
        "_note": "asked for the door code",
    }  # fmt: skip
    done = visitor.post(f"/assignments/{row['id']}", answers)
    assert (done.status, done.headers["location"]) == (303, "/?told=done")
    kept = board.door.rows(select(t.assignment).where(t.assignment.c.id == row["id"]))[0]
    assert (kept["state"], kept["done_by"], kept["minutes"], kept["as_written"]) == ("done", "han", 6, False)
    audited = board.door.rows(select(t.audit).where(t.audit.c.subject == row["id"]))[-1]
    assert [audited[name] for name in ("who", "what", "before", "after")] == ["han", "done", "open", "done"]


def test_who_presses_second_is_told_kindly_who_was_first(board: Board) -> None:
    row = board.submit()
    answers = {"_press": "done", "class_at": "2026-12-01T10:00", "_ticked": ["0", "1"]}
    assert board.actor.post(f"/assignments/{row['id']}", answers).status == 303
    late = board.admin.post(f"/assignments/{row['id']}", answers)
    assert late.status == 409
    assert "Already done by Yoon; thank you all the same." in late.text
    assert "Somebody was quicker" in late.text


def test_work_is_skipped_or_handed_over_with_a_reason(board: Board) -> None:
    row, visitor = board.submit(), board.actor
    address = f"/assignments/{row['id']}"
    assert visitor.post(address, {"_press": "hand", "_to": "yoon", "_reason": ""}).status == 422
    assert visitor.post(address, {"_press": "hand", "_to": "nobody", "_reason": "x"}).status == 422
    assert visitor.post(address, {"_press": "hand", "_to": "so", "_reason": "I am out"}).status == 303
    assert visitor.post(address, {"_press": "hand", "_to": "so", "_reason": "I am out"}).status == 409  # pressed twice
    handed = board.door.rows(select(t.audit).where(t.audit.c.subject == row["id"]))[-1]
    assert [handed[name] for name in ("who", "what", "after", "reason")] == ["yoon", "hand over", "so", "I am out"]
    told = board.door.rows(select(t.effect).where(t.effect.c.assignment_id == row["id"]).order_by(t.effect.c.id))
    assert ["/handed/" in one["key"] for one in told].count(True) == 1
    assert visitor.post(address, {"_press": "skip", "_reason": "why not"}).status == 409  # later steps need its answer


def test_a_viewer_sees_everything_and_can_press_nothing(board: Board) -> None:
    row, visitor = board.submit(), board.viewer
    case = visitor.get(f"/cases/{row['case_id']}").text
    assert "Kim Hana" in case
    assert f'action="/cases/{row["case_id"]}"' not in case
    assert visitor.post(f"/cases/{row['case_id']}", {"_press": "hold", "reason": "x"}).status == 403


def test_a_case_tells_its_whole_story(board: Board) -> None:
    row = board.submit()
    text = board.viewer.get(f"/cases/{row['case_id']}").text
    for word in ("Came in: trial-form", "The case began", "Given to a person", "Agree on a time", "010-1234-5678"):
        assert word in text, word


def test_why_a_message_was_not_sent_stands_in_the_story(korean_board: Board) -> None:
    row = korean_board.submit()
    with korean_board.door.store.write() as session:
        effect = make_effect(
            session, row["opened_at"], {"to": "+821012345678", "text": "안녕하세요"}, key=f"{row['case_id']}/greet",
            case_id=row["case_id"], step="greet", connection="sms", action="send", effect_class="once", message="hello",
        )  # fmt: skip
        failed = {"state": "failed", "reason": "the service refused (400)", "ended_at": row["opened_at"]}
        session.execute(update(t.effect).where(t.effect.c.id == effect).values(**failed))
    text = korean_board.viewer.get(f"/cases/{row['case_id']}").text
    assert "메시지: 보내지 못함" in text
    assert "서비스가 거절했습니다 (400)" in text
    assert "안녕하세요" in text


@pytest.mark.parametrize("act", ["hold", "stop"])
def test_an_act_takes_a_reason_and_names_who_did_it(board: Board, act: str) -> None:
    case, visitor = board.submit()["case_id"], board.actor
    outcome = {"outcome": "lost"}
    empty = visitor.post(f"/cases/{case}", {"_press": act, "reason": " ", **outcome})
    assert empty.status == 422
    assert "say in a few words why" in empty.text
    done = visitor.post(f"/cases/{case}", {"_press": act, "reason": "she is abroad", **outcome})
    assert (done.status, done.headers["location"]) == (303, f"/cases/{case}?told={act}")
    audited = board.door.rows(select(t.audit).where(t.audit.c.subject == case))[-1]
    assert (audited["who"], audited["what"], audited["reason"]) == ("yoon", act, "she is abroad")
    assert audited["before"]
    assert audited["after"].startswith("held" if act == "hold" else "ended")


def test_a_held_case_is_resumed_and_a_failed_one_tried_again(board: Board) -> None:
    case, visitor = board.submit()["case_id"], board.actor
    address = f"/cases/{case}"
    refused = visitor.post(address, {"_press": "resume", "reason": "x"})
    assert refused.status == 409
    assert "not held any more" in refused.text
    visitor.post(address, {"_press": "hold", "reason": "x"})
    assert visitor.post(address, {"_press": "resume", "reason": "she is back"}).status == 303
    with board.door.store.write() as session:
        session.execute(update(t.case).values(status="parked", failed=True))
        session.execute(update(t.assignment).values(state="withdrawn"))
    assert f'href="/cases/{case}"' in visitor.get("/").text  # among the cases that failed
    assert visitor.post(address, {"_press": "retry", "reason": "the sheet is there again"}).status == 303
    assert board.door.rows(select(t.case.c.failed)) == [{"failed": False}]
    who = board.door.rows(select(t.audit).where(t.audit.c.what == "retry"))[0]
    assert (who["who"], who["reason"]) == ("yoon", "the sheet is there again")


@pytest.mark.parametrize(("press", "state"), [("yes", "done"), ("no", "failed")])
def test_a_doubt_is_settled_from_today(board: Board, press: str, state: str) -> None:
    row, visitor = board.submit(), board.actor
    with board.door.store.write() as session:
        effect = make_effect(
            session, row["opened_at"], {"to": "a@b.example", "text": "hello there"}, key="note/1", connection="outbox",
            action="send", effect_class="once",
        )  # fmt: skip
        session.execute(update(t.effect).where(t.effect.c.id == effect).values(state="in_doubt", reason="no answer"))
    text = visitor.get("/").text
    assert "Did it happen?" in text
    assert "hello there" in text
    settled = visitor.post(f"/doubts/{effect}", {"_press": press, "reason": "asked them"})
    assert (settled.status, settled.headers["location"]) == (303, "/?told=settled")
    assert board.door.rows(select(t.effect.c.state).where(t.effect.c.id == effect)) == [{"state": state}]
    again = visitor.post(f"/doubts/{effect}", {"_press": press})
    assert again.status == 409
    assert "settled already" in again.text


def test_cases_are_found_by_state_playbook_and_customer(board: Board) -> None:
    first = board.submit()["case_id"]
    second = board.submit(name="Lee Duri", phone="010-9999-8888")["case_id"]
    visitor = board.actor
    visitor.post(f"/cases/{second}", {"_press": "hold", "reason": "x"})

    def found(query: str) -> set[str]:
        return set(re.findall(r'href="/cases/([0-9a-z]+)"', visitor.get(f"/cases?{query}").text))

    assert found("") == found("playbook=trial") == found("state=all") == {first, second}
    assert found("state=held") == found("q=Lee") == found("q=010-9999") == found("q=01099998888") == {second}
    assert found(f"q={first}") == {first}
    assert found("state=ended") == found("playbook=later") == found("q=nobody") == set()
    assert found("q=%25") == found("q=_") == set()


def test_a_long_list_is_walked_page_by_page_without_loss(board: Board) -> None:
    case = board.door.rows(select(t.case).where(t.case.c.id == board.submit()["case_id"]))[0]
    made = [{**case, "id": f"copy{number:06}"} for number in range(2 * SHOWN)]  # all of one moment
    with board.door.store.write() as session:
        session.execute(t.case.insert(), made)
    visitor, path, seen, pages = board.viewer, "/cases", [], 0
    while path:
        text = visitor.get(path).text
        seen += re.findall(r'href="/cases/([0-9a-z]+)"', text)
        onward = re.search(r'rel="next" href="([^"]+)"', text)
        path, pages = onward[1].replace("&amp;", "&") if onward else "", pages + 1
    assert (len(seen), pages) == (2 * SHOWN + 1, 3)
    assert set(seen) == {one["id"] for one in made} | {case["id"]}


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_a_customer_writes_stays_text_on_every_page(board: Board, text: str) -> None:
    row, visitor = board.submit(name=text, pain=text, health="yes"), board.actor
    for path in ("/", "/cases", f"/cases?q={row['case_id']}", f"/cases/{row['case_id']}", f"/assignments/{row['id']}"):
        reply = visitor.get(path)
        assert reply.status == 200, path
        assert not re.search(r"<script|<img|<b>", reply.text), path
        assert "62615533" not in reply.text, path
        assert len(reply.text.encode()) <= 60_000, path


def test_a_connection_that_lacks_its_secret_is_named_on_today(board: Board) -> None:
    text = board.viewer.get("/").text
    assert "Connections that need a hand" in text
    assert "DIGILOG_CONNECTIONS__UNSET__SIGNING_SECRETS is not set" in text


def test_a_paused_connection_is_set_right_on_the_board(board: Board) -> None:
    row, visitor = board.submit(), board.actor
    with board.door.store.write() as session:
        session.execute(t.connection.insert().values(name="partner", paused="refused (401)", at=row["opened_at"]))
        id = open_assignment(
            session, row["opened_at"], kind="reconnect", role="manager", connection="partner", reason="refused (401)"
        )
    assert "refused (401)" in visitor.get("/").text
    assert visitor.post(f"/assignments/{id}", {"_press": "done"}).status == 303
    assert board.door.rows(select(t.connection.c.paused)) == [{"paused": None}]


def test_every_word_is_there_in_korean_and_english() -> None:
    from flows.web.board.words.assignment import ASSIGNMENT
    from flows.web.board.words.cases import CASE
    from flows.web.board.words.layout import LAYOUT
    from flows.web.board.words.login import LOGIN
    from flows.web.board.words.today import TODAY

    for pairs in (ASSIGNMENT, CASE, LAYOUT, LOGIN, TODAY):
        for key, both in pairs.items():
            assert all(both), key
            assert both[0].count("{}") == both[1].count("{}"), key
    assert words.of("ko", LAYOUT)["search"] == "찾기"
