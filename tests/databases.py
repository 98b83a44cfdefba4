"""A PostgreSQL server of the tests' own: in a folder that is thrown away, on a free port of this computer only."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import psycopg
import pytest

from flows.store import tables as t
from flows.store.store import open_store

OWNER = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
PATIENCE = 30.0  # seconds for it to start or to end
_numbers = count(1)


def binaries() -> Path | None:
    """Where PostgreSQL's programs lie on this computer."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: int(one.parent.name), default=None)


class Server:
    """One server; each test has a database of its own in it, copied from one that is migrated."""

    def __init__(self, bin: Path, folder: Path) -> None:
        self._bin, self._data = bin, folder / "data"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        if OWNER:
            shutil.chown(folder, OWNER)
        self._do("initdb", "--username=digilog", "--auth=trust", "--encoding=UTF8", "--no-sync", "-D", str(self._data))

    def _do(self, program: str, *words: str) -> None:
        subprocess.run([self._bin / program, *words], check=True, user=OWNER, stdout=subprocess.DEVNULL, cwd="/")

    def start(self) -> None:
        options = {"unix_socket_directories": "", "max_connections": "300", "listen_addresses": "127.0.0.1"}
        words = [f"--{name}={value}" for name, value in options.items()]
        with (self._data.parent / "log").open("ab") as log:
            command = [self._bin / "postgres", "-D", str(self._data), "-p", str(self.port), *words]
            self._process = subprocess.Popen(command, user=OWNER, stdout=log, stderr=log, cwd="/")
        until = time.monotonic() + PATIENCE
        while not self._answers():
            assert time.monotonic() < until, "PostgreSQL does not start"
            assert self._process.poll() is None, (self._data.parent / "log").read_text()
            time.sleep(0.05)

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            psycopg.connect(self.url("postgres")).close()
            return True
        return False

    def stop(self) -> None:
        """At once, as an operator who is in a hurry would; nothing committed is lost."""
        if self._process:
            self._do("pg_ctl", "stop", "-D", str(self._data), "-m", "fast", "-s")
            self._process.wait(PATIENCE)
            self._process = None

    def url(self, database: str) -> str:
        return f"postgresql://digilog@127.0.0.1:{self.port}/{database}"

    def make(self, like: str = "template0") -> str:
        """A new database. Returns its address."""
        name = f"d{next(_numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as line:
            line.execute(f"CREATE DATABASE {name} TEMPLATE {like} STRATEGY file_copy")
        return self.url(name)

    def empty(self) -> None:
        """Take all rows out of the shared database; quicker than a new one for each test."""
        with psycopg.connect(self.url("migrated"), autocommit=True) as line:
            others = "SELECT pid FROM pg_stat_activity WHERE datname = 'migrated' AND pid <> pg_backend_pid()"
            line.execute(f"SELECT pg_terminate_backend(pid) FROM ({others}) AS others")  # what a test left open
            tables = [one.name for one in reversed(t.metadata.sorted_tables)]
            line.execute("; ".join(["BEGIN", *(f'DELETE FROM "{name}"' for name in tables), "COMMIT"]))
            line.execute("SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'")

    def drop(self, url: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as line:
            line.execute(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")

    def prepare(self) -> None:
        """The database that others are copied from. As on SQLite, its rows know in which order they came."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as line:
            line.execute("CREATE DATABASE migrated TEMPLATE template0")
        with tempfile.TemporaryDirectory() as home:
            open_store(Path(home), self.url("migrated")).close()
        with psycopg.connect(self.url("migrated"), autocommit=True) as line:
            for table in t.metadata.sorted_tables:
                line.execute(f'ALTER TABLE "{table.name}" ADD COLUMN rowid bigserial')


@contextmanager
def running() -> Iterator[Server]:
    """A started server; skips the test where PostgreSQL is not installed."""
    bin = binaries()
    if bin is None:
        pytest.skip("PostgreSQL is not installed here (Debian: apt install postgresql)")
    with tempfile.TemporaryDirectory(prefix="digilog-postgres-") as folder:
        server = Server(bin, Path(folder))
        server.start()
        try:
            server.prepare()
            yield server
        finally:
            server.stop()
