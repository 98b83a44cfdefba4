"""The cost of an event does not grow with what the store holds: nothing on its way reads a whole table."""

import re

from tests.conftest import Shop

GROW = "event|case|journal|effect|assignment|party|exchange|audit|run|run_case|private_\\w+"
# SQLite's words: `SCAN case` reads it all; `SCAN event USING INDEX event_new` reads what is new
WHOLE = re.compile(rf"SCAN ({GROW})$")


def test_nothing_on_an_events_way_reads_a_whole_table(shop: Shop) -> None:
    sends = {"message": "hello", "values": {"name": "{{ name }}"}}
    steps = [
        shop.machine("greet", "message.send", sends),
        shop.person("call", due="1h"),
        shop.machine("note", "sheet.upsert_row", {"row_id": "{{ phone }}", "row": {"name": "{{ name }}"}}),
    ]
    shop.open(steps)
    said: list[str] = []
    with shop.store.write() as writer, shop.store.read() as reader:
        for session in (writer, reader):
            session.connection.dbapi_connection.set_trace_callback(said.append)
    shop.asks()
    shop.work()
    shop.does(shop.asked()[0])
    shop.later(hours=2)
    shop.asks("k2")
    shop.work()
    assert len(said) > 100
    read = {one for one in said if re.match(r"\s*(SELECT|UPDATE|DELETE)", one)}
    plans = _plans(shop, read)
    assert [(sql, line) for sql, plan in plans.items() for line in plan if WHOLE.match(line)] == []


def _plans(shop: Shop, statements: set[str]) -> dict[str, list[str]]:
    with shop.store.read() as session:
        raw = session.connection.dbapi_connection
        raw.set_trace_callback(None)
        return {one: [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {one}")] for one in statements}
