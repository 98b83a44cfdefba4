"""A day of five thousand runs: Prefect's pages stay quick, and its database does not grow for ever."""

import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import sync_playwright

from flows.runs.environment import EVENTS_KEPT, KEPT, healthy, password, prefect_env, prefect_url
from flows.settings import Settings
from tests.runs.conftest import SERVER, _free_port, task_runs, until

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
CASES, OLD = 5_000, 200
LARGEST = 150_000  # bytes of a run with its events
MOMENT = re.compile(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")
OF_RUN = {
    "flow_run": "id = :run", "flow_run_state": "flow_run_id = :run", "artifact": "flow_run_id = :run",
    "task_run": "flow_run_id = :run",
    "task_run_state": "task_run_id IN (SELECT id FROM task_run WHERE flow_run_id = :run)",
    "events": "related LIKE :like OR resource_id LIKE :like",
    "event_resources": "event_id IN (SELECT id FROM events WHERE related LIKE :like OR resource_id LIKE :like)",
}  # fmt: skip


class Copies:
    """One run of a database with all that belongs to it, written again and again under new ids and other times."""

    def __init__(self, database: sqlite3.Connection, run: str) -> None:
        self._database = database
        database.row_factory = sqlite3.Row
        values = {"run": run, "like": f"%{run}%"}
        rows = {
            table: [dict(row) for row in database.execute(f"SELECT * FROM {table} WHERE {where}", values)]
            for table, where in OF_RUN.items()
        }
        rows["flow_run"][0]["idempotency_key"] = str(uuid4())
        self._ids = [row["id"] for some in rows.values() for row in some] + [rows["flow_run"][0]["idempotency_key"]]
        self._text = json.dumps(rows)
        self.rows = sum(map(len, rows.values()))

    def write(self, earlier: timedelta) -> None:
        text = self._text
        for id in self._ids:
            text = text.replace(id, str(uuid4()))
        text = MOMENT.sub(lambda found: str(datetime.fromisoformat(found[0]) - earlier), text)
        for table, rows in json.loads(text).items():
            if rows:
                names = ", ".join(rows[0])
                marks = ", ".join(f":{name}" for name in rows[0])
                self._database.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)


@pytest.fixture
def day(shop: Any, shown: Any, prefect: Any, tmp_path: Path) -> Iterator[Settings]:
    """A server of its own with a day behind it, and some runs that are older than runs are kept."""
    seen = shown([shop.machine("log", "ledger.record", {"kind": "apply"}, do="적는다"), shop.person("call")])
    seen.register()
    shop.asks()
    shop.work()
    (run,) = seen.follow()
    task_runs(run["flow_run"], 2)
    time.sleep(6)  # events are written at most five seconds later
    settings = Settings(home=tmp_path / "day", prefect_port=_free_port())
    file = settings.home / "prefect" / "prefect.db"
    file.parent.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(file)) as database:
        with contextlib.closing(sqlite3.connect(SERVER.home / "prefect" / "prefect.db")) as real:
            real.backup(database)
        database.execute("PRAGMA journal_mode=OFF")  # nobody reads it yet
        copies = Copies(database, run["flow_run"])
        for number in range(CASES):
            copies.write(timedelta(days=1) / CASES * number)
        for _ in range(OLD):
            copies.write(KEPT + timedelta(days=1))
        database.commit()
    env = os.environ | prefect_env(settings)
    env |= {"DIGILOG_HOME": str(settings.home), "DIGILOG_PREFECT_PORT": str(settings.prefect_port)}
    with (settings.home / "out").open("wb") as out:
        server = subprocess.Popen([sys.executable, "-m", "flows.runs.server"], env=env, stdout=out, stderr=out)
    until(lambda: healthy(settings), 90)
    yield settings
    server.terminate()
    server.wait(30)


def _count(settings: Settings, of: str) -> int:
    with contextlib.closing(sqlite3.connect(settings.home / "prefect" / "prefect.db", timeout=30)) as database:
        found: int = database.execute(f"SELECT count(*) FROM {of}").fetchone()[0]
        return found


@pytest.mark.skipif(not os.environ.get("DIGILOG_SOAK"), reason="takes minutes and a quiet machine; set DIGILOG_SOAK=1")
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; install the package chromium")
def test_after_a_day_of_five_thousand_runs_the_list_comes_within_two_seconds(day: Settings) -> None:
    size = (day.home / "prefect" / "prefect.db").stat().st_size
    until(lambda: not _count(day, f"flow_run WHERE start_time < '{_before(KEPT)}'"), 120)  # what is too old goes
    until(lambda: not _count(day, f"events WHERE occurred < '{_before(EVENTS_KEPT)}'"), 120)
    assert _count(day, "flow_run") > CASES
    took = _listed(day)
    print(f"{size / 1e6:.0f} MB, {size / (CASES + OLD) / 1e3:.0f} kB a run; the list came in {took}")
    assert median(took) < 2
    assert size / (CASES + OLD) < LARGEST


def _before(length: timedelta) -> str:
    return str(datetime.now(UTC).replace(tzinfo=None) - length - timedelta(hours=2))


def _listed(settings: Settings) -> list[float]:
    """Seconds from choosing `Runs` in the menu to seeing the newest of them, five times."""
    address, login = prefect_url(settings), f"digilog:{password(settings)}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(60_000)
        page.goto(address)
        page.get_by_placeholder("admin:pass").fill(login)
        page.get_by_role("button", name="Login").click()
        page.get_by_role("link", name="Deployments").wait_for()
        took = []
        for _ in range(5):
            page.goto(f"{address}/variables")
            page.wait_for_timeout(1_500)
            begun = time.monotonic()
            page.locator('a[href="/runs"]').first.click()
            page.get_by_text("방문 상담 · 1 case").first.wait_for()
            took.append(round(time.monotonic() - begun, 2))
        browser.close()
    return took
