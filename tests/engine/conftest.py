"""Connectors of somebody else, found as any installed one is: by their entry points."""

import importlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connectors import registry
from flows.cli import app
from flows.engine.engine import Engine
from flows.engine.questions import Question, Told, ask
from flows.store.write import set_setting


@pytest.fixture
def till(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The service behind the connector `till`, empty."""
    monkeypatch.syspath_prepend(str(Path(__file__).with_name("vendor")))
    _look_again()
    vendor = importlib.import_module("till_vendor")
    vendor.Till.state = vendor.State()
    yield vendor.Till.state
    _look_again()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The services behind the connectors `knock`, `mailbox` and `register`, empty, by name."""
    monkeypatch.syspath_prepend(str(Path(__file__).with_name("vendor")))
    _look_again()
    vendor = importlib.import_module("asked_vendor")
    found = {}
    for kind in (vendor.Knock, vendor.Mailbox, vendor.Register):
        kind.state = found[kind.service] = vendor.Service()
    yield SimpleNamespace(**found)
    _look_again()


@pytest.fixture
def digilog(shop: Any, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """A command on the shop's home, at the shop's time, and what it said; then the engine's turns."""

    def run(*words: str) -> str:
        began = datetime.now(UTC)
        with shop.store.write() as session:
            set_setting(session, "clock_offset", str((shop.clock.now() - began).total_seconds()))
        app([*words, "--home", str(shop.home), "--playbooks", str(shop.folder)], exit_on_error=False)
        shop.clock.set(shop.clock.now() + (datetime.now(UTC) - began))
        shop.turns()
        return capsys.readouterr().out

    return run


class Asks:
    """Asks at once; `dead`: what is submitted is never heard of again."""

    def __init__(self, shop: Any) -> None:
        self._shop, self._back, self.dead, self.free = shop, [], False, 4
        self.sent: list[Question] = []

    def submit(self, asked: Question) -> None:
        self.sent.append(asked)
        if not self.dead:
            self._back.append(ask(self._shop.world, asked))

    def answers(self) -> list[Told]:
        back, self._back = self._back, []
        return back


@pytest.fixture
def begin(shop: Any, asked: Any) -> Callable[..., Any]:
    """A shop with a connection of that name, and an engine that asks by itself."""

    def begun(connector: str, steps: Any = None, **head: Any) -> Any:
        shop.connect(connector, connector=connector, **head.pop("settings", {}))
        shop.open(steps, **head)
        ask_too(shop)
        return shop

    return begun


def ask_too(shop: Any) -> Asks:
    """A new engine that asks, as after a kill."""
    shop.restart()
    shop.asking = Asks(shop)
    shop.engine = Engine(shop.store, shop.world, shop.calls, shop.asking)
    shop.engine.recover()
    return shop.asking


@pytest.fixture
def diary(till: Any) -> Any:
    """The connector `diary`, which wants a person's consent."""
    del till
    return importlib.import_module("diary_vendor").Diary


def _look_again() -> None:
    registry._entries.cache_clear()
    registry.find.cache_clear()
