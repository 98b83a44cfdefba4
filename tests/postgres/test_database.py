"""The database as a store: made by migrations, refused without showing a password, copied by its own tools."""

import threading

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


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://digilog:hush@127.0.0.1:1/shop", "cannot be used: .*; see that it runs and DIGILOG_DATABASE_URL"),
        ("mysql://digilog:hush@127.0.0.1/shop", "DIGILOG_DATABASE_URL: write postgresql://"),
        ("no address hush", "DIGILOG_DATABASE_URL: write postgresql://"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused_without_showing_the_password(tmp_path, url, said):
    with pytest.raises(StoreError, match=said) as refused:
        open_store(tmp_path, url)
    assert "hush" not in str(refused.value)


def test_backup_names_the_tool_of_the_database(shop, tmp_path):
    shop.open([shop.person("call")])
    with pytest.raises(Refused, match="pg_dump"):
        keeping.backup(tmp_path / "copy.tar.gz", where=Where(shop.home, shop.folder))
