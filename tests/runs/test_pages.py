"""Start, retry and cancel as people do them: in Prefect's own pages, with a real browser."""

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Page, TimeoutError, sync_playwright

from connectors.errors import Rejected
from flows.runs.environment import password, prefect_url
from flows.runs.follow import follow
from flows.runs.pages import HELD_BECAUSE
from flows.store import tables as t
from tests.runs.conftest import SERVER, Shown, flow_run, until

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
LONG = 60_000  # ms: a page of a loaded machine
pytestmark = [
    pytest.mark.usefixtures("prefect"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; install the package chromium"),
]


class Operator:
    """Somebody who looks at Prefect's pages, logged in."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.set_default_timeout(LONG)
        page.goto(prefect_url(SERVER))
        page.get_by_placeholder("admin:pass").fill(f"digilog:{password(SERVER)}")
        page.get_by_role("button", name="Login").click()
        page.get_by_role("link", name="Deployments").wait_for()

    def starts(self, deployment: object) -> None:
        for patience in (LONG / 4, LONG / 2, LONG):
            self.page.goto(f"{prefect_url(SERVER)}/deployments/deployment/{deployment}")
            self.page.get_by_role("button", name="Run", exact=True).click()
            self.page.wait_for_timeout(1_000)  # the menu opens before it listens
            self.page.get_by_text("Quick run").click()
            with suppress(TimeoutError):  # on a loaded machine a click is lost now and then
                self.page.get_by_text("scheduled to start").first.wait_for(timeout=patience)
                return
        raise AssertionError("Prefect's page starts nothing")

    def looks_at(self, run: str) -> None:
        self.page.goto(f"{prefect_url(SERVER)}/runs/flow-run/{run}")

    def retries(self, run: str) -> None:
        self.looks_at(run)
        self.page.get_by_role("button", name="Retry").click()
        self.page.get_by_role("dialog").get_by_role("button", name="Retry").click()

    def cancels(self, run: str) -> None:
        self.looks_at(run)
        self.page.get_by_role("button", name="Cancel").click()
        self.page.get_by_role("dialog").get_by_role("button", name="Confirm").click()

    def reads(self, words: str | re.Pattern[str]) -> None:
        self.page.get_by_text(words).first.wait_for()


@pytest.fixture(scope="module")
def operator() -> Iterator[Operator]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield Operator(browser.new_page(viewport={"width": 1280, "height": 900}))
        browser.close()


@contextmanager
def _all_at_work(seen: Shown) -> Iterator[None]:
    """The worker, the follower and the engine, each in a thread of its own."""
    stop = threading.Event()

    def turns() -> None:
        while not stop.wait(0.05):
            seen.shop.engine.turn()

    threads = [threading.Thread(target=turns), threading.Thread(target=follow, args=(seen.house,))]
    with seen.worker():
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            seen.house.stop.set()
            for thread in threads:
                thread.join(20)


def _running(shop: Any) -> Any:
    run = until(lambda: next((one for one in shop.all(t.run) if one["flow_run"]), None), 60)
    until(partial(_is, run, "Running"), 60)
    return run


def _is(run: Any, state: str) -> bool:
    return bool(flow_run(run["flow_run"]).state.name == state)


def _ended(shop: Any, count: int) -> list[Any] | None:
    found = [run for run in shop.all(t.run) if run["state"] == "ended"]
    return found if len(found) >= count else None


def test_started_in_its_pages_a_playbook_with_a_schedule_does_its_period_once(
    shop: Any, shown: Callable[..., Shown], operator: Operator
) -> None:
    steps = [shop.machine("tell", "team.notify", {"subject": "어제", "text": "숫자"}, do="숫자를 알린다")]
    seen = shown(steps, start={"schedule": "daily 00:01"}, fields=None, case="period")
    seen.register()
    with _all_at_work(seen):
        for count in (1, 2):
            operator.starts(seen.house.deployments["visit"])
            until(partial(_ended, shop, count), 60)
        operator.looks_at(shop.all(t.run)[-1]["flow_run"])
        operator.reads(f"방문 상담 · {shop.case()['period']}")
        operator.page.get_by_text("Task Runs", exact=True).click()
        operator.reads("숫자를 알린다 · 1 done")
    assert len(shop.all(t.case)) == 1


def test_retried_in_its_pages_the_failed_cases_of_a_run_are_tried_again(
    shop: Any, shown: Callable[..., Shown], operator: Operator
) -> None:
    seen = shown([shop.machine("send", "sink.put", {"path": "x", "body": {}}, do="보낸다")])
    shop.calls.answers_to["sink.put"] = [Rejected("the service refused (400)"), {}]
    seen.register()
    shop.asks()
    with _all_at_work(seen):
        (run,) = until(partial(_ended, shop, 1), 60)
        operator.retries(run["flow_run"])
        until(lambda: shop.case()["status"] == "ended", 60)
        until(partial(_ended, shop, 2), 60)
        operator.looks_at(run["flow_run"])
        operator.reads("Completed")
    assert flow_run(run["flow_run"]).state.message == "1 tried again, shown in a new run"
    assert flow_run(shop.all(t.run)[-1]["flow_run"]).state.message == "1 ended"


def test_cancelled_in_its_pages_a_run_holds_its_unfinished_cases_until_they_are_resumed(
    shop: Any, shown: Callable[..., Shown], operator: Operator
) -> None:
    seen = shown([shop.machine("send", "sink.put", {"path": "x", "body": {}}, do="보낸다")])
    shop.calls.dead = True
    seen.register()
    shop.asks()
    with _all_at_work(seen):
        run = _running(shop)
        operator.cancels(run["flow_run"])
        until(lambda: shop.case()["held"], 30)
        until(partial(_is, run, "Cancelled"), 60)
        operator.looks_at(run["flow_run"])
        operator.reads("Cancelled")
    assert shop.case()["held"] == HELD_BECAUSE
