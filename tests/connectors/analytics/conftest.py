"""A source of numbers, connected to a service that answers by script."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest

from connectors.analytics import Source
from connectors.base import variable_of
from connectors.registry import find
from connectors.testing import Asked, Script, scripted


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection of a sample, and what it asked."""

    source: Source
    script: Script
    usual: dict[str, Any]

    def readings(self, **asked: Any) -> Any:
        """What the action brings; asked as the sample asks, but for `asked`."""
        return self.source.call("readings", self.usual | asked)

    def asked(self, path: str = "") -> list[Asked]:
        return [one for one in self.script.asked if path in one.path and one.path != "/token"]


@pytest.fixture
def connect() -> Iterator[Callable[..., Connected]]:
    """Connect a sample's service; `answers` beside its good ones, `settings` beside its own."""
    with ExitStack() as stack:

        def made(service: str, answers: dict[str, Any] | None = None, **settings: Any) -> Connected:
            sample = import_module(f"tests.connectors.samples.{service}")
            script = stack.enter_context(scripted({**sample.GOOD, **(answers or {})}))
            environ = {variable_of(service, name): value for name, value in sample.SECRETS.items()}
            told = {**sample.SETTINGS, "base_url": script.base_url, "allow_loopback": True, **settings}
            source = find(service).connect(service, told, environ=environ)
            stack.callback(source.close)
            assert isinstance(source, Source)
            return Connected(source, script, sample.ASKED)

        yield made
