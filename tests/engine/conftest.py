"""A connector of somebody else, found as any installed one is: by its entry point."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors import registry


@pytest.fixture
def till(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The service behind the connector `till`, empty."""
    monkeypatch.syspath_prepend(str(Path(__file__).with_name("vendor")))
    _look_again()
    vendor = importlib.import_module("till_vendor")
    vendor.Till.state = vendor.State()
    yield vendor.Till.state
    _look_again()


def _look_again() -> None:
    registry._entries.cache_clear()
    registry.find.cache_clear()
