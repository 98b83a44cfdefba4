"""Opens the store: one SQLite file with one writer at a time and readers beside it, memory, or PostgreSQL."""

import fcntl
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, StaticPool, create_engine, event, func, inspect, select, text
from sqlalchemy.exc import DatabaseError, DBAPIError

from connectors.tokens import Vault
from flows.store.claims import Claim, FileClaim, NoClaim
from flows.store.tables import metadata

HEAD = "0006"  # the newest migration; held by a test


class StoreError(Exception):
    """The store cannot be opened or written; the sentence says why and what to do."""


class _Kept:
    """A connection that goes back when its thread ends, which drops all that the thread kept."""

    def __init__(self, session: Connection) -> None:
        self.session = session

    def __del__(self) -> None:
        self.session.close()


class Store:
    """`write()` is one transaction in which nobody else writes; `read()` sees one moment.

    Several engines may share a store that is `shared`: their turns write `beside` one another, and each takes with
    a lock what it works on. Everybody else writes alone, and need not think of it.
    """

    shared = False

    def __init__(self, writer: Engine, reader: Engine, home: Path | None = None) -> None:
        self._writer, self._reader, self._home = writer, reader, home
        self._claims: list[Claim] = []
        queue = home / "locks" / "store" if home else None
        self._held = threading.local()
        self._all: weakref.WeakSet[_Kept] = weakref.WeakSet()
        self._queue = os.open(queue, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600) if queue else None

    @contextmanager
    def write(self, *, beside: bool = False) -> Iterator[Connection]:  # noqa: ARG002 - here nobody writes beside
        with self._in_turn(), self._transaction("writer", self._writer) as session:
            yield session

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Processes queue up here: SQLite alone would let them try again and again, and the busiest always win."""
        if self._queue is not None:
            fcntl.flock(self._queue, fcntl.LOCK_EX)
        try:
            yield
        finally:
            if self._queue is not None:
                fcntl.flock(self._queue, fcntl.LOCK_UN)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._transaction("reader", self._reader) as session:
            yield session

    @contextmanager
    def _transaction(self, name: str, engine: Engine) -> Iterator[Connection]:
        """On a connection that the thread keeps: taking one from the pool costs more than a small transaction."""
        kept: _Kept | None = getattr(self._held, name, None)
        if kept is None:
            kept = _Kept(engine.connect())
            setattr(self._held, name, kept)
            self._all.add(kept)
        session = kept.session
        if session.in_transaction():  # one inside another, such as a read while a page is made
            with engine.begin() as inner:
                yield inner
            return
        with session.begin():
            yield session

    def claim(self) -> Claim:
        """A lock that lives as long as this process: who meets a call of a claim that is free takes it over."""
        made = self._claim()
        self._claims.append(made)
        return made

    def _claim(self) -> Claim:
        return FileClaim(self._home / "locks") if self._home else NoClaim()

    def newest(self, key: Column[int]) -> int:
        """The highest number of a table's rows up to which none is still to come."""
        with self.read() as session:
            return session.execute(select(func.max(key))).scalar() or 0

    def size(self) -> int:
        """Bytes of a shared store."""
        return 0

    def written(self) -> Iterator[None]:
        """Where several processes share it: each time that one has written; waits for them for good."""
        yield from ()

    def vault(self, keys: str) -> Vault | None:
        """Where engines that share this store keep tokens, sealed with `keys`; none: in the home's own folder."""
        del keys
        return None

    def close(self) -> None:
        for claim in self._claims:
            claim.close()
        self._claims.clear()
        for kept in list(self._all):
            kept.session.close()
        self._all.clear()
        self._held = threading.local()
        self._writer.dispose()
        self._reader.dispose()
        if self._queue is not None:
            os.close(self._queue)
            self._queue = None


def open_store(home: Path, url: str = "") -> Store:
    """The store of a home, migrated to the newest form: its own file, or the PostgreSQL database that `url` names.

    Raises StoreError if it is no store, or was made by a newer digilog, or cannot be reached, or the disk refuses.
    """
    file = home / "digilog.db"
    try:
        if not home.is_dir():
            home.mkdir(parents=True, mode=0o700)  # customers' words lie in it
        (home / "locks").mkdir(exist_ok=True)
        if url:
            from flows.store.postgres import open_postgres  # its driver is loaded where it is used

            return open_postgres(url)
        writer, reader = _engine(f"sqlite:///{file}", "BEGIN IMMEDIATE"), _engine(f"sqlite:///{file}", "BEGIN")
        migrate(writer, reader)
    except (OSError, DatabaseError) as error:
        raise StoreError(f"the store {file} cannot be used: {cause(error)}") from None
    return Store(writer, reader, home)


def memory_store() -> Store:
    """A store that is gone when closed, for simulations; one thread."""
    engine = create_engine("sqlite://", poolclass=StaticPool, hide_parameters=True)
    _prepare(engine, "BEGIN")
    metadata.create_all(engine)
    return Store(engine, engine)


def _engine(url: str, begin: str) -> Engine:
    # A thread keeps one of each, so the threads are the limit.
    engine = create_engine(url, connect_args={"timeout": 5}, hide_parameters=True, max_overflow=-1)
    _prepare(engine, begin)
    return engine


def _prepare(engine: Engine, begin: str) -> None:
    @event.listens_for(engine, "connect")
    def connect(raw: sqlite3.Connection, _record: Any) -> None:
        raw.isolation_level = None  # sqlite3 would start transactions late; we start them ourselves
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000"):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def started(session: Connection) -> None:
        try:
            session.connection.dbapi_connection.execute(begin)  # type: ignore[union-attr]
        except sqlite3.Error as error:  # as SQLAlchemy would tell it
            raise DBAPIError.instance(begin, None, error, sqlite3.Error, hide_parameters=True) from None


def migrate(engine: Engine, reader: Engine) -> None:
    """Bring the tables to the newest form. Raises StoreError if they are newer than this digilog."""
    if stands(reader):  # looking takes no lock: a store that is being written to can be opened
        return
    from alembic import command  # importing alembic takes 0.3 s: only when there is something to do
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "flows.store:migrations")
    with engine.begin() as session:
        config.attributes["connection"] = session
        command.upgrade(config, "head")


def stands(reader: Engine) -> bool:
    """Whether the tables have the newest form. Raises StoreError if they are newer."""
    with reader.connect() as session:
        if not inspect(session).has_table("alembic_version"):
            return False
        found = session.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is None or found > HEAD:
        raise StoreError("the store was made by a newer digilog; install that version, or restore a backup")
    return bool(found == HEAD)


def cause(error: Exception) -> str:
    """What a refusing store means for people, and what to do."""
    known = {
        "malformed": "the file is damaged; restore a backup",  # "database disk image is malformed"
        "not a database": "the file is damaged or something else; restore a backup",
        "disk is full": "the disk is full; free some space and start again",
        "disk i/o": "the disk does not read or write; free some space, or look at the disk",
        "readonly": "it may not be written; check who owns the folder",
        "read-only": "the disk is read-only; check how it is mounted, or name another folder with --home",
        "locked": "another program holds it; stop that one first",
    }
    words = str(getattr(error, "orig", None) or error)
    return next(
        (say for part, say in known.items() if part in words.lower()), getattr(error, "strerror", None) or words
    )
