"""A store of the first released form opens, and each of its cases goes on from where it stood."""

import sqlite3
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from flows.store import tables as t
from flows.store.store import HEAD
from tests.store.make_first import FILE

READINGS = """
INSERT INTO reading (metric, channel, account, day, revision, value, status, finality, source, at) VALUES
('views', 'web', '', '2026-11-20', 1, '5.50', 'ok', 'provisional', 'numbers.readings', 1),
('views', 'shop', '', '2026-11-20', 2, '7', 'ok', 'final', 'numbers.readings', 2);
"""


@pytest.fixture
def old(shop):
    """The shop with the store of then and the playbook of now, which asks something else."""
    file = shop.home / "digilog.db"
    file.unlink()
    with closing(sqlite3.connect(file)) as store:
        store.executescript(FILE.read_text("utf-8"))
        store.executescript(READINGS)
    shop.open([shop.person("other")], at="2026-11-24 09:01")
    return shop


def by_name(shop):
    """Each customer's case, by the name in its form."""
    events = {one["id"]: one["key"] for one in shop.all(t.event)}
    return {events[one["event_id"]]: one for one in shop.all(t.case)}


def test_the_old_store_takes_the_form_of_now(old):
    with old.store.read() as session:
        assert session.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == HEAD
        context = MigrationContext.configure(session, opts={"compare_type": True})
        assert compare_metadata(context, t.metadata) == [], "before a release: python -m tests.store.make_first"
        assert session.exec_driver_sql("PRAGMA foreign_key_check").all() == []


def test_numbers_of_then_are_one_history_whatever_their_channel_was_called(old):
    kept = [(row["channel"], row["revision"], str(row["value"]), row["standing"]) for row in old.all(t.reading)]
    assert kept == [("", 1, "5.50", "pulled"), ("", 2, "7", "pulled")]


def test_each_case_goes_on_from_where_it_stood_with_its_own_playbook(old):
    assert {name: case["status"] for name, case in by_name(old).items()} == {
        "ended": "ended", "asked": "assigned", "parked": "parked", "cut": "parked", "waiting": "waiting",
    }  # fmt: skip
    old.calls.answers_to["sink.post"] = {"id": 7}
    old.turns()
    cases = by_name(old)
    assert {name: cases[name]["status"] for name in ("asked", "parked", "cut")} == {
        "asked": "assigned", "parked": "assigned", "cut": "in_doubt",
    }  # fmt: skip
    (doubt,) = old.asked(kind="doubt")
    old.does(doubt, {"happened": True})
    old.at("2026-11-25 09:00")
    for asked in old.asked():
        assert asked["step"] == "call"
        old.does(asked)
    assert {case["outcome"] for case in by_name(old).values()} == {"done"}
    assert old.calls.uses().count("sink.post") == 2  # parked and waiting: the doubt was never repeated
    assert any("waiting님 안녕하세요" in text for text in old.outbox())


def test_a_new_customer_gets_the_playbook_of_now(old):
    old.asks("new", "new", "010-1234-0009")
    old.turns()
    assert by_name(old)["new"]["status"] == "assigned"
    assert old.asked(step="other")
