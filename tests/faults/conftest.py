"""Calls that are told after less than a second that nobody answers."""

import pytest

from connectors.http import Http
from tests.faults.calls import DEADLINE


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every way out has the deadline of these tests."""
    monkeypatch.setitem(Http.__init__.__kwdefaults__, "deadline", DEADLINE)
