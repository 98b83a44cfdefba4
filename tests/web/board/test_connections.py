"""Connections: how each fares, which variable is missing and where it is found, and where events come in."""

import re

from flows.store import tables as t
from flows.store.write import open_assignment
from tests.web.board.conftest import Board


def test_each_connection_stands_with_its_health_and_what_it_lacks_the_worst_first(board: Board) -> None:
    board.submit()
    text = board.viewer.get("/connections").text
    assert "1 need a hand" in text
    assert "DIGILOG_CONNECTIONS__UNSET__SIGNING_SECRETS is not set" in text
    assert text.index('href="/connections/unset"') < text.index('href="/connections/partner"')
    assert "begins “Trial class”" in text
    assert ">well<" in text


def test_a_connections_page_says_what_to_click_and_where_events_come_in(board: Board) -> None:
    text = board.viewer.get("/connections/partner").text
    assert 'value="https://studio.example/in/partner"' in text
    assert "digilog connect partner" in text
    assert "connect NAME" not in text
    missing = board.viewer.get("/connections/unset").text
    assert "DIGILOG_CONNECTIONS__UNSET__SIGNING_SECRETS is not set" in missing
    form = board.viewer.get("/connections/trial-form").text
    assert 'value="https://studio.example/form/trial-form"' in form
    assert board.viewer.get("/connections/nobody").status == 404


def test_a_paused_connection_says_why_and_leads_to_who_sets_it_right(board: Board) -> None:
    row = board.submit()
    with board.door.store.write() as session:
        session.execute(t.connection.insert().values(name="partner", paused="refused (401)", at=row["opened_at"]))
        id = open_assignment(
            session, row["opened_at"], kind="reconnect", role="manager", connection="partner", reason="refused (401)"
        )
    assert "refused (401)" in board.viewer.get("/connections").text
    text = board.viewer.get("/connections/partner").text
    assert "Paused: refused (401)" in text
    assert f'href="/assignments/{id}"' in text


def test_no_secret_is_on_any_page_of_a_connection(board: Board) -> None:
    from tests.web.conftest import NEW, OLD

    for path in ("/connections", "/connections/partner"):
        text = board.admin.get(path).text
        assert NEW not in text
        assert OLD not in text


def _paused(board: Board) -> str:
    """The page of a connection that a sentence of its service's kind paused."""
    with board.door.store.write() as session:
        now = board.door.context.world.clock.now()
        session.execute(t.connection.insert().values(name="partner", paused="no key <b>; make one", at=now))
    return board.viewer.get("/connections/partner").text


def test_what_stays_english_on_a_korean_page_is_marked_for_who_hears_it_read(korean_board: Board) -> None:
    said = '<span lang="en">no key &lt;b&gt;; make one</span>'
    assert f"멈춘 까닭: {said}" in _paused(korean_board)
    assert said in korean_board.viewer.get("/").text
    missing = korean_board.viewer.get("/connections/unset").text
    assert re.search(
        r'SIGNING_SECRETS 값이 없습니다.</strong><br><span class="quiet"><span lang="en">the sender', missing
    )
    assert "아래 안내는 영어로 적혀 있습니다" in missing


def test_an_english_page_marks_nothing(board: Board) -> None:
    text = _paused(board)
    assert "Paused: no key &lt;b&gt;; make one" in text
    assert "lang=" not in text.partition("<body")[2]
