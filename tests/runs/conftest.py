"""One real Prefect server for all tests of this folder, on a free port and in a folder of its own."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from connectors.clock import RealClock
from flows.runs.environment import healthy, prefect_env
from flows.settings import Settings
from flows.store import tables as t
from flows.store.read import Row, rows


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


SERVER = Settings(home=Path(tempfile.mkdtemp(prefix="digilog-prefect-")), prefect_port=_free_port())
os.environ.update(prefect_env(SERVER))  # before the first import of Prefect, which reads it then
CANARY = "카나리아고객"


def pytest_configure(config: pytest.Config) -> None:
    # Prefect's client leaves sockets unclosed when its server goes; whoever collects them is not at fault
    config.addinivalue_line("filterwarnings", "ignore:unclosed:ResourceWarning")
    config.addinivalue_line("filterwarnings", "ignore::pytest.PytestUnraisableExceptionWarning")


class Prefect:
    """The server's process."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        env = os.environ | {"DIGILOG_HOME": str(SERVER.home), "DIGILOG_PREFECT_PORT": str(SERVER.prefect_port)}
        with (SERVER.home / "out").open("ab") as out:
            command = [sys.executable, "-m", "flows.runs.server"]
            self.process = subprocess.Popen(command, env=env, stdout=out, stderr=out)
        until(lambda: healthy(SERVER), 60)

    def stop(self) -> None:
        from prefect.events.worker import EventsWorker

        assert self.process
        EventsWorker.drain_all(timeout=10)  # else its socket is left unclosed
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


def until(holds: Callable[[], Any], seconds: float = 20) -> Any:
    """Wait for something, and hand it back."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)
    return found


@pytest.fixture(scope="session")
def prefect() -> Iterator[Prefect]:
    server = Prefect()
    server.start()
    yield server
    server.stop()


class Shown:
    """A shop whose work is shown in Prefect. The engine is the shop's, driven by hand."""

    def __init__(self, shop: Any) -> None:
        from flows.runs.follow import Follower
        from flows.runs.house import House, use

        shop.clock = shop.world.clock = RealClock()
        settings = Settings(home=shop.home, playbooks=shop.folder, prefect_port=SERVER.prefect_port)
        self.shop = shop
        self.house = House(settings, shop.store, shop.world.book, shop.clock, wake=lambda: None)
        use(self.house)
        self.follower = Follower(self.house)

    def register(self) -> None:
        from flows.runs.deploy import register_book

        self.house.deployments = register_book(self.house.book)

    def follow(self, seconds: float = 40) -> list[Row]:
        """Look until every run has ended. Returns the runs."""
        until(lambda: not self.follower.look() and not self.open(), seconds)
        return self.shop.all(t.run)

    def open(self) -> list[Row]:
        with self.shop.store.read() as session:
            return rows(session, select(t.run).where(t.run.c.state == "open"))

    @contextmanager
    def worker(self) -> Iterator[None]:
        """Prefect's worker, in a thread with a loop of its own; the engine turns beside it."""
        from flows.runs.worker import serve

        loop = asyncio.new_event_loop()
        task = loop.create_task(serve(self.house))
        thread = threading.Thread(target=lambda: loop.run_until_complete(asyncio.wait([task])))
        thread.start()
        try:
            yield
        finally:
            loop.call_soon_threadsafe(task.cancel)
            thread.join(20)
            loop.close()


def flow_run(id: str) -> Any:
    from prefect import get_client

    with get_client(sync_client=True) as client:
        return client.read_flow_run(UUID(id))


def task_runs(id: str, count: int) -> list[tuple[str, str]]:
    """Name and state of a flow run's tasks in their order; Prefect writes them a moment later."""
    from prefect import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    with get_client(sync_client=True) as client:

        def final() -> list[Any] | None:
            found = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[UUID(id)])))
            done = [one for one in found if one.state and one.state.is_final()]
            return done if len(done) >= count else None

        found = sorted(until(final), key=lambda one: one.start_time)
    return [(one.name, one.state.name) for one in found]


@pytest.fixture
def shown(shop: Any) -> Callable[..., Shown]:
    """Opens the shop with a playbook's steps; what is opened ends with the test."""

    def make(steps: list[dict[str, Any]], **head: Any) -> Shown:
        return Shown(shop.open(steps, **head))

    return make
