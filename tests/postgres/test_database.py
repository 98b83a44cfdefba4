"""The database as a store: made by migrations, refused without showing a password, copied by its own tools."""

import gc
import os
import socket
import subprocess
import sys
import threading
import time
import warnings

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import DBAPIError

from flows.cli import keeping
from flows.cli.app import Where
from flows.screen import Refused
from flows.store import tables as t
from flows.store.store import StoreError, open_store
from flows.store.write import set_setting, setting


@pytest.fixture
def bare(server):
    url = server.make()
    yield url
    server.drop(url)


def test_the_tables_are_what_the_migrations_make_also_when_two_begin_at_once(tmp_path, bare):
    stores = []
    threads = [threading.Thread(target=lambda: stores.append(open_store(tmp_path, bare))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    one, two = stores
    with one.read() as session:
        assert compare_metadata(MigrationContext.configure(session, opts={"compare_type": True}), t.metadata) == []
    with one.read() as session, pytest.raises(DBAPIError):
        set_setting(session, "x", "1")
    with one.write() as session:
        set_setting(session, "x", "1")
        with two.read() as beside:
            assert setting(beside, "x") is None
    assert one.size() > 1_000_000
    one.close()
    two.close()


def test_a_store_that_a_command_forgets_to_close_closes_its_connections(tmp_path, server, bare):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        store = open_store(tmp_path, bare)
        with store.write() as session:
            set_setting(session, "x", "1")
        del store, session
        gc.collect()
    assert [str(one.message) for one in said] == []
    with psycopg.connect(server.url("postgres"), autocommit=True) as line:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND application_name = 'digilog'"
        for _ in range(50):
            if line.execute(asked, (bare.rpartition("/")[2],)).fetchone() == (0,):
                return
            time.sleep(0.1)
    pytest.fail("connections are left open")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "postgresql://digilog:hush@127.0.0.1:1/shop",
            r'cannot be used: connection to server at "127.0.0.1", port 1 failed: Connection refused; see that it runs',
        ),
        ("mysql://digilog:hush@127.0.0.1/shop", "DIGILOG_DATABASE_URL: write postgresql://"),
        ("no address hush", "DIGILOG_DATABASE_URL: write postgresql://"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused_without_showing_the_password(tmp_path, url, said):
    with pytest.raises(StoreError, match=said) as refused:
        open_store(tmp_path, url)
    assert "hush" not in str(refused.value)


def test_a_home_on_a_database_is_refused_without_its_address_and_does_not_keep_it(shop, bare, tmp_path):
    shop.open([shop.person("call")])
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DIGILOG_", "PREFECT_"))}

    def said(*words, **env):
        command = [sys.executable, "-m", "flows.cli", *words, "--home", "new", "--playbooks", str(shop.folder)]
        done = subprocess.run(
            command, env=clean | env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 1, done
        return done.stderr

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert "is in use" in said("up", "--no-prefect", "--port", port, DIGILOG_DATABASE_URL=bare)
        for words in (("cases",), ("up", "--no-prefect", "--port", port)):
            assert "is a PostgreSQL database; set DIGILOG_DATABASE_URL" in said(*words)
    assert "//" not in (tmp_path / "new" / "home.json").read_text("utf-8")
    assert not (tmp_path / "new" / "digilog.db").exists()


def test_backup_names_the_tool_of_the_database(shop, tmp_path):
    shop.open([shop.person("call")])
    with pytest.raises(Refused, match="pg_dump"):
        keeping.backup(tmp_path / "copy.tar.gz", where=Where(shop.home, shop.folder))
