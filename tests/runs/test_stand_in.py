"""Any worker of Prefect carries the flows: with an engine at work it looks on, without one it does the work itself."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from prefect import get_client

from flows.engine import place
from flows.runs.gather import claim, gather
from flows.runs.house import House
from flows.runs.stand_in import StandIn
from flows.store import tables as t
from tests.runs.conftest import CANARY, SERVER, flow_run, task_runs, until

POOL = "plain"


class Sink(ThreadingHTTPServer):
    """A service that takes its time and remembers what it was told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Put)
        self.told: list[str] = []
        self.lets_go = threading.Event()
        self.lets_go.set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Put(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        sink = self.server
        assert isinstance(sink, Sink)
        sink.told.append(self.path)
        sink.lets_go.wait(20)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def sink(shop: Any) -> Iterator[Sink]:
    made = Sink()
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    shop.connect("sink", connector="web", base_url=made.address, allow_loopback="true")
    yield made
    made.lets_go.set()
    made.shutdown()
    made.server_close()
    thread.join()


def _steps(shop: Any) -> list[dict[str, Any]]:
    return [
        shop.machine("log", "ledger.record", {"kind": "apply"}, do="적는다"),
        shop.machine("send", "sink.put", {"path": "/{{ case.id }}", "body": {}}, do="보낸다"),
        shop.person("call", do="전화한다"),
    ]


def _environment(shop: Any) -> dict[str, str]:
    return os.environ | {"DIGILOG_HOME": str(shop.home), "DIGILOG_PLAYBOOKS": str(shop.folder)}


@contextmanager
def _process(shop: Any, *command: str) -> Iterator["subprocess.Popen[bytes]"]:
    with (shop.home / f"{command[0]}.out").open("wb") as out:
        started = subprocess.Popen(
            [sys.executable, "-m", *command], env=_environment(shop), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True, cwd=shop.home,
        )  # fmt: skip
    try:
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(30)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def _plain_worker(shop: Any) -> Any:
    return _process(shop, "prefect", "worker", "start", "--pool", POOL, "--type", "process", "--name", "plain")


def _started(seen: Any) -> Any:
    """Start the playbook's deployment as Prefect's pages do, and wait for the end of the run."""
    with get_client(sync_client=True) as client:
        id = client.create_flow_run_from_deployment(seen.house.deployments["visit"]).id
    return until(partial(_final, str(id)), 120)


def _final(id: str) -> Any:
    found = flow_run(id)
    return found if found.state and found.state.is_final() else None


def _register(seen: Any) -> None:
    from flows.runs.deploy import register_book

    seen.house.deployments = register_book(seen.house.book, POOL)


@pytest.mark.usefixtures("prefect")
def test_with_the_engine_stopped_a_plain_worker_does_the_work_itself(shop: Any, shown: Any, sink: Sink) -> None:
    seen = shown(_steps(shop))
    _register(seen)
    for number in range(3):
        shop.asks(f"k{number}", CANARY, f"010-1234-000{number}")
    with _plain_worker(shop):
        found = _started(seen)
    assert (found.state.name, found.state.message) == ("Completed", "3 assigned")
    assert task_runs(str(found.id), 3) == [
        ("적는다 · 3 done", "Completed"), ("보낸다 · 3 done", "Completed"), ("전화한다 · 3 assigned", "Completed"),
    ]  # fmt: skip
    assert sorted(sink.told) == sorted(f"/{case['id']}" for case in shop.all(t.case))
    assert place.take(shop.home) is not None  # it was given back


@pytest.mark.usefixtures("prefect")
def test_with_an_engine_at_work_a_plain_worker_does_nothing_twice(shop: Any, shown: Any, sink: Sink) -> None:
    seen = shown(_steps(shop)[1:], start={"schedule": "daily 00:01"}, fields=None, case="period")
    _register(seen)
    with _process(shop, "flows.engine"), _plain_worker(shop):
        until(lambda: _said(shop, "engine_seen"), 60)
        found = _started(seen)
        again = _started(seen)
    gather(seen.house)
    assert {found.state.message, again.state.message} == {"1 assigned"}
    (case,) = shop.all(t.case)
    assert sink.told == [f"/{case['id']}"]
    assert {run["flow_run"] for run in shop.all(t.run)} == {str(found.id), str(again.id)}  # and no run of its own


def _said(shop: Any, name: str) -> list[Any]:
    found: list[Any] = shop.all(t.setting, t.setting.c.name == name)
    return found


@pytest.fixture
def stand_in(shop: Any, sink: Sink) -> Callable[..., StandIn]:
    def make(**more: float) -> StandIn:
        return StandIn(_settings(shop), shop.store, **more)

    return make


def _settings(shop: Any) -> Any:
    return SERVER.model_copy(update={"home": shop.home, "playbooks": shop.folder})


def test_an_engine_that_starts_meanwhile_waits_for_its_place_and_then_has_it(
    shop: Any, shown: Any, sink: Sink, stand_in: Callable[..., StandIn]
) -> None:
    shown(_steps(shop))
    worker = stand_in()
    sink.lets_go.clear()
    shop.asks()
    assert worker.work(0.3)  # a call is in flight
    with _process(shop, "flows.engine"):
        log = shop.home / "logs" / "engine.log"
        until(lambda: log.exists() and "waits for it" in log.read_text("utf-8"), 30)
        shop.asks("k2", phone="010-1234-9999")
        threading.Timer(0.3, sink.lets_go.set).start()
        worker.rest()
        until(lambda: len(shop.asked()) == 2)
        assert not worker.work()
    assert len(sink.told) == len(set(sink.told)) == 2
    assert {one["state"] for one in shop.effects()} == {"done"}


def test_under_load_the_place_is_offered_to_whoever_waits_for_it(
    shop: Any, shown: Any, sink: Sink, stand_in: Callable[..., StandIn]
) -> None:
    shown(_steps(shop))
    worker = stand_in(held=0.0)
    shop.asks()
    assert worker.work()
    assert not worker.work()  # a moment is left to others
    taken = place.take(shop.home)
    assert taken is not None
    time.sleep(0.6)
    assert not worker.work()
    place.leave(taken)
    assert worker.work()


def test_a_worker_that_was_killed_leaves_its_place_and_its_calls_to_the_next(
    shop: Any, shown: Any, sink: Sink, stand_in: Callable[..., StandIn]
) -> None:
    shown(_steps(shop))
    sink.lets_go.clear()
    shop.asks()
    shop.store.close()
    if (child := os.fork()) == 0:
        StandIn(_settings(shop), shop.store).work(0.5)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert len(sink.told) == 1
    sink.lets_go.set()
    worker = stand_in()
    until(lambda: worker.work() and shop.asked())
    assert len(sink.told) == 2  # a put is repeated
    assert [one["state"] for one in shop.effects()] == ["done"]


class _Slow:
    """A store in which another process does something just before one writes."""

    def __init__(self, store: Any, meanwhile: Callable[[], object]) -> None:
        self._store, self._meanwhile = store, meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self) -> Any:
        self._meanwhile()
        return self._store.write()


def test_two_processes_that_gather_at_once_show_a_case_once(shop: Any, shown: Any) -> None:
    seen = shown([shop.person("call")])
    shop.asks()
    shop.work()
    fast = House(seen.house.settings, shop.store, seen.house.book, shop.clock, lambda: None)
    seen.house.store = _Slow(shop.store, partial(gather, fast))
    gather(seen.house)
    assert len(shop.all(t.run_case)) == 1


def test_a_period_that_a_plain_worker_shows_is_left_to_it_by_all(shop: Any, shown: Any) -> None:
    seen = shown([shop.person("call")], start={"schedule": "daily 00:01"}, fields=None, case="period")
    from flows.engine import scheduler

    other = House(seen.house.settings, shop.store, seen.house.book, shop.clock, lambda: None)
    claim(other, ("visit", "2026-11-22"))
    with shop.store.write() as session:
        scheduler.start(session, "visit", "2026-11-22", shop.clock.now())
    shop.work()
    assert gather(seen.house) > 0
    assert not shop.all(t.run_case)


def test_the_pool_that_was_asked_for_stays_when_the_deployments_are_registered_again(shop: Any, shown: Any) -> None:
    from flows.runs.deploy import keep_pool, kept_pool

    seen = shown([shop.person("call")])
    assert kept_pool(shop.store) == "digilog"
    keep_pool(seen.house.settings, POOL)
    assert kept_pool(shop.store) == POOL


@pytest.mark.usefixtures("prefect")
def test_what_prefect_starts_goes_to_the_pool_that_was_asked_for(shop: Any, shown: Any) -> None:
    from flows.runs.deploy import keep_pool
    from flows.runs.follow import Attendance

    seen = shown([shop.person("call")])
    keep_pool(seen.house.settings, POOL)
    assert Attendance(seen.house).look()
    with get_client(sync_client=True) as client:
        found = client.read_deployment(seen.house.deployments["visit"])
        assert found.work_pool_name == POOL
        assert client.read_work_pool(POOL).type == "process"
        assert client.read_work_pool("digilog").type == "digilog"
