"""The daily pull (W2) beside the longest chain of calls, a year of a thousand metrics, and the page of a month."""

import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import func, select

from bench.figures import Row, Rows, at, at_most, goal
from bench.numbers import PAGES, RESTATED
from bench.systems import ROOT, end, free, spawn, until_open
from connectors.clock import RealClock
from flows.engine.books import open_book
from flows.engine.world import World
from flows.ledger.pull.planning import Wish
from flows.ledger.pull.pulling import Puller
from flows.ledger.pull.summary import Summary
from flows.ledger.readings import Value, keep
from flows.people.links import Links
from flows.people.users import add_user, open_session, password_of
from flows.store import tables as t
from flows.store.store import Store, open_store
from flows.web.board.ask import COOKIE

CHANNELS, DAYS, LATENCY = 10, 30, 0.1
METRICS, YEAR, MEMORY = 1_000, 365, 300  # memory in MB
SHOWN, PAGE_LIMIT = 50, 300  # metrics of a month's page, ms
FAULT = 10  # of so many calls one fails


def pull(folder: Path, *, quick: bool) -> Rows:
    """Ten channels side by side, again, with faults and restatements; then a year at once; then the board."""
    port = free()
    service = spawn([sys.executable, "-m", "bench.numbers", str(port)])
    try:
        until_open(port)
        yield from _daily(folder / "daily", port, 2 if quick else 10)
        yield from _year(folder / "year", port, METRICS // 50 if quick else METRICS)
    finally:
        end(service)
    yield from _month(folder / "month", 3 if quick else 60)


def _daily(folder: Path, port: int, times: int) -> Rows:
    first, second, faulty, rows = [], [], [], [0, 0]
    for number in range(times + 1):
        with _home(folder / str(number), port, 1) as puller:
            _set(port, latency=LATENCY)
            first.append(_timed(puller)[0])
            before = _count(puller.store)
            second.append(_timed(puller)[0])
            rows[0] += _count(puller.store) - before
            _set(port, latency=LATENCY, fault=FAULT, restate=1)
            took, found = _timed(puller)
            faulty.append(took)
            rows[1] += abs(found.restated - RESTATED * CHANNELS)
    chain = PAGES * LATENCY
    del first[0], second[0], faulty[0]  # they warmed up
    for said, took in (("the first time", first), ("again", second), (f"one of {FAULT} calls failing", faulty)):
        middle = statistics.median(took)
        yield Row("pull", (said, f"{middle:.2f}", f"{max(took):.2f}", f"{middle / chain:.2f}"))
    limit, worst = 1.3, max(statistics.median(first), statistics.median(second)) / chain
    yield at_most(f"a pull of {CHANNELS} channels x {DAYS} days, x the longest chain of calls", limit, worst, digits=2)
    yield goal("rows that a second pull changed", "0", f"{rows[0]}", reached=rows[0] == 0)
    yield goal("restated days that a pull with faults missed", "0", f"{rows[1]}", reached=rows[1] == 0)


def _year(folder: Path, port: int, metrics: int) -> Rows:
    _set(port)
    with _home(folder, port, metrics // CHANNELS) as puller:
        puller.store.close()
    since = _yesterday() - timedelta(days=YEAR - 1)
    command = [sys.executable, "-m", "flows.cli", "pull", "--from", str(since), "--all",
               "--home", str(folder / "home"), "--playbooks", str(folder / "playbooks")]  # fmt: skip
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    took, wanted = time.perf_counter() - begun, metrics * YEAR
    with closing(open_store(folder / "home")) as store:
        kept = _count(store)
    said = f"{metrics:,} metrics x {YEAR} days: numbers kept ({wanted / took:,.0f} a second)"
    yield goal(said, f"{wanted:,}", f"{kept:,}", reached=kept == wanted and not child.returncode)
    yield at_most(f"{metrics:,} metrics x {YEAR} days: most memory", MEMORY, used.ru_maxrss / 1024, " MB", 0)


def _month(folder: Path, times: int) -> Rows:
    with _home(folder, 9, SHOWN // CHANNELS) as puller:
        days = [_yesterday() - timedelta(days=back) for back in range(YEAR)]
        values = [Value(name, day, Decimal(day.toordinal() % 97), "bench")
                  for name in puller.book.metrics.metrics for day in days]  # fmt: skip
        now = datetime.now(UTC)
        with puller.store.write() as session:
            keep(session, puller.book, values, now)
            add_user(session, "han", "admin", "three small boats", "bench", now)
            cookie = open_session(session, "han", password_of(session, "han"), now)
        puller.store.close()
    port = free()
    env = {"DIGILOG_HOME": folder / "home", "DIGILOG_PLAYBOOKS": folder / "playbooks", "DIGILOG_PORT": port}
    web = spawn([sys.executable, "-m", "flows.web"], {name: str(value) for name, value in env.items()})
    try:
        until_open(port)
        took = [_page(port, str(cookie)) for _ in range(times + 2)][2:]
    finally:
        end(web)
    yield at_most(f"page of a month of {SHOWN} metrics, p95", PAGE_LIMIT, at(took, 0.95), " ms", 0)


def _page(port: int, cookie: str) -> float:
    begun = time.perf_counter()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as line:
        line.request("GET", "/metrics", headers={"cookie": f"{COOKIE}={cookie}"})
        answer = line.getresponse()
        answer.read()
    if answer.status != 200:
        raise RuntimeError(f"/metrics answered {answer.status}: a figure of it says nothing")
    return (time.perf_counter() - begun) * 1000


@contextmanager
def _home(folder: Path, port: int, each: int) -> Iterator[Puller]:
    """A company with channels of so many metrics each, and who pulls them into a store of its own."""
    files = folder / "playbooks"
    files.mkdir(parents=True)
    fields = {f"m{one}": f"m{one}" for one in range(each)}
    names = [f"c{number}" for number in range(CHANNELS)]
    company = {
        "name": "bench", "zone": "Asia/Seoul", "country": "KR", "sender": {"name": "bench"},
        "hours": {"mon-sun": "00:00-24:00"}, "people": {"han": {"name": "han"}},
        "roles": {"owner": {"label": "owner", "people": ["han"]}},
        "connections": {name: {
            "connector": "web_json", "base_url": f"http://127.0.0.1:{port}", "allow_loopback": "true",
            "path": f"/{name}/{each}", "rows": "rows", "values": fields, "paging": {"kind": "cursor", "next": "next"},
            "params": {"since": "{since}", "until": "{until}", "cursor": "{cursor}"},
        } for name in names},
    }  # fmt: skip
    metrics = {
        f"{name}_{one}": {"label": f"{name} {one}", "on": "apply", "settle_days": DAYS,
                          "source": {"use": f"{name}.readings", "of": one}}
        for name in names for one in fields
    }  # fmt: skip
    written = {"company": company, "canvas": {"stages": {"apply": {"label": "apply"}}}, "metrics": {"metrics": metrics}}
    for name, content in written.items():
        (files / f"{name}.yaml").write_text(json.dumps(content))
    store = open_store(folder / "home")
    world = World(open_book(files), RealClock(), Links("http://127.0.0.1", b"key"), folder / "home")
    yield Puller(store, world.book, world.connection, world.clock)
    store.close()


def _timed(puller: Puller) -> tuple[float, Summary]:
    begun = time.perf_counter()
    found = puller.pull(Wish())
    return time.perf_counter() - begun, found


def _count(store: Store) -> int:
    with store.read() as session:
        return int(session.execute(select(func.count()).select_from(t.reading)).scalar_one())


def _yesterday() -> date:
    return RealClock().now().date() - timedelta(days=1)


def _set(port: int, **wanted: float) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as line:
        line.request("POST", "/set", json.dumps(wanted))
        line.getresponse().read()
