"""The cost of an event does not grow with what the store holds: nothing on its way reads a whole table."""

import gc
import re
from typing import Any

import pytest

from connectors.base import Polled
from connectors.errors import Unavailable
from flows.store import tables as t
from flows.store.prepared import Prepared
from flows.store.write import emit
from tests.conftest import Shop

GROW = "event|case|journal|effect|assignment|party|exchange|audit|run|run_case|private_\\w+"
# SQLite's words: `SCAN case` reads it all, `SCAN event USING INDEX event_new` what is new
WHOLE = re.compile(rf"SCAN ({GROW})$")


@pytest.fixture(autouse=True)
def only_what_this_day_asks() -> None:
    """What other tests asked before, and their own models, is not of the engine: it is forgotten."""
    for one in _statements():
        one._compiled.clear()


def _statements() -> list[Prepared]:
    return [one for one in gc.get_objects() if isinstance(one, Prepared)]


def test_nothing_on_an_events_way_reads_a_whole_table(shop: Shop) -> None:
    sends = {"message": "hello", "values": {"name": "{{ name }}"}}
    row = {"row_id": "{{ phone }}", "row": {"name": "{{ name }}"}}
    shop.open([
        shop.machine("greet", "message.send", sends),
        shop.person("call", due="1h"),
        shop.machine("note", "sheet.upsert_row", row),
    ])  # fmt: skip
    shop.asks()
    shop.work()
    shop.does(shop.asked()[0])
    shop.asks("k2")
    shop.later(hours=2)
    _reads_no_whole_table(shop)


def _reads_no_whole_table(shop: Shop) -> None:
    with shop.store.read() as session:
        raw = session.connection.dbapi_connection
        hot = {one._for(session)._sql for one in _statements() if one._compiled}
        plans = {sql: raw.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?")).fetchall() for sql in hot}
    assert len(plans) > 30
    assert [(row[3], sql) for sql, plan in plans.items() for row in plan if WHOLE.match(row[3])] == []


def test_nor_does_anything_on_the_way_of_a_question(begin: Any, asked: Any) -> None:
    start = {"event": "payment.paid", "connection": "knock"}
    shop = begin(
        "knock", [Shop.machine("greet", "message.send", {"message": "hello", "values": {"name": "x"}})], start=start
    )
    asked.mailbox.answers = [Polled((), "1"), Unavailable("away")]
    shop.connect("mailbox", connector="mailbox")
    shop.connect("register", connector="register")
    shop.write_files()
    shop.write([Shop.person("read")], name="mail", start={"event": "form.submitted", "connection": "mailbox"})
    shop.load()
    told = {"id": "p1", "state": "refunded", "amount": "9", "refunded": "9", "order": "23456789ab", "이름": "김"}
    asked.knock.truth |= {"p1": {**told, "연락처": "010-1234-5678", "phone": "010-1234-5678"}, "p2": Unavailable("x")}
    with shop.store.write() as session:
        for id in ("p1", "p2"):
            raw = b'{"id": "%s"}' % id.encode()
            emit(session, "knock", id, "payment.paid", shop.clock.now(), raw, unconfirmed=True)
    shop.turns()
    shop.later(hours=2)
    assert len(shop.all(t.exchange)) == 2
    _reads_no_whole_table(shop)
