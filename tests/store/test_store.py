"""The store: made by migrations, opened or refused with a sentence, one writer at a time."""

import sqlite3
import threading
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Text
from sqlalchemy.exc import OperationalError

from flows.store import tables as t
from flows.store.store import HEAD, StoreError, memory_store, open_store
from flows.store.write import emit, set_setting, setting

# text that people or programs of the house write, so that it may stand outside `private_*`
OURS = {
    "event.reason": "our sentence: which field, never what stood in it",
    "version.text": "a playbook's text",
    "case.held": "our sentence, or an operator's",
    "case.reason": "our sentence, or an operator's",
    "journal.reason": "our sentence, or a worker's reason for skipping",
    "effect.reason": "a connector's sentence, which holds no text of vendors or customers",
    "assignment.reason": "why it was opened, skipped or withdrawn",
    "consent.wording": "the company's own sentence",
    "connection.paused": "a connector's sentence",
    "connection.calls": "times",
    "asking.cursor": "a time, or the ids of a service; a connector's promise",
    "asking.reason": "a connector's sentence",
    "setting.value": "switches and marks of this home",
    "audit.reason": "an operator's sentence",
    "reading.why": "an operator's sentence",
    "pull_part.asked": "names of metrics and dimensions, of metrics.yaml",
    "pull_part.reason": "a connector's sentence",
    "alert.evidence": "numbers and days",
}


def test_the_newest_migration_is_the_one_the_code_expects():
    config = Config()
    config.set_main_option("script_location", "flows.store:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_the_tables_are_what_the_migrations_make(tmp_path):
    store = open_store(tmp_path)
    with store.read() as session:
        context = MigrationContext.configure(session, opts={"compare_type": True})
        assert compare_metadata(context, t.metadata) == []
    store.close()


def test_every_text_outside_private_tables_is_our_own():
    texts = {
        f"{table.name}.{column.name}"
        for table in t.metadata.sorted_tables
        if not table.name.startswith("private_")
        for column in table.columns
        if isinstance(column.type, Text)
    }
    assert texts == set(OURS)


def test_every_private_row_says_whose_it_is_and_until_when_it_is_kept():
    for table in t.metadata.sorted_tables:
        assert table.name.startswith("private_") == ("retain_until" in table.c)
        assert not table.name.startswith("private_") or "party_id" in table.c


def test_what_was_committed_is_there_after_opening_again(tmp_path):
    for expected in (None, "1"):
        store = open_store(tmp_path)
        with store.read() as session:
            assert setting(session, "x") == expected
        with store.write() as session:
            set_setting(session, "x", "1")
            assert session.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
            assert session.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        store.close()


def test_a_transaction_that_fails_leaves_nothing(tmp_path, shop):
    shop.open([shop.person("call")])

    def half_done(session):
        emit(session, "form", "k", "form.submitted", shop.clock.now())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        shop.act(half_done)
    assert shop.all(t.event) == shop.all(t.private_event) == []


def newer(file):
    line = sqlite3.connect(file)
    line.execute("UPDATE alembic_version SET version_num = '9999'")
    line.commit()
    line.close()


def odd(file):
    file.write_bytes(b"This is no store. " * 400)


def torn(file):
    whole = file.read_bytes()
    file.write_bytes(whole[:100] + b"\xff" * 8000 + whole[8100:])


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (newer, "made by a newer digilog; install that version, or restore a backup"),
        (odd, r"the store .*digilog\.db cannot be used: the file is damaged or something else; restore a backup"),
        (torn, r"the store .*digilog\.db cannot be used: the file is damaged; restore a backup"),
    ],
)
def test_a_store_that_cannot_be_used_is_refused_with_a_sentence(tmp_path, harm, said):
    open_store(tmp_path).close()
    harm(tmp_path / "digilog.db")
    with pytest.raises(StoreError, match=said):
        open_store(tmp_path)


def test_a_home_that_is_a_file_is_refused_with_a_sentence(tmp_path):
    (tmp_path / "home").write_text("")
    with pytest.raises(StoreError, match="cannot be used"):
        open_store(tmp_path / "home")


def test_a_second_writer_waits_and_readers_do_not(tmp_path):
    store, order = open_store(tmp_path), []
    inside = threading.Event()

    def first():
        with store.write() as session:
            set_setting(session, "x", "first")
            inside.set()
            time.sleep(0.3)
            order.append("first")

    one = threading.Thread(target=first)
    one.start()
    inside.wait()
    with store.read() as session:
        assert setting(session, "x") is None
    with store.write() as session:
        order.append("second")
        assert setting(session, "x") == "first"
    one.join()
    store.close()
    assert order == ["first", "second"]


def test_a_reader_cannot_forget_that_it_only_reads(tmp_path):
    """Writes belong into `write()`: what a reader began at an older moment may not be written over a newer one."""
    store = open_store(tmp_path)
    with store.read() as session:
        assert setting(session, "x") is None
        with store.write() as other:
            set_setting(other, "x", "1")
        with pytest.raises(OperationalError):
            set_setting(session, "x", "2")
    store.close()


def test_one_key_of_a_connection_is_kept_once(shop):
    shop.open([shop.person("call")])
    assert [shop.asks("k") is None for _ in range(3)] == [False, True, True]
    with shop.store.write() as session:
        assert emit(session, "other", "k", "form.submitted", shop.clock.now()) is not None
    assert len(shop.all(t.private_event)) == 2


def test_a_store_in_memory_has_the_same_tables():
    store = memory_store()
    with store.write() as session:
        assert compare_metadata(MigrationContext.configure(session), t.metadata) == []
    store.close()


def test_a_store_that_is_being_written_to_can_be_opened_and_read(tmp_path):
    store = open_store(tmp_path)
    with store.write() as session:
        set_setting(session, "one", "1")
        other = open_store(tmp_path)
        with other.read() as beside:
            assert setting(beside, "one") is None
        other.close()
    store.close()


def test_threads_that_end_give_their_connections_back(tmp_path):
    store = open_store(tmp_path)

    def use() -> None:
        with store.write() as session:
            set_setting(session, "seen", "yes")
        with store.read() as session:
            assert setting(session, "seen") == "yes"

    for _ in range(40):
        thread = threading.Thread(target=use)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
    assert len(list(store._all)) <= 2
    assert len(list(Path("/proc/self/fd").iterdir())) < 200
    store.close()


def test_as_many_threads_as_calls_read_side_by_side(tmp_path):
    store, together = open_store(tmp_path), threading.Barrier(64, timeout=20)

    def use() -> None:
        with store.read() as session:
            setting(session, "seen")
            together.wait()

    threads = [threading.Thread(target=use) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not together.broken
    store.close()
