"""One home whose door, engine and command line are all real, in this process; time passes only when a test works."""

import http.client
import json
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from connectors.signatures import sign_standard
from flows.cli import app
from flows.engine.engine import Engine
from flows.people.links import LIVES
from flows.settings import Settings
from flows.store import tables as t
from flows.store.read import Row, rows
from flows.store.store import Store, open_store
from flows.web.__main__ import make_context, server
from flows.web.context import Context
from flows.web.rate import Rate
from tests.conftest import Script
from tests.hostile import company

_KEY = re.compile(r'name="_key" value="([^"]+)"')


@dataclass(frozen=True)
class Reply:
    status: int
    text: str


@dataclass
class House:
    """A running door, its store, and an engine that takes turns when asked."""

    port: int
    home: Path
    context: Context
    store: Store
    engine: Engine
    calls: Script
    secret: str = company.SECRET

    def ask(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Reply:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            line.request(method, path, body, dict(headers or {}))
            answer = line.getresponse()
            return Reply(answer.status, answer.read().decode())
        finally:
            line.close()

    def form(self, **fields: str) -> Reply:
        """Fill the form in, as a browser that sends whatever was typed."""
        found = _KEY.search(self.ask("GET", company.FORM).text)
        assert found
        raw = urlencode({"_key": found[1], **fields}, errors="surrogatepass").encode()
        return self.ask("POST", company.FORM, raw, {"content-type": "application/x-www-form-urlencoded"})

    def hook(self, body: object, id: str) -> Reply:
        """A signed webhook; `body` as bytes is sent as it is."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask("POST", company.HOOK, raw, sign_standard(self.secret, id, datetime.now(UTC), raw))

    def work(self) -> None:
        """Turns until two of them found nothing to do; what is held or paused may stay due."""
        idle = 0
        for _ in range(400):
            idle = 0 if self.engine.turn() or self.calls.pending else idle + 1
            if idle == 2:
                return
        raise AssertionError("the engine never comes to rest")

    def all(self, table: Any) -> list[Row]:
        with self.store.read() as session:
            return rows(session, table.select())

    def pages(self) -> Iterator[Reply]:
        """Every assignment's page."""
        links = self.context.world.links
        for row in self.all(t.assignment):
            yield self.ask("GET", f"/work/{links.token(row['id'], row['opened_at'] + LIVES)}")

    def digilog(self, capsys: pytest.CaptureFixture[str], *words: str) -> str:
        """What a command writes to the terminal."""
        capsys.readouterr()
        app([*words, "--home", str(self.home), "--playbooks", str(self.context.world.book.folder)])
        return capsys.readouterr().out


@contextmanager
def open_house(folder: Path, migrated: Path, *, secret: str = company.SECRET, **files: str) -> Iterator[House]:
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)
    (secrets / "DIGILOG_CONNECTIONS__HOOK__SIGNING_SECRETS").write_text(secret)
    home = folder / "home"
    home.mkdir()
    shutil.copy(migrated, home)
    given = Settings(home=home, playbooks=company.write(folder / "company", **files), port=0, secrets_dir=secrets)
    store = open_store(home)
    context = make_context(given, store)
    context.rate = Rate(1_000_000)
    calls = Script(context.world, store)
    ear = socket.create_server(("127.0.0.1", 0), backlog=512)
    serving = server(context)
    thread = threading.Thread(target=serving.run, kwargs={"sockets": [ear]})
    thread.start()
    until = time.monotonic() + 10
    while not serving.started and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield House(ear.getsockname()[1], home, context, store, Engine(store, context.world, calls), calls, secret)
    finally:
        serving.should_exit = True
        thread.join(15)
        context.close()
        store.close()
        ear.close()


@pytest.fixture
def house(tmp_path: Path, migrated: Path) -> Iterator[House]:
    with open_house(tmp_path, migrated) as found:
        yield found
