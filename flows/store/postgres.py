"""The store on PostgreSQL: several webs and engines share it; who takes what is held by locks that die with them."""

import re
import secrets
import time
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from sqlalchemy import Column, Connection, Engine, create_engine, func, make_url, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError

from connectors.tokens import Vault
from flows.store.claims import Claim
from flows.store.store import Store, StoreError, migrate, stands

CHANNEL = "digilog"  # who waits for work listens here
_BEFORE = re.compile(r"^connection failed: |\[Errno -?\d+\] ")  # what says nothing to people
_OURS, _CLAIMS = 1684632428, 1684632429  # the first numbers of our advisory locks: "digl" and the one after
_STORE, _MIGRATING = 1, 2
_ALONE = f"SELECT pg_advisory_xact_lock({_OURS}, {_STORE})"
_BESIDE = f"SELECT pg_advisory_xact_lock_shared({_OURS}, {_STORE})"
_SAY = f"NOTIFY {CHANNEL}"
_AGAIN = 1.0  # seconds until a lost database is asked again
_SETTLE = 2.0  # seconds that the living have to take their locks again after the database was away
# A host that vanishes lets go of its locks within a quarter of a minute, a process that dies at once.
_LIVELY = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=3 -c tcp_keepalives_count=3"
_WRITES = f"{_LIVELY} -c lock_timeout=5s -c idle_in_transaction_session_timeout=15s"
_ASKED = {"connect_timeout": 5, "keepalives_idle": 5, "keepalives_interval": 3, "keepalives_count": 3}


def open_postgres(url: str) -> Store:
    """The store in a database, migrated. Raises StoreError if the address is none or the database refuses."""
    where = _address(url)
    writer, reader = _engine(where, _WRITES), _engine(where, _LIVELY, reads=True)
    try:
        if not stands(reader):
            with writer.begin() as waits:  # of several that start together, one makes the tables
                waits.execute(text(f"SELECT pg_advisory_xact_lock({_OURS}, {_MIGRATING})"))
                migrate(writer, reader)
    except (DBAPIError, StoreError) as error:
        writer.dispose()
        reader.dispose()
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"the database {_shown(where)} cannot be used: {_cause(error)}") from None
    return PostgresStore(writer, reader, where)


class PostgresStore(Store):
    """`write()` waits until nobody else writes; `write(beside=True)` only for those who write alone."""

    shared = True

    def __init__(self, writer: Engine, reader: Engine, url: URL) -> None:
        super().__init__(writer, reader)
        self._url = url
        # For whoever forgets to close it. Not at exit: a forked child would close its parent's connections.
        weakref.finalize(self, _leave, writer, reader).atexit = False

    @contextmanager
    def write(self, *, beside: bool = False) -> Iterator[Connection]:
        with self._writer.begin() as session:
            session.exec_driver_sql(_BESIDE if beside else _ALONE)
            yield session
            if not beside:
                session.exec_driver_sql(_SAY)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._reader.begin() as session:
            yield session

    def newest(self, key: Column[int]) -> int:
        """Numbers are given before the commit: only when no turn is under way is none still to come."""
        with self._writer.begin() as session:
            session.exec_driver_sql(_ALONE)
            return session.execute(select(func.max(key))).scalar() or 0

    def size(self) -> int:
        with self.read() as session:
            return int(session.execute(text("SELECT pg_database_size(current_database())")).scalar_one())

    def written(self) -> Iterator[None]:
        while True:
            try:
                with _connect(self._url) as line:
                    line.execute(f"LISTEN {CHANNEL}")
                    for _ in line.notifies():
                        yield None
            except psycopg.Error:
                time.sleep(_AGAIN)

    def vault(self, keys: str) -> Vault:
        from flows.store.tokens import DatabaseVault  # ciphers are loaded where they are used

        return DatabaseVault(self, keys)

    def line(self) -> "psycopg.Connection[Any]":
        """A connection of one's own, to be closed by whoever asked; locks end with it."""
        return _connect(self._url)

    def _claim(self) -> Claim:
        return DatabaseClaim(self._url)


def _leave(*engines: Engine) -> None:
    for engine in engines:
        engine.dispose()


class DatabaseClaim:
    """An advisory lock on a connection of its own."""

    def __init__(self, url: URL) -> None:
        self._number = secrets.randbits(31)
        self.id = str(self._number)
        self._url, self._again = url, 0.0
        self._line: psycopg.Connection[Any] | None = _connect(url)
        self._take(self._line)

    def _take(self, line: "psycopg.Connection[Any]") -> bool:
        found = line.execute("SELECT pg_try_advisory_lock(%s, %s)", (_CLAIMS, self._number)).fetchone()
        return bool(found and found[0])

    def hold(self) -> bool:
        """Take it again where the database was away; then the others first have a moment to do the same."""
        try:
            if self._line is not None:
                self._line.execute("SELECT 1")
                return time.monotonic() >= self._again
        except psycopg.Error:
            self._drop()
        with suppress(psycopg.Error):
            line = _connect(self._url)
            if self._take(line):
                self._line, self._again = line, time.monotonic() + _SETTLE
            else:  # the database has not noticed yet that the old connection is gone
                line.close()
        return False

    def dead(self, session: Connection, ids: Iterable[str]) -> set[str]:
        held = session.execute(_HELD, {"ours": _CLAIMS}).scalars()
        return set(ids) - {str(number) for number in held}

    def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            with suppress(psycopg.Error):
                line.close()

    def close(self) -> None:
        """Given back before the line ends: the database notices the end of a line only a moment later."""
        if self._line is not None:
            with suppress(psycopg.Error):
                self._line.execute("SELECT pg_advisory_unlock(%s, %s)", (_CLAIMS, self._number))
        self._drop()


_HELD = text(
    "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND classid = :ours AND objsubid = 2 AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def _address(url: str) -> URL:
    """Raises StoreError, which never shows the address: a password may stand in it."""
    wrong = "DIGILOG_DATABASE_URL: write postgresql://user:password@host:5432/database, or unset it for one file"
    try:
        found = make_url(url)
    except ArgumentError:
        raise StoreError(wrong) from None
    if found.get_backend_name() not in {"postgresql", "postgres"}:
        raise StoreError(wrong)
    return found.set(drivername="postgresql+psycopg")


def _engine(url: URL, options: str, *, reads: bool = False) -> Engine:
    return create_engine(
        url,
        paramstyle="format",  # values go by their place, see `prepared`
        connect_args={**_ASKED, "options": options, "application_name": "digilog"},
        pool_size=5,
        max_overflow=80,  # a call to a built-in reads while it lasts
        pool_timeout=10,
        pool_pre_ping=True,  # a database that was started anew costs nobody an error
        hide_parameters=True,
        isolation_level="REPEATABLE READ" if reads else "READ COMMITTED",
        execution_options={"postgresql_readonly": reads},
    )


def _connect(url: URL) -> "psycopg.Connection[Any]":
    told = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(told, autocommit=True, options=_LIVELY, application_name="digilog", **_ASKED)  # type: ignore[arg-type]


def _shown(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def _cause(error: DBAPIError) -> str:
    """The first line of what the driver says: the others guess, or repeat it for each address of a host."""
    first = next(iter(str(error.orig).strip().splitlines()), "it does not answer")
    told = " ".join(_BEFORE.sub("", first).split())
    return f"{told}; see that it runs and DIGILOG_DATABASE_URL is right"
