"""A tiny shop for tests: a company folder, the real engine over a real store, a clock that stands, calls by script."""

import gc
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis
import pytest
from sqlalchemy import select, text

from connectors.clock import VirtualClock
from connectors.errors import ConnectorError
from flows.engine.books import open_book
from flows.engine.calls import perform
from flows.engine.effects import Answer, Sending
from flows.engine.engine import Engine
from flows.engine.world import World
from flows.people.assignments import finish
from flows.people.links import Links
from flows.settings import Settings
from flows.store import tables as t
from flows.store.read import Row, rows
from flows.store.store import Store, open_store
from flows.store.write import emit
from tests.databases import Server, running

pytest_plugins = ["tests.verified"]

hypothesis.settings.register_profile(  # of no machine is asked how fast it is
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")
ZONE = ZoneInfo("Asia/Seoul")
MONDAY = "2026-11-23 10:00"
FILES: Mapping[str, Any] = {
    "company": {
        "name": "온다", "zone": "Asia/Seoul", "country": "KR",
        "hours": {"mon-fri": "09:00-18:00", "sat": "closed", "sun": "closed"},
        "channels": {"web": "웹"},
        "roles": {
            "owner": {"label": "원장", "people": ["han"], "backup": "manager"},
            "manager": {"label": "매니저", "people": ["yoon"], "backup": "owner"},
            "instructor": {"label": "강사", "people": ["ji", "so"]},
        },
        "people": {who: {"name": f"{who}님", "email": f"{who}@onda.example"} for who in ("han", "yoon", "ji", "so")},
        "sender": {"name": "온다", "email": "desk@onda.example"},
        "connections": {
            "form": {"connector": "own_form"},
            "sheet": {"connector": "excel", "file": "list.xlsx"},
            "numbers": {"connector": "csv", "file": "numbers.csv"},
            "sink": {"connector": "web", "base_url": "http://127.0.0.1:9", "allow_loopback": "true"},
        },
        "mediums": {"sms": "outbox", "alimtalk": "outbox", "team": "outbox"},
    },
    "canvas": {
        "stages": {"apply": {"label": "신청"}, "experience": {"label": "경험"}, "decide": {"label": "결정"}},
        "kinds": {"visit_trial": {"stage": "experience"}, "purchase_card": {"stage": "decide"},
                  "apply": {"stage": "apply"}},
    },
    "messages": {
        "hello": {"medium": "alimtalk", "purpose": "info", "fallback": "sms", "text": "#{name}님 안녕하세요"},
        "offer": {"medium": "sms", "purpose": "ad", "text": "(광고) 할인"},
    },
    "metrics": {},
}  # fmt: skip
HEAD: Mapping[str, Any] = {
    "title": "방문 상담", "system": "customer", "stage": "apply", "owner": "manager", "purpose": "고객이 답을 받는다.",
    "start": {"event": "form.submitted", "connection": "form"},
    "fields": {"name": {"type": "text", "label": "이름"}, "phone": {"type": "phone", "label": "연락처"}},
    "case": "phone",
}  # fmt: skip


class Script:
    """A caller: answers of the script by `connection.action`, the last one stays; what is not in it is really done."""

    def __init__(self, world: World, store: Store) -> None:
        self._world, self._store = world, store
        self.answers_to: dict[str, Any] = {}
        self.sent: list[Sending] = []
        self.dead = False  # what is submitted is never heard of again
        self.free = 100
        self._back: list[Answer] = []

    def submit(self, sending: Sending) -> None:
        self.sent.append(sending)
        if not self.dead:
            self._back.append(self._answer(sending))

    def answers(self) -> list[Answer]:
        back, self._back = self._back, []
        return back

    @property
    def pending(self) -> bool:
        return bool(self._back)

    def uses(self) -> list[str]:
        """What was called beside notices to people."""
        return [f"{one.connection}.{one.action}" for one in self.sent if one.case]

    def _answer(self, sending: Sending) -> Answer:
        use = f"{sending.connection}.{sending.action}"
        if use not in self.answers_to or not sending.case:
            return perform(self._world, self._store, sending)
        found = self.answers_to[use]
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        if callable(found):
            found = found(sending)
        if isinstance(found, ConnectorError):
            return Answer(sending.effect, error=found)
        return Answer(sending.effect, found)


class Shop:
    """One company on one home. Times are the company's, written as `2026-11-23 10:00`."""

    def __init__(self, folder: Path, database: str = "") -> None:
        self.database = database  # the address of a PostgreSQL database; empty: the home's own file
        self.folder, self.home = folder / "playbooks", folder / "home"
        self.files = {name: dict(content) for name, content in FILES.items()}
        self.folder.mkdir()

    @staticmethod
    def machine(id: str, use: str, with_: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        return {"id": id, "do": f"{id}을 한다", "by": "machine", "use": use, "with": with_ or {},
                "by_hand": "3m", "expect": "되어 있다", **more}  # fmt: skip

    @staticmethod
    def person(id: str, by: Any = "manager", **more: Any) -> dict[str, Any]:
        return {"id": id, "do": f"{id}을 한다", "by": by, "by_hand": "3m", "expect": "되어 있다", **more}

    @staticmethod
    def moment(at: str) -> datetime:
        return datetime.fromisoformat(at).replace(tzinfo=ZONE)

    def write(self, steps: list[dict[str, Any]], name: str = "visit", state: str = "operate", **head: Any) -> None:
        """Write a playbook; a key of the head that is None is left out."""
        whole = {"playbook": name, "state": state, **HEAD, **head, "steps": steps}
        kept = {key: value for key, value in whole.items() if value is not None}
        (self.folder / f"{name}.yaml").write_text(json.dumps(kept, ensure_ascii=False, indent=1))

    def write_files(self) -> None:
        """Write company, canvas, messages and metrics as `files` says."""
        for name, content in self.files.items():
            (self.folder / f"{name}.yaml").write_text(json.dumps(content, ensure_ascii=False))

    def connect(self, name: str, **settings: str) -> None:
        """One more connection in `files`."""
        company = self.files["company"]
        company["connections"] = {**company["connections"], name: settings}

    def open(self, steps: list[dict[str, Any]] | None = None, at: str = MONDAY, **head: Any) -> "Shop":
        """Write the company and the playbook `visit`, and begin at a time."""
        self.write_files()
        if steps is not None:
            self.write(steps, **head)
        self.store, self.clock = open_store(self.home, self.database), VirtualClock(self.moment(at))
        links = Links("http://127.0.0.1", b"key")
        vault = self.store.vault(Settings().secret_key)
        self.world = World(open_book(self.folder), self.clock, links, self.home, vault=vault, chance=random.Random(1))
        self.restart()
        return self

    def restart(self, answers_to: Mapping[str, Any] | None = None) -> int:
        """A new engine on the same home, as after a kill. Returns how many effects were in flight."""
        if hasattr(self, "engine"):
            self.engine.claim.close()  # as a kill does
        self.calls = Script(self.world, self.store)
        self.calls.answers_to |= answers_to or {}
        self.engine = Engine(self.store, self.world, self.calls)
        return self.engine.recover()

    def load(self) -> None:
        """The files as they stand now."""
        self.world.book = open_book(self.folder)

    def asks(self, key: str = "k1", name: str = "김하나", phone: str = "010-1234-5678", **more: Any) -> int | None:
        """A customer fills the form in; the event is kept, nothing else."""
        body = json.dumps({"이름": name, "연락처": phone, **more}, ensure_ascii=False).encode()
        with self.store.write() as session:
            return emit(session, "form", key, "form.submitted", self.clock.now(), body)

    def work(self) -> None:
        """Turns until nothing is left to do now."""
        for _ in range(200):
            if not self.engine.turn() and not any(self.engine._due()):
                return
        raise AssertionError("the engine never comes to rest")

    def turns(self, count: int = 20) -> None:
        """Turns until two of them found nothing to do; a held or paused effect may stay due."""
        idle = 0
        for _ in range(count):
            idle = 0 if self.engine.turn() or self.calls.pending else idle + 1
            if idle == 2:
                return

    def at(self, at: str) -> None:
        self.clock.set(self.moment(at))
        self.turns()

    def later(self, **length: float) -> None:
        self.clock.set(self.clock.now() + timedelta(**length))
        self.turns()

    def until_rest(self, limit: timedelta = timedelta(days=30)) -> None:
        """From one moment at which something is due to the next, as long as there is one."""
        end = self.clock.now() + limit
        self.turns()
        while (then := self.engine.next_wake()) and then <= end:
            self.clock.set(max(then, self.clock.now() + timedelta(milliseconds=1)))
            self.turns(6)

    def act(self, do: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        """Something a person does, in a transaction of its own; then the engine's turns."""
        with self.store.write() as session:
            found = do(session, *arguments, **more)
        self.turns()
        return found

    def does(self, asked: Row, answers: Mapping[str, object] | None = None, who: str = "yoon") -> list[Any]:
        """Somebody does an assignment."""
        playbook = None
        if asked["case_id"]:
            with self.store.read() as session:
                playbook = self.world.pinned(session, self.case(asked["case_id"])["version"])
        refused: list[Any] = self.act(
            finish, self.world.book, playbook, asked["id"], who, answers or {}, self.clock.now()
        )
        return refused

    def all(self, table: Any, *where: Any) -> list[Row]:
        with self.store.read() as session:
            return rows(session, select(table).where(*where).order_by(text("rowid")))

    def case(self, id: str | None = None) -> Row:
        """The case of this id, or the newest one."""
        return self.all(t.case, *([t.case.c.id == id] if id else []))[-1]

    def asked(self, **facts: str) -> list[Row]:
        """Assignments that still wait for somebody."""
        found = self.all(t.assignment, t.assignment.c.state.in_(("open", "claimed")))
        return [one for one in found if all(one[name] == value for name, value in facts.items())]

    def effects(self) -> list[Row]:
        """Effects of cases: notices to people left out."""
        return self.all(t.effect, t.effect.c.case_id.is_not(None))

    def story(self) -> list[str]:
        """The journal in short: `step state`, or the state alone where it is about the whole case."""
        return [f"{line['step']} {line['state']}" if line["step"] else line["state"] for line in self.all(t.journal)]

    def outbox(self) -> list[str]:
        """Texts to customers that lie in the outbox."""
        found = [file.read_text() for file in sorted((self.home / "outbox").glob("*.txt"))]
        return [one for one in found if "medium: team" not in one]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store as all migrations made it; each test gets a copy, since migrating takes a third of a second."""
    home = tmp_path_factory.mktemp("migrated")
    open_store(home).close()
    return home / "digilog.db"


SQLITE, POSTGRES = "sqlite", "postgres"
ON_BOTH = {
    "test_store.py", "test_effects.py", "test_rates.py", "test_starts.py", "test_exchanges.py", "test_polls.py",
    "test_confirm.py", "test_payments.py", "test_daily.py", "test_alerts.py", "test_two_stores.py",
}  # fmt: skip
ON_SQLITE = {"test_backup.py", "test_upgrade.py", "test_plans.py"}  # about its file, or its own words


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """PostgreSQL for this process of tests, started when first asked for."""
    with running() as found:
        yield found


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of the store, for tests on both kinds; empty where it is the home's own file."""
    if getattr(request, "param", SQLITE) == SQLITE:
        yield ""
        return
    server: Server = request.getfixturevalue("server")
    yield server.url("migrated")
    gc.collect()  # a command leaves its store to the end of its process
    server.empty()


@pytest.fixture
def shop(tmp_path: Path, migrated: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    made = Shop(tmp_path, database)
    monkeypatch.setenv("DIGILOG_DATABASE_URL", database)  # for commands
    (made.home / "files").mkdir(parents=True)
    if not database:
        shutil.copy(migrated, made.home)
    yield made
    if hasattr(made, "store"):
        made.store.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests of a shop run on SQLite; those of the rooms that the stores differ in on both; all, if asked to."""
    if "database" not in metafunc.fixturenames:
        return
    name = metafunc.definition.path.name
    both = name in ON_BOTH or os.environ.get("DIGILOG_TEST_STORES") == "all"
    kinds = [SQLITE, POSTGRES] if both and name not in ON_SQLITE else [SQLITE]
    alone = metafunc.definition.path.parent.name == POSTGRES
    metafunc.parametrize("database", [POSTGRES] if alone else kinds, indirect=True)
