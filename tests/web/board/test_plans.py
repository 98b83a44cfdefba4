"""No page of the board reads a whole table, whatever the store holds."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from flows.store import tables as t
from flows.web.board.todo import open_ones
from tests.web.board.conftest import Board

GROW = "event|case|journal|effect|assignment|party|exchange|audit|run|run_case|board_session|private_\\w+"
WHOLE = re.compile(rf"SCAN ({GROW})(?: USING (?:COVERING )?INDEX sqlite_autoindex\S*)?$")
PAGES = (
    "/", "/?who=all", "/?who=me", "/cases", "/cases?state=all", "/cases?state=failed",
    "/cases?state=held&playbook=trial", "/cases?state=ended", "/cases?playbook=trial",
    "/cases?playbook=trial&state=all", "/cases?q=Kim", "/cases?q=0101", "/cases?q=a@b.example",
    "/cases?before=99999999999999.zzz", "/account",
    "/outbox", "/outbox?view=team", "/outbox?view=unsent", "/outbox?before=9", "/exchanges", "/quarantine",
    "/exchanges?before=99999999999999.zzz", "/quarantine?view=unconfirmed", "/quarantine?before=9", "/health",
    "/connections", "/connections/partner", "/search?q=Kim", "/search?q=5678", "/search?q=010-1", "/search?q=a@b.c",
    "/outbox?view=unsent&before=99999999999999.e.9", "/outbox?view=unsent&before=99999999999999.j.9",
    "/metrics", "/canvas", "/playbooks", "/playbooks/trial", "/cases?playbook=trial&step=assign", "/blueprint",
)  # fmt: skip


@contextmanager
def said(board: Board) -> Iterator[list[tuple[str, Any]]]:
    """Every statement that pages read with."""
    found: list[tuple[str, Any]] = []

    def hears(_line: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        found.append((statement, values))

    engine = board.door.store._reader
    event.listen(engine, "before_cursor_execute", hears)
    yield found
    event.remove(engine, "before_cursor_execute", hears)


def test_no_page_reads_a_whole_table(board: Board) -> None:
    row, visitor = board.submit(), board.actor
    party = board.door.rows(t.party.select())[0]["id"]
    with said(board) as found:
        for path in (*PAGES, f"/cases/{row['case_id']}", f"/assignments/{row['id']}", f"/customers/{party}"):
            assert visitor.get(path).status == 200
        with board.door.store.read() as session:  # counted where there are more than a page shows
            assert open_ones(session, None) >= open_ones(session, "yoon") >= 0
    with board.door.store.read() as session:
        raw = session.connection.dbapi_connection
        plans = {sql: raw.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall() for sql, values in found}
    assert len(plans) > 20
    assert [(line[3], sql) for sql, plan in plans.items() for line in plan if WHOLE.match(line[3])] == []


def test_lists_come_in_the_order_of_an_index(board: Board) -> None:
    visitor = board.actor
    board.submit()
    with said(board) as found:
        for path in PAGES[3:10]:
            visitor.get(path)
    lists = {(sql, values) for sql, values in found if 'FROM "case"' in sql and "ORDER BY" in sql}
    with board.door.store.read() as session:
        raw = session.connection.dbapi_connection
        for sql, values in lists:
            plan = [line[3] for line in raw.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
            # what is of one moment may be sorted by id
            assert "USE TEMP B-TREE FOR ORDER BY" not in plan, (plan, sql)
    assert len(lists) >= 5


def test_long_lists_of_messages_events_and_dealings_are_walked_along_an_index(board: Board) -> None:
    visitor = board.actor
    board.submit()
    lists = ("/outbox", "/outbox?view=team", "/outbox?view=unsent", "/exchanges", "/quarantine")
    further = ("before=9", "before=9", "before=99999999999999.j.9", "before=99999999999999.zzz", "before=9")
    with said(board) as found:
        for path, before in zip(lists, further, strict=True):
            for address in (path, f"{path}{'&' if '?' in path else '?'}{before}"):
                assert visitor.get(address).status == 200
    asked = {(sql, values) for sql, values in found if "LIMIT" in sql and "ORDER BY" in sql}
    with board.door.store.read() as session:
        raw = session.connection.dbapi_connection
        for sql, values in asked:
            plan = [line[3] for line in raw.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
            assert "USE TEMP B-TREE FOR ORDER BY" not in plan, (plan, sql)
    assert len(asked) >= 10
