"""Fills a store with ended cases: copies of one that really ran, written straight into the tables. For growth alone."""

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from flows.store import tables as t

_DISTANCE = 6_000_000  # microseconds between two cases: a million are seventy days
_ID = "printf('%010x', (n * 2654435761) % 1099511627776)"  # spread over the index, as random ids are
_OWN = {  # what must differ from copy to copy
    "event.key": "'filled-' || n",
    "effect.key": f"{_ID} || '/pass_on'",
    "private_contact.value": "'filled-' || n || '@example.com'",
}
Known = dict[Any, str]  # a value of the one case > the SQL of a copy's


def cases(db: Path) -> int:
    with sqlite3.connect(db) as base:
        found: int = base.execute('SELECT count(*) FROM "case"').fetchone()[0]
    base.close()
    return found


def size(db: Path) -> float:
    """Bytes in use, with the write-ahead log folded in; nothing may be running."""
    base = sqlite3.connect(db)
    base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    pages, unused, each = (
        base.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    base.close()
    return float((pages - unused) * each)


def fill(db: Path, upto: int, *, words: bool) -> None:
    """Copy one ended case until there are `upto`; without `words` as after their time, private rows erased."""
    base = sqlite3.connect(db, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-500000", "foreign_keys=OFF"):
        base.execute(f"PRAGMA {pragma}")
    base.row_factory = sqlite3.Row
    have = base.execute('SELECT count(*) FROM "case"').fetchone()[0]
    base.execute("BEGIN")
    for table, template, known in _templates(base):
        if words or not table.name.startswith("private_") or table.name == "private_contact":
            _copy(base, table, template, known, have, upto)
    base.execute("COMMIT")
    base.execute("PRAGMA journal_mode=WAL")
    base.close()
    os.sync()  # or the disk is still busy with this while it is measured


def _templates(base: sqlite3.Connection) -> list[tuple[Table, sqlite3.Row, Known]]:
    """The rows of the first case that ended, in the order in which they must be written."""
    case = base.execute("SELECT * FROM \"case\" WHERE status = 'ended' ORDER BY opened_at LIMIT 1").fetchone()
    known: Known = {case["id"]: _ID, case["party_id"]: _ID}
    event, effect = _next(base, "event"), _next(base, "effect")
    (called,) = base.execute("SELECT id FROM effect WHERE case_id = ?", [case["id"]]).fetchall()
    numbers = {"event_id": f"{event} + n", "effect_id": f"{effect} + n"}
    found = []
    for table, column, value, id in (
        (t.event, "id", case["event_id"], numbers["event_id"]),
        (t.private_event, "event_id", case["event_id"], None),
        (t.party, "id", case["party_id"], None),
        (t.private_contact, "party_id", case["party_id"], None),
        (t.case, "id", case["id"], None),
        (t.private_case, "case_id", case["id"], None),
        (t.journal, "case_id", case["id"], None),
        (t.effect, "id", called["id"], numbers["effect_id"]),
        (t.private_effect, "effect_id", called["id"], None),
    ):
        rows = base.execute(f'SELECT * FROM "{table.name}" WHERE {column} = ?', [value]).fetchall()
        found += [(table, row, known | ({"id": id} if id else {}) | numbers) for row in rows]
    return found


def _next(base: sqlite3.Connection, table: str) -> int:
    return int(base.execute(f'SELECT max(id) FROM "{table}"').fetchone()[0])


def _copy(base: sqlite3.Connection, table: Table, row: sqlite3.Row, known: Known, have: int, upto: int) -> None:
    names, values, given = [], [], []
    newest = time.time_ns() // 1000 - 3_600_000_000
    for column in table.columns:
        value = row[column.name]
        if column.autoincrement is True and column.name not in known:
            continue
        names.append(f'"{column.name}"')
        if value in known:
            values.append(known[value])
        elif column.name in {"id", "event_id", "effect_id"}:
            values.append(known[column.name])
        elif isinstance(column.type, t.At) and value is not None:
            values.append(f"{newest} - ({upto} - n) * {_DISTANCE}")
        else:
            values.append(_OWN.get(f"{table.name}.{column.name}", "?"))
            given += [value] if values[-1] == "?" else []
    base.execute(
        f"WITH RECURSIVE s(n) AS (VALUES({have + 1}) UNION ALL SELECT n + 1 FROM s WHERE n < {upto}) "
        f'INSERT INTO "{table.name}" ({", ".join(names)}) SELECT {", ".join(values)} FROM s',
        given,
    )
