"""A small company behind a real server, on a free port, with a fresh home."""

import atexit
import http.client
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import Select

from connectors.signatures import sign_standard
from flows.engine.engine import Engine
from flows.people.links import LIVES
from flows.settings import Settings
from flows.store import tables as t
from flows.store.read import Row, rows
from flows.store.store import Store, open_store
from flows.web.__main__ import make_context, server
from flows.web.context import Context
from flows.web.rate import Rate

NEW, OLD, STRANGE = (
    f"whsec_{word}" for word in ("bmV3ZXIxMjM0NTY3ODkw", "b2xkZXIxMjM0NTY3ODkw", "c3RyYW5nZTEyMzQ1Njc4")
)
COMPANY = """
name: Onda
zone: Asia/Seoul
language: en
hours: {mon-sun: 07:00-22:00}
roles: {manager: {label: Manager, people: [yoon]}}
people: {yoon: {name: Yoon, email: yoon@onda.example}, so: {name: So, email: so@onda.example}}
sender: {name: Onda, phone: 02-555-0101}
connections:
  trial-form: {connector: own_form}
  later-form: {connector: own_form}
  partner: {connector: webhook, event: inquiry.received, key: id}
  unset: {connector: webhook}
"""
TRIAL = """
playbook: trial
title: Trial class
state: trial
system: customer
stage: apply
owner: manager
purpose: Whoever asks for a trial class hears from us the same day.
scenario: {s1: asks for a class}
start: {event: form.submitted, connection: trial-form}
fields:
  name:   {type: text, label: Your name}
  phone:  {type: phone, label: Phone}
  kind:   {type: choice, label: Class, choices: [a, b, c, d, e, f, g, h]}
  first:  {type: yesno, label: Is it your first class?}
  at:     {type: datetime, label: When, required: no}
  age:    {type: integer, label: Age, required: no, min: 14, max: 99}
  pain:   {type: text, label: Pain, required: no, sensitive: yes}
  rules:  {type: consent, label: I agree to the rules, purpose: info}
  health: {type: consent, label: You may note where it hurts, purpose: sensitive, required: no}
case: phone
overlap: parallel
steps:
  - id: assign
    do: Agree on a time
    by: manager
    due: 1h
    checklist: [called back, told the way]
    form:
      class_at: {type: datetime, label: Class at}
      ache: {type: text, label: Where it hurts, required: no, sensitive: yes}
    serves: [s1]
    expect: a time is set
    by_hand: 5m
  - id: greet
    do: Greet by name
    by: manager
    form: {memo: {type: text, label: Memo, required: no}}
    serves: [s1]
    expect: greeted
    by_hand: 1m
"""
LATER = """
playbook: later
title: Open day
state: design
system: customer
stage: apply
owner: manager
purpose: Not yet.
start: {event: form.submitted, connection: later-form}
fields: {phone: {type: phone, label: Phone}}
case: phone
steps:
  - {id: call, do: Call, by: manager}
"""
GOOD = {"name": "Kim Hana", "phone": "010-1234-5678", "kind": "a", "first": "yes", "rules": "yes"}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    text: str


@dataclass
class Door:
    """The running server and what a test asks of it."""

    port: int
    home: Path
    context: Context
    store: Store
    language: str = "en"
    seen: list[Reply] = field(default_factory=list)

    def ask(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Reply:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            line.request(method, path, body, dict(headers or {}))
            answer = line.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            reply = Reply(answer.status, found, answer.read().decode())
        finally:
            line.close()
        self.seen.append(reply)
        return reply

    def get(self, path: str) -> Reply:
        return self.ask("GET", path)

    def post(self, path: str, fields: Any, headers: Mapping[str, str] | None = None) -> Reply:
        head = {"content-type": "application/x-www-form-urlencoded", **(headers or {})}
        return self.ask("POST", path, urlencode(fields, doseq=True).encode(), head)

    def send(self, raw: bytes, id: str = "msg_1", secret: str = NEW, at: datetime | None = None) -> Reply:
        """A signed webhook."""
        return self.ask("POST", "/in/partner", raw, sign_standard(secret, id, at or datetime.now(UTC), raw))

    def rows(self, statement: Select[Any]) -> list[Row]:
        with self.store.read() as session:
            return rows(session, statement)

    def events(self) -> list[Row]:
        return self.rows(t.event.select())

    def work(self) -> None:
        """Let the engine take what lies there; nothing is sent."""
        engine = Engine(self.store, self.context.world, _NoCalls())
        for _ in range(6):
            engine.turn()

    def open_work(self) -> Row:
        return self.rows(t.assignment.select().where(t.assignment.c.state == "open"))[-1]

    def link(self, row: Row) -> str:
        links = self.context.world.links
        return f"/work/{links.token(row['id'], row['opened_at'] + LIVES)}"


class _NoCalls:
    free = 0

    def submit(self, sending: object) -> None:
        raise AssertionError("nothing may be sent here")

    def answers(self) -> list[Any]:
        return []


def company(folder: Path, language: str = "en") -> Path:
    folder.mkdir()
    (folder / "company.yaml").write_text(COMPANY.replace("language: en", f"language: {language}"), "utf-8")
    (folder / "canvas.yaml").write_text("stages: {apply: {label: Apply}}\n")
    (folder / "trial.yaml").write_text(TRIAL, "utf-8")
    (folder / "later.yaml").write_text(LATER, "utf-8")
    return folder


def settings(folder: Path, language: str = "en", port: int = 0, database: str = "") -> Settings:
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)
    (secrets / "DIGILOG_CONNECTIONS__PARTNER__SIGNING_SECRETS").write_text(f"{NEW},{OLD}")
    return Settings(
        home=folder / "home",
        database_url=database,
        playbooks=company(folder / "company", language),
        port=port,
        secrets_dir=secrets,
        public_url="https://studio.example",
    )


@cache
def _migrated() -> Path:
    """An empty store, made once: migrations take longer than most tests."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    open_store(Path(folder.name)).close()
    return Path(folder.name) / "digilog.db"


@contextmanager
def open_door(folder: Path, language: str = "en", database: str = "") -> Iterator[Door]:
    given = settings(folder, language, database=database)
    given.home.mkdir()
    if not database:
        shutil.copy(_migrated(), given.home / "digilog.db")
    store = open_store(given.home, database)
    context = make_context(given, store)
    ear = socket.create_server(("127.0.0.1", 0))
    serving = server(context)
    thread = threading.Thread(target=serving.run, kwargs={"sockets": [ear]})
    thread.start()
    until = time.monotonic() + 10
    while not serving.started and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield Door(ear.getsockname()[1], given.home, context, store, language)
    finally:
        serving.should_exit = True
        thread.join(10)
        context.close()
        store.close()
        ear.close()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with open_door(tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """One door for a table of requests that leave nothing behind."""
    with open_door(tmp_path_factory.mktemp("house")) as found:
        found.context.rate = Rate(10_000)
        yield found


@pytest.fixture
def korean_door(tmp_path: Path) -> Iterator[Door]:
    with open_door(tmp_path, "ko") as found:
        yield found
