"""No page of the board reads a whole table, whatever the store holds."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from flows.web.board.todo import open_ones
from tests.web.board.conftest import Board

GROW = "event|case|journal|effect|assignment|party|exchange|audit|run|run_case|board_session|private_\\w+"
WHOLE = re.compile(rf"SCAN ({GROW})(?: USING (?:COVERING )?INDEX sqlite_autoindex\S*)?$")
PAGES = (
    "/", "/?who=all", "/?who=me", "/cases", "/cases?state=all", "/cases?state=failed",
    "/cases?state=held&playbook=trial", "/cases?state=ended", "/cases?playbook=trial",
    "/cases?playbook=trial&state=all", "/cases?q=Kim", "/cases?q=0101", "/cases?q=a@b.example",
    "/cases?before=99999999999999.zzz", "/account",
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
    with said(board) as found:
        for path in (*PAGES, f"/cases/{row['case_id']}", f"/assignments/{row['id']}"):
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
