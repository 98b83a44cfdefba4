"""Writes first.sql, a store of the first released form in the middle of its work: `python -m tests.store.make_first`.

Run it while the first migration still changes; never after a release.
"""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from connectors.errors import Unavailable
from flows.store import tables as t
from tests.conftest import Shop

FILE = Path(__file__).with_name("first.sql")
HELLO = {"message": "hello", "values": {"name": "{{ name }}"}}


def steps(shop):
    """A case records, waits until tomorrow, greets, posts, and is a person's."""
    return [
        shop.machine("note", "ledger.record", {"kind": "apply", "note": "{{ name }}"}),
        {"id": "pause", "do": "기다린다", "wait": "tomorrow 09:00"},
        shop.machine("greet", "message.send", HELLO),
        shop.machine("post", "sink.post", {"path": "/x", "body": {"name": "{{ name }}"}}),
        shop.person("call", due="4 business hours"),
    ]


def post(sending):
    """The service is down for two of them."""
    down = sending.arguments["body"]["name"] in {"parked", "cut"}
    return Unavailable("down") if down else {"id": 7}


def fill(shop):
    """Five customers at five places: ended, asked, parked, cut off by a kill, waiting."""
    shop.open(steps(shop))
    shop.calls.answers_to["sink.post"] = post
    for number, name in enumerate(("ended", "asked", "parked", "cut")):
        shop.asks(name, name, f"010-1234-000{number}")
        shop.turns()
    shop.at("2026-11-24 09:00")
    shop.does(shop.asked()[0])
    shop.asks("waiting", "waiting", "010-1234-0004")
    shop.turns()
    cut = shop.effects()[-1]
    with shop.store.write() as session:
        session.execute(t.effect.update().where(t.effect.c.id == cut["id"]).values(state="sending", next_at=None))


def main():
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder))
        (shop.home / "files").mkdir(parents=True)
        fill(shop)
        shop.store.close()
        with closing(sqlite3.connect(shop.home / "digilog.db")) as store:
            FILE.write_text("\n".join(store.iterdump()) + "\n", "utf-8")


if __name__ == "__main__":
    main()
