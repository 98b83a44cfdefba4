"""Quarantine: what nobody could act on is read, taken once more, or discarded with a reason; and nothing twice."""

import json

import pytest
from sqlalchemy import delete, select, update

from flows.store import tables as t
from flows.store.write import emit
from flows.web.board.quarantine import LONGEST
from tests.web.board.conftest import Board


def put(board: Board, body: bytes, reason: str = "phone: is missing", **more: object) -> int:
    now = board.door.context.world.clock.now()
    facts = {"connection": "trial-form", "key": "k1", "name": "form.submitted", **more}
    with board.door.store.write() as session:
        id = emit(session, at=now, body=body, headers={"webhook-id": "m<1>"}, quarantined=reason, **facts)  # type: ignore[arg-type]
    assert id
    return id


GOOD = json.dumps({"name": "Kim Hana", "phone": "010-1234-5678", "kind": "a", "first": "yes", "rules": "yes"}).encode()


def state(board: Board, id: int) -> object:
    return board.door.rows(select(t.event.c.state).where(t.event.c.id == id))[0]["state"]


def test_what_lies_in_quarantine_is_listed_with_its_reason(board: Board) -> None:
    assert "cannot be read appears here" in board.viewer.get("/quarantine").text
    id = put(board, GOOD)
    text = board.viewer.get("/quarantine").text
    assert "phone: is missing" in text
    assert "trial-form" in text
    assert f"/quarantine/{id}" not in text
    assert f'href="/quarantine/{id}"' in board.actor.get("/quarantine").text


def test_the_reason_is_said_in_korean(korean_board: Board) -> None:
    put(korean_board, b"{}", "phone: is no phone number; write it like 010-1234-5678; name: is missing")
    text = korean_board.viewer.get("/quarantine").text
    assert "phone: 전화번호가 아닙니다. 010-1234-5678 처럼 적어 주세요 · name: 입력해 주세요" in text


@pytest.mark.parametrize(
    "body",
    [b"<script>alert(1)</script>", b'{"a": "</pre><img src=x onerror=alert(1)>"}', b"\xff\x00\xfe",
     "\u202egnp".encode(), b"'" * 90_000, b'{"a":' * 3_000, b""],
    ids=range(7),
)  # fmt: skip
def test_the_raw_body_is_shown_as_harmless_text_to_who_may_act(board: Board, body: bytes) -> None:
    id = put(board, body)
    assert board.viewer.get(f"/quarantine/{id}").status == 403
    reply = board.actor.get(f"/quarantine/{id}")
    assert reply.status == 200
    assert "<script" not in reply.text
    assert "<img" not in reply.text
    assert len(reply.text.encode()) <= 60_000
    assert len(body) <= LONGEST or "signs are shown" in reply.text


def test_an_event_is_discarded_with_a_reason_and_once(board: Board) -> None:
    id, visitor = put(board, GOOD), board.actor
    address = f"/quarantine/{id}"
    assert visitor.post(address, {"_press": "discard", "reason": ""}).status == 422
    done = visitor.post(address, {"_press": "discard", "reason": "a test of theirs"})
    assert (done.status, done.headers["location"]) == (303, "/quarantine?told=discarded")
    assert state(board, id) == "discarded"
    audited = board.door.rows(t.audit.select().where(t.audit.c.what == "discard"))[0]
    assert [audited[name] for name in ("who", "subject", "reason", "after")] == [
        "yoon", str(id), "a test of theirs", "discarded",
    ]  # fmt: skip
    late = board.admin.post(address, {"_press": "discard", "reason": "x"})
    assert late.status == 409
    assert "Somebody was quicker" in late.text
    assert f"/quarantine/{id}" in visitor.get("/quarantine?view=discarded").text


def test_an_event_that_can_be_read_now_begins_its_case_once(board: Board) -> None:
    id, visitor = put(board, GOOD), board.actor
    done = visitor.post(f"/quarantine/{id}", {"_press": "replay"})
    assert (done.status, done.headers["location"]) == (303, "/quarantine?told=opened")
    late = board.admin.post(f"/quarantine/{id}", {"_press": "replay"})
    assert late.status == 409
    assert "Somebody was quicker" in late.text
    assert len(board.door.rows(t.case.select())) == 1
    audited = board.door.rows(t.audit.select().where(t.audit.c.what == "replay"))
    assert [one["who"] for one in audited] == ["yoon"]


def test_an_event_that_still_cannot_be_read_stays_and_says_why(board: Board) -> None:
    id = put(board, b'{"name": "x"}', "something of before")
    reply = board.actor.post(f"/quarantine/{id}", {"_press": "replay"})
    assert "still nobody can act on it" in reply.text
    assert "phone: is missing" in reply.text
    assert state(board, id) == "quarantined"


def test_what_was_erased_after_its_time_is_said_kindly(board: Board) -> None:
    id, visitor = put(board, GOOD), board.actor
    with board.door.store.write() as session:
        session.execute(delete(t.private_event).where(t.private_event.c.event_id == id))
    assert "Its content was erased" in visitor.get(f"/quarantine/{id}").text
    refused = visitor.post(f"/quarantine/{id}", {"_press": "replay"})
    assert refused.status == 409
    assert "nothing is left to replay" in refused.text


def test_there_is_no_page_of_an_event_that_is_not_in_quarantine(board: Board) -> None:
    id, visitor = put(board, GOOD), board.actor
    with board.door.store.write() as session:
        session.execute(update(t.event).where(t.event.c.id == id).values(state="decided"))
    for path in (f"/quarantine/{id}", "/quarantine/0", "/quarantine/x", "/quarantine/99999999999999999999"):
        assert visitor.get(path).status == 404
    assert board.viewer.post(f"/quarantine/{id}", {"_press": "discard", "reason": "x"}).status == 403
