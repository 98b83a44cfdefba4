"""The cost of an event does not grow with what the store holds: nothing on its way reads a whole table."""

import gc
import re

from flows.store.prepared import Prepared
from tests.conftest import Shop

GROW = "event|case|journal|effect|assignment|party|exchange|audit|run|run_case|private_\\w+"
# SQLite's words: `SCAN case` reads it all, `SCAN event USING INDEX event_new` what is new
WHOLE = re.compile(rf"SCAN ({GROW})$")


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
    with shop.store.read() as session:
        raw = session.connection.dbapi_connection
        hot = {one._for(session)._sql for one in gc.get_objects() if isinstance(one, Prepared) and one._compiled}
        plans = {sql: raw.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?")).fetchall() for sql in hot}
    assert len(plans) > 30
    assert [(row[3], sql) for sql, plan in plans.items() for row in plan if WHOLE.match(row[3])] == []
