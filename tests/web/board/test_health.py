"""Health: what is wrong comes first, in a sentence with what to do."""

import json
import os
from datetime import UTC, datetime, timedelta

from flows.store import tables as t
from flows.store.write import emit, set_setting
from tests.web.board.conftest import Board


def alive(board: Board) -> None:
    with board.door.store.write() as session:
        set_setting(session, "engine_seen", datetime.now(UTC).isoformat())


def test_a_healthy_home_says_so_and_shows_its_figures(board: Board) -> None:
    alive(board)
    told = {"pid": os.getpid(), "ready": "x", "parts": {"web": os.getpid(), "engine": os.getpid()}}
    (board.door.home / "up.json").write_text(json.dumps(told))
    board.door.context.world.book.company.connections.pop("unset")
    text = board.viewer.get("/health").text
    assert "All is well." in text
    for word in ("running", "a file on this computer (SQLite)", "Room on the disk", "Started without Prefect"):
        assert word in text, word


def test_what_is_wrong_comes_first(board: Board) -> None:
    now = board.door.context.world.clock.now()
    with board.door.store.write() as session:
        set_setting(session, "engine_seen", (datetime.now(UTC) - timedelta(minutes=5)).isoformat())
        emit(session, "partner", "k", "inquiry.received", now, b"{}", {}, quarantined="x: is missing")
        silent = {"subject": "trial/cases", "since": now, "by": now - timedelta(hours=1)}
        session.execute(t.expected.insert().values(silent))
    (board.door.home / "up.json").write_text(json.dumps({"pid": 1, "parts": {"web": os.getpid(), "engine": 2**22 + 5}}))
    text = board.viewer.get("/health").text
    places = [text.index(word) for word in (
        "The engine has not been heard of", "1 lie in quarantine", "Trial class: no new case", "Processes",
    )]  # fmt: skip
    assert places == sorted(places)
    assert "not running" in text


def test_a_home_whose_up_file_is_broken_still_has_its_page(board: Board) -> None:
    alive(board)
    for broken in ("", "[]", '{"parts": 3}', '{"parts": {"web": "x"}}'):
        (board.door.home / "up.json").write_text(broken)
        assert board.viewer.get("/health").status == 200


def test_a_connection_that_lacks_something_is_told(board: Board) -> None:
    """The door's company has one without its secret."""
    assert "Connections that need a hand: 1." in board.viewer.get("/health").text
    today = board.viewer.get("/").text
    assert today.count('href="/connections/unset"') == 1
