"""How long each page of the board takes beside years of cases: p50 and p95 at the socket, on SQLite and PostgreSQL."""

import http.client
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

from bench.figures import Row, Rows, at, at_most
from bench.systems import ROOT, end, free, spawn, until_open
from bench.town import fill
from flows.engine.books import open_book
from flows.people.users import add_user, open_session, password_of
from flows.store.store import Store, open_store
from flows.web.board.ask import COOKIE
from tests.databases import Server, binaries
from tests.web.board.places import places

CASES, CUSTOMERS, ROUNDS = 100_000, 20_000, 60
LIMIT = 100  # ms
_PLAYBOOKS = ROOT / "playbooks"


def board(folder: Path, *, quick: bool) -> Rows:
    """One store of each kind, filled; one page after the other, again and again."""
    cases, customers = (CASES // 50, CUSTOMERS // 50) if quick else (CASES, CUSTOMERS)
    with _stores(folder) as stores:
        took = {kind: _measured(folder / kind, url, cases, customers, quick) for kind, url in stores.items()}
    for page in next(iter(took.values())):
        said = [f"{at(found[page], 0.5):.0f} / {at(found[page], 0.95):.0f}" for found in took.values()]
        yield Row("board", (_named(page), *said, *[""] * (2 - len(said))))
    for kind, found in took.items():
        worst = max(at(one, 0.95) for one in found.values())
        yield at_most(f"p95 of the slowest page beside {cases:,} cases, on {kind}", LIMIT, worst, " ms")


def _named(page: str) -> str:
    """A page's address as people read it, without the number of the one that was asked for."""
    return f"`{unquote(re.sub(r'/[^/?]*[0-9][^/?]*$', '/…', page))}`"


@contextmanager
def _stores(folder: Path) -> Iterator[Mapping[str, str]]:
    """Kinds of stores with their address; PostgreSQL where it is installed."""
    bin = binaries()
    for kind in ("SQLite", "PostgreSQL"):
        (folder / kind).mkdir()
    if bin is None:
        yield {"SQLite": ""}
        return
    with tempfile.TemporaryDirectory(prefix="digilog-bench-postgres-") as data:
        server = Server(bin, Path(data))
        server.start()
        try:
            yield {"SQLite": "", "PostgreSQL": server.make()}
        finally:
            server.stop()


def _measured(home: Path, url: str, cases: int, customers: int, quick: bool) -> dict[str, list[float]]:
    """Milliseconds of each page."""
    with closing(open_store(home, url)) as store:
        fill(store, open_book(_PLAYBOOKS), datetime.now(UTC), cases, customers)
        cookie = _login(store)
        with store.read() as session:
            pages = places(lambda said: list(session.exec_driver_sql(said)))
    os.sync()  # or the disk is still busy with this while it is measured
    port = free()
    env = {"DIGILOG_HOME": home, "DIGILOG_PLAYBOOKS": _PLAYBOOKS, "DIGILOG_PORT": port, "DIGILOG_DATABASE_URL": url}
    web = spawn([sys.executable, "-m", "flows.web"], {name: str(value) for name, value in env.items()})
    try:
        until_open(port)
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as line:
            found: dict[str, list[float]] = {page: [] for page in pages}
            for number in range(3 if quick else ROUNDS + 2):
                for page in pages:
                    taken = _asked(line, page, cookie)
                    found[page] += [taken] if number > 1 else []  # the first ones warm up
            return found
    finally:
        end(web)


def _asked(line: http.client.HTTPConnection, page: str, cookie: str) -> float:
    begun = time.perf_counter()
    line.request("GET", page, headers={"cookie": f"{COOKIE}={cookie}"})
    answer = line.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{page} answered {answer.status}: a figure of it says nothing")
    return (time.perf_counter() - begun) * 1000


def _login(store: Store) -> str:
    with store.write() as session:
        now = datetime.now(UTC)
        add_user(session, "han", "admin", "three small boats", "bench", now)
        secret = open_session(session, "han", password_of(session, "han"), now)
    assert secret
    return secret
