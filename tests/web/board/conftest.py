"""The door's company with people who may log in: han an admin, yoon at work, ji looking on."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from flows.people.users import add_user, open_session, password_of
from flows.store.read import Row
from flows.web.board.ask import COOKIE
from flows.web.rate import Rate
from tests.web.conftest import GOOD, Door, Reply, open_door

PASSWORD = "three small boats"
ROLES = {"han": "admin", "yoon": "act", "ji": "view"}
_TOKEN = re.compile(r'name="_token" value="([0-9a-f]+)"')


@dataclass
class Visitor:
    """A browser without JavaScript: a cookie, and the token of its pages."""

    door: Door
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Reply:
        return self.ask("GET", path)

    def post(self, path: str, fields: Mapping[str, Any], *, token: str | None = None) -> Reply:
        mine = {"_token": self.token() if token is None else token}
        return self.ask("POST", path, urlencode({**mine, **fields}, doseq=True).encode())

    def ask(self, method: str, path: str, body: bytes | None = None) -> Reply:
        head = {"cookie": f"{COOKIE}={self.cookie}", **self.headers}
        if body is not None:
            head["content-type"] = "application/x-www-form-urlencoded"
        return self.door.ask(method, path, body, head)

    def token(self) -> str:
        found = _TOKEN.search(self.get("/account").text)
        return found[1] if found else ""


@dataclass
class Board:
    """The door, and a visitor for each role."""

    door: Door

    def log_in(self, name: str) -> Visitor:
        """A session without the page, whose tries are counted."""
        with self.door.store.write() as session:
            secret = open_session(session, name, password_of(session, name), datetime.now(UTC))
        assert secret
        return Visitor(self.door, secret)

    @property
    def admin(self) -> Visitor:
        return self.log_in("han")

    @property
    def actor(self) -> Visitor:
        return self.log_in("yoon")

    @property
    def viewer(self) -> Visitor:
        return self.log_in("ji")

    def submit(self, **answers: object) -> Row:
        """A customer sends the form, the engine takes it. Returns the new assignment."""
        page = self.door.get("/form/trial-form").text
        hidden = dict(re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)" value="([^"]*)"', page))
        sent = self.door.post("/form/trial-form", {**hidden, **GOOD, **answers})
        assert sent.status == 303, sent.text
        self.door.work()
        return self.door.open_work()


def with_users(door: Door) -> Board:
    with door.store.write() as session:
        for name, role in ROLES.items():
            add_user(session, name, role, PASSWORD, "test", datetime.now(UTC))  # type: ignore[arg-type]
    return Board(door)


@pytest.fixture
def board(door: Door) -> Board:
    return with_users(door)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """One board for tables of requests."""
    with open_door(tmp_path_factory.mktemp("town")) as door:
        door.context.rate = door.context.logins = door.context.names = Rate(100_000)
        yield with_users(door)


@pytest.fixture
def korean_board(tmp_path: Path) -> Iterator[Board]:
    with open_door(tmp_path, "ko") as door:
        yield with_users(door)
