"""Deployments and processes: prefect.yaml, what is registered, and how the parts start and stop."""

import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from prefect import Flow, get_client
from ruamel.yaml import YAML

from connectors.http import local
from flows.engine.books import open_book
from flows.runs.deploy import drift, register_book, write_prefect_yaml
from flows.runs.environment import password, prefect_env, prefect_url
from flows.settings import Settings
from flows.store import tables as t
from tests.runs.conftest import SERVER, until

ROOT = Path(__file__).parents[2]


def test_the_repositorys_prefect_yaml_is_what_digilog_deploy_would_write() -> None:
    assert not drift(ROOT, open_book(ROOT / "playbooks"))


@pytest.fixture
def book(shop: Any) -> Any:
    steps = [shop.machine("tell", "team.notify", {"subject": "어제", "text": "숫자"})]
    shop.write(steps, name="daily-numbers", start={"schedule": "monthly last 18:00"}, fields=None, case="period")
    shop.write(steps, name="drawn", state="design", start={"schedule": "weekly mon 09:00"}, fields=None, case="period")
    return shop.open(steps).world.book


def test_prefect_yaml_says_what_the_playbooks_say_and_drift_is_seen(tmp_path: Path, shop: Any, book: Any) -> None:
    assert drift(tmp_path, book)
    found = YAML(typ="safe").load(write_prefect_yaml(tmp_path, book).read_text())
    assert not drift(tmp_path, book)
    assert {one["entrypoint"] for one in found["deployments"]} == {
        "flows.deployed.visit", "flows.deployed.daily_numbers", "flows.deployed.drawn",
    }  # fmt: skip
    assert {one["name"]: one["schedules"] for one in found["deployments"] if "schedules" in one} == {
        "daily-numbers": [{"cron": "0 18 L * *", "timezone": "Asia/Seoul", "active": True}],
        "drawn": [{"cron": "0 9 * * MON", "timezone": "Asia/Seoul", "active": False}],
    }
    shop.write([shop.person("talk")], title="다른 이름")
    shop.load()
    assert drift(tmp_path, shop.world.book)


@pytest.mark.usefixtures("prefect")
def test_registering_again_changes_nothing_and_forgets_what_is_gone(shop: Any, book: Any) -> None:
    first = register_book(book)
    assert register_book(book) == first
    with get_client(sync_client=True) as client:
        found = client.read_deployment(first["daily-numbers"])
        assert (found.work_pool_name, [one.active for one in found.schedules]) == ("digilog", [True])
        register_book(book, paused=True)
        assert client.read_deployment(first["daily-numbers"]).paused
        (shop.folder / "drawn.yaml").unlink()
        shop.load()
        register_book(shop.world.book)
        assert first["drawn"] not in {one.id for one in client.read_deployments()}


def test_each_playbook_is_a_flow_of_the_module_that_entrypoints_name(
    shop: Any, book: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGILOG_PLAYBOOKS", str(shop.folder))
    deployed = importlib.reload(importlib.import_module("flows.deployed"))
    assert isinstance(deployed.daily_numbers, Flow)
    assert deployed.daily_numbers.name == "daily-numbers"
    assert deployed.visit.description == "방문 상담\n\n고객이 답을 받는다."


@pytest.mark.usefixtures("prefect")
def test_prefect_refuses_whoever_lacks_the_password(shop: Any) -> None:
    door = local(prefect_url(SERVER))
    assert door.post("/api/flows/filter", {}, accept=(401,)).status == 401
    assert door.get("/api/health").status == 200
    door.close()


def test_the_password_is_made_once_and_read_by_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    made = password(settings)
    assert password(settings) == made
    assert (settings.home / "prefect-password").stat().st_mode & 0o777 == 0o600
    assert prefect_env(settings)["PREFECT_SERVER_API_AUTH_STRING"] == f"digilog:{made}"


def test_the_environment_is_made_without_importing_prefect() -> None:
    code = "import sys, flows.runs.environment; sys.exit('prefect' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_prefect_the_process_waits_and_ends_when_told(shop: Any, book: Any) -> None:
    env = os.environ | {"DIGILOG_HOME": str(shop.home), "DIGILOG_PLAYBOOKS": str(shop.folder)}
    process = subprocess.Popen([sys.executable, "-m", "flows.runs"], env=env | {"DIGILOG_PREFECT_PORT": "9"})
    try:
        shop.asks()
        shop.work()
        until(lambda: shop.all(t.run), 40)  # gathered, to be shown later
        assert process.poll() is None
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert time.monotonic() - began < 10
    finally:
        process.kill()
        process.wait()
