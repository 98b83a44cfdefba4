"""No page of the board does more work beside years of cases than beside weeks of them. Counted, not timed."""

import gc
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import ClientCursor
from sqlalchemy import event, select
from sqlalchemy.dialects import postgresql

from bench.town import fill
from flows.engine.books import open_book
from flows.store import tables as t
from flows.store.newest import newest
from tests.databases import Server
from tests.web.board.conftest import Board, Visitor, with_users
from tests.web.board.places import places
from tests.web.conftest import open_door

WEEKS, YEARS = 1_400, 4_200  # cases; the newest are as many and as busy in both
EXAMPLE = Path(__file__).parents[3] / "playbooks"
STEP = 25  # instructions of SQLite between two looks
GROW = {"event", "case", "journal", "effect", "assignment", "party", "exchange", "audit", "run", "run_case",
        "consent", "reading", "private_contact", "private_case", "private_effect", "private_event",
        "private_assignment"}  # fmt: skip


@contextmanager
def town(folder: Path, cases: int, database: str = "") -> Iterator[Board]:
    folder.mkdir()
    with open_door(folder, "ko", database) as door:
        book = open_book(EXAMPLE)
        fill(door.store, book, datetime.now(UTC), cases, cases // 5)
        door.context.world.book = book
        yield with_users(door)


def pages(board: Board) -> list[str]:
    with board.door.store.read() as session:
        return places(lambda said: list(session.exec_driver_sql(said)))


@contextmanager
def heard(board: Board, hears: Any) -> Iterator[None]:
    """Tell of each statement that a page reads with, before it is said."""
    engine = board.door.store._reader
    event.listen(engine, "before_cursor_execute", hears)
    yield
    event.remove(engine, "before_cursor_execute", hears)


def _work(board: Board, visitor: Visitor, page: str) -> int:
    """Instructions that SQLite carries out for a page."""
    done = Counter[str]()

    def looks() -> int:
        done["steps"] += STEP
        return 0

    def hears(_line: Any, cursor: Any, *_: Any) -> None:
        cursor.connection.set_progress_handler(looks, STEP)

    with heard(board, hears):
        assert visitor.get(page).status == 200, page
    return done["steps"]


def test_a_page_does_the_same_work_beside_weeks_of_cases_and_beside_years(tmp_path: Path) -> None:
    done: list[dict[str, int]] = []
    for cases in (WEEKS, YEARS):
        with town(tmp_path / str(cases), cases) as board:
            visitor = board.admin
            done.append({_kind(page): _work(board, visitor, page) for page in pages(board)})
    assert done[0].keys() == done[1].keys()
    more = [
        (page, few, done[1][page]) for page, few in done[0].items() if done[1][page] > 1.3 * few + 5000
    ]  # a search finds fifty at most
    assert more == []
    assert len(done[0]) > 14
    assert max(done[1].values()) < 400_000


def _kind(page: str) -> str:
    """An address without the id in it."""
    return re.sub(r"\w*\d\w*c$|/[px]?\d+$", "", page)


def _touched(plan: dict[str, Any], found: Counter[str]) -> None:
    """Rows that a plan of PostgreSQL met in each table, and tables that it read from end to end."""
    if table := plan.get("Relation Name"):
        met = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        found[table] += int(met * plan["Actual Loops"])
        if plan["Node Type"] == "Seq Scan" and table in GROW:
            found[f"all of {table}"] += 1
    for part in plan.get("Plans", ()):
        _touched(part, found)


def test_no_page_reads_a_whole_table_of_postgresql_or_more_rows_than_it_shows(tmp_path: Path, server: Server) -> None:
    url = server.make()
    found: dict[str, tuple[Counter[str], int]] = {}
    with town(tmp_path / "town", YEARS, url) as board:
        visitor = board.admin
        for page in pages(board):
            said: list[tuple[str, Any]] = []
            with heard(board, lambda _line, _cursor, statement, values, *_: said.append((statement, values))):  # noqa: B023
                assert visitor.get(page).status == 200, page
            found[page] = _met(board, said)
    gc.collect()
    server.drop(url)
    whole = {page: [name for name in met if name.startswith("all of")] for page, (met, _) in found.items()}
    assert {page: names for page, names in whole.items() if names} == {}
    most = {"/metrics": 600}  # eight metrics' numbers of eight weeks
    assert {page: got for page, (_, got) in found.items() if got > most.get(page, 400)} == {}
    assert {page: met for page, (met, _) in found.items() if met.total() > 6000} == {}


def _met(board: Board, said: list[tuple[str, Any]]) -> tuple[Counter[str], int]:
    """Rows met in each table, and rows that came to the page."""
    met, got = Counter[str](), 0
    with board.door.store.read() as session:
        raw: Any = session.connection.dbapi_connection
        raw.execute("SET LOCAL enable_seqscan = off")  # of a small table all is read at once, if there is a choice
        for statement, values in said:
            plan = _plan(ClientCursor(raw), statement, values)
            got += int(plan["Actual Rows"])
            _touched(plan, met)
    return met, got


def _plan(line: Any, statement: str, values: Any) -> dict[str, Any]:
    """How it is done when asked for the sixth time: from then on without a look at the values, if that seems good."""
    places = count(1)
    line.execute("PREPARE asked AS " + re.sub("%s", lambda _: f"${next(places)}", statement).replace("%%", "%"))
    again = "EXECUTE asked" + (f"({', '.join(['%s'] * len(values))})" if values else "")
    for _ in range(5):
        line.execute(f"EXPLAIN {again}", values)
    line.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {again}", values)
    ((plan,),) = line.fetchall()
    line.execute("DEALLOCATE asked")
    found: dict[str, Any] = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    return found


def test_what_is_newest_of_a_connection_that_nobody_hears_from_is_known_without_a_walk(server: Server) -> None:
    with psycopg.connect(server.make(like="migrated")) as raw:
        busy = "SELECT n, 'busy', n, 'form.submitted', n, 'decided' FROM generate_series(1, 20000) AS s(n)"
        raw.execute(f"INSERT INTO event (id, connection, key, name, at, state) {busy}")
        raw.execute("ANALYZE event")
        raw.execute("SET plan_cache_mode = force_generic_plan")  # without a look at the value
        for name, there in (("busy", 1), ("silent", 0)):
            asked = select(newest(t.event.c.at, t.event.c.connection, name, t.event.c.id))
            said = asked.compile(dialect=postgresql.psycopg.dialect(paramstyle="format"))  # type: ignore[no-untyped-call]
            values = [said.params[one] for one in said.positiontup or ()]
            met = Counter[str]()
            _touched(_plan(ClientCursor(raw), str(said), values), met)
            assert met["event"] == there
