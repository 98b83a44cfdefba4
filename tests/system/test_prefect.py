"""The whole system with Prefect: a burst is one crowd of cases and a handful of runs."""

import asyncio
import base64
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import ConnectorError
from connectors.http import local
from tests.system.conftest import SECRET, VARIABLE, Up
from tests.system.test_life import burst


@pytest.fixture
def shown(tmp_path: Path, tea: Path) -> Iterator[Up]:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        port = made.getsockname()[1]
    up = Up(tmp_path / "home", tea, {VARIABLE: SECRET}, prefect_port=port)
    yield up
    up.close()


def runs(up: Up) -> list[dict[str, Any]]:
    """Prefect's own list of flow runs."""
    password = (up.home / "prefect-password").read_text("utf-8").strip()
    login = base64.b64encode(f"digilog:{password}".encode()).decode()
    with contextlib.closing(
        local(f"http://127.0.0.1:{up.prefect_port}", headers={"Authorization": f"Basic {login}"})
    ) as it:
        try:
            found: list[dict[str, Any]] = it.post("/api/flow_runs/filter", {}).json()
        except ConnectorError:
            return []
    return found


def cases_in(found: list[dict[str, Any]]) -> int:
    return sum(int(run["name"].rpartition("· ")[2].split()[0]) for run in found if run["state_type"] == "COMPLETED")


def test_a_thousand_webhooks_are_two_to_sixty_completed_runs(shown: Up) -> None:
    shown.start()
    shown.wait(lambda: '"prefect"' in shown._json(), "Prefect to be ready", 90)
    assert set(asyncio.run(burst(shown.port, 1_000))) == {202}
    shown.wait(lambda: shown.ended() == 1_000, "a thousand cases to end", 60)
    shown.wait(lambda: cases_in(runs(shown)) == 1_000, "Prefect to show them all as completed", 90)
    assert 2 <= len(runs(shown)) <= 60
    assert "tea o1" not in str(runs(shown))
