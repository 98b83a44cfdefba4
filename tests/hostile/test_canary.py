"""Canaries: customers' words lie in private tables, the outbox and the files; secrets lie nowhere."""

import json
import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from connectors.errors import NotConnected, Rejected, Uncertain
from flows.process import Wordless
from flows.store import tables as t
from tests.hostile import company
from tests.hostile.conftest import House, open_house

SECRET = "whsec_Y2FuYXJ5IG9mIGEgc2VjcmV0LCBub3RoaW5nIGVsc2U="
# no underscores or dots: some sinks would change them
CUSTOMER = ("canaryname", "1077778888", "canaryquestion", "canaryodd", "canarybody", "canaryanswer", "canarynote")
PRIVATE = re.compile(r"private_|sqlite_")


_SINK = 'sink: {connector: web, base_url: "http://127.0.0.1:9", allow_loopback: yes}'
_POST = """\
- {id: post, do: Post it, by: machine, use: sink.post, with: {path: x, body: {what: "{{ what }}"}}, by_hand: 1m,
   expect: it is there}
"""


@pytest.fixture
def house(tmp_path: Path, migrated: Path) -> Iterator[House]:
    with open_house(tmp_path, migrated, secret=SECRET, more_connections=_SINK, more_steps=_POST) as found:
        yield found


def _story(house: House) -> None:
    """What goes well and what goes wrong: calls refused, in doubt and disconnected, quarantine, a poisoned case."""
    good = {"name": "canaryname", "phone": "010-7777-8888", "what": "canaryquestion"}
    doubt = {"sink.post": Uncertain("unclear")}
    house.calls.answers_to = doubt
    house.form(**good)
    house.work()
    answers = [Rejected("refused"), Uncertain("unclear"), NotConnected("gone"), RuntimeError("canaryquestion")]
    for number, answer in enumerate(answers):

        def fails(_sending: object, answer: Exception = answer) -> object:
            if isinstance(answer, RuntimeError):
                return {"row": object()}  # nothing that can be kept: digilog itself fails, with it in hand
            return answer

        house.calls.answers_to = doubt | {"list.upsert_row": fails}
        house.hook(good, f"good{number}")
        house.work()
    house.calls.answers_to = doubt
    for number, odd in enumerate(({"count": "canaryodd"}, {"phone": "canaryodd"}, {"at": "canaryodd"}, {"name": None})):
        house.hook({**good, **odd}, f"odd{number}")
        house.form(**{**good, **{name: value for name, value in odd.items() if value}})
    house.hook(b"canarybody, no JSON", "broken")
    house.hook(b'{"data": ["canarybody"]}', "list")
    house.ask("POST", company.HOOK, b"canarybody", {"webhook-id": "canarybody", "webhook-signature": f"v1,{SECRET}"})
    for path in ("/canarybody", "/in/canarybody", "/work/canarybody", "/form/canarybody"):
        house.ask("POST", path, b"canarybody")
    house.work()
    with house.store.write() as session:
        session.exec_driver_sql(
            "CREATE TRIGGER poison BEFORE INSERT ON private_case BEGIN SELECT RAISE(ABORT, 'poison'); END"
        )
    house.hook(good, "poisoned")
    house.work()


def _outside_private(house: House) -> str:
    """Every cell of every table that holds no customers' text."""
    with closing(sqlite3.connect(house.home / "digilog.db")) as store:
        names = [row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        tables = [name for name in names if not PRIVATE.match(name)]
        assert len(tables) > 10
        return "\n".join(repr(row) for name in tables for row in store.execute(f'SELECT * FROM "{name}"'))


def test_customers_words_and_secrets_stay_where_they_belong(
    house: House, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    _story(house)
    states = {row["state"] for row in house.all(t.event)}
    assert {"decided", "quarantined"} <= states
    assert {row["status"] for row in house.all(t.case)} >= {"in_doubt", "parked"}
    formatter = Wordless("%(levelname)s %(name)s: %(message)s")
    for record in caplog.records:
        record.exc_text = None  # pytest's own words of it
    searched = {
        "tables": _outside_private(house),
        "logs": "\n".join(formatter.format(record) for record in caplog.records),
        "lists": house.digilog(capsys, "cases", "--all") + house.digilog(capsys, "events", "--all"),
        "front page": house.ask("GET", "/").text + house.ask("GET", company.FORM).text,
    }
    found = [(word, where) for where, text in searched.items() for word in CUSTOMER if word in text]
    assert found == []
    searched["pages"] = "".join(page.text for page in house.pages())
    searched["kept"] = "".join(file.read_bytes().decode("latin-1") for file in house.home.rglob("*") if file.is_file())
    secret = SECRET.removeprefix("whsec_")
    assert [where for where, text in searched.items() if secret in text] == []
    assert "canaryquestion" in searched["kept"]  # the search would find it


def test_the_engine_says_nothing_of_what_it_could_not_read(house: House) -> None:
    """A body that was damaged on disk: what is said of it holds none of it."""
    house.hook({"name": "canaryname", "phone": "010-7777-8888", "what": "x"}, "e1")
    with house.store.write() as session:
        session.execute(t.private_event.update().values(body=b'{"name": "canaryname", "pho'))
    house.work()
    assert [row["state"] for row in house.all(t.event)] == ["quarantined"]
    assert "canary" not in json.dumps([row["reason"] for row in house.all(t.event)])
