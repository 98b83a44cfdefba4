"""Makes the pictures anew: `python docs/pictures.py [story] [prefect]` (needs Chromium and a font with Korean)."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pictures_of_prefect
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from flows.demo import story
from flows.demo.stage import SECRET, Stage

HERE = Path(__file__).parent / "pictures"
PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 800}


def main() -> int:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        sys.stderr.write("no Chromium here; install the package chromium\n")
        return 1
    wanted = set(sys.argv[1:]) or {"story", "prefect"}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        if "prefect" in wanted:
            of_prefect(browser)
        if "story" in wanted:
            with folder() as home, staged(home, Path("playbooks").absolute()) as stage:
                take(stage, browser)
        browser.close()
    return 0


def of_prefect(browser: Browser) -> None:
    with pictures_of_prefect.door() as door, folder() as home:
        pictures_of_prefect.write_company(home / "company", door)
        with staged(home, home / "company") as stage:
            stage.wait(lambda: "prefect" in stage.running(), "Prefect to start")
            page = log_in(stage, browser)
            pictures_of_prefect.take(stage, door, page, lambda name: shoot(page, name, full=False))


@contextmanager
def folder() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="digilog-pictures-"))
    yield home
    shutil.rmtree(home, ignore_errors=True)


@contextmanager
def staged(home: Path, company: Path) -> Iterator[Stage]:
    os.environ["DIGILOG_CONNECTIONS__ORDERS__SIGNING_SECRETS"] = SECRET
    stage = Stage(home / "home", company, prefect=True)
    try:
        stage.open()
        yield stage
    finally:
        stage.close()


def take(stage: Stage, browser: Browser) -> None:
    """The story, with the camera at its doors."""
    web = f"http://127.0.0.1:{stage.port}"
    phone = browser.new_page(viewport=PHONE, device_scale_factor=2, locale="ko-KR")
    phone.goto(f"{web}/form/trial-form")
    shoot(phone, "form")
    case = story.saturday_night(stage)
    link = stage.wait(lambda: story.link_of(stage, "강사를 정하고"), "the manager's notice")
    phone.goto(web + link)
    shoot(phone, "work")
    name, password = stage.admin()
    phone.goto(web)
    phone.fill("#name", name)
    phone.fill("#password", password)
    phone.get_by_role("button").click()
    phone.goto(f"{web}/?who=all")
    shoot(phone, "home")
    story.partner(stage)
    class_at = story.monday_morning(stage, case)
    story.day_before(stage, class_at)
    story.class_day(stage, case, class_at)
    story.numbers(stage)
    story.in_prefect(stage)
    in_prefect(stage, browser)


def in_prefect(stage: Stage, browser: Browser) -> None:
    """The runs, and one run with its steps."""
    page, address = log_in(stage, browser), stage.running()["prefect"]
    page.goto(f"{address}/runs")
    page.wait_for_timeout(6_000)
    shoot(page, "prefect-runs", full=False)
    run = max(_runs(stage), key=lambda run: run["task_count"])
    page.goto(f"{address}/runs/flow-run/{run['id']}")
    page.get_by_text("Task Runs", exact=True).click()  # the graph's own font has no Korean letters
    page.wait_for_timeout(6_000)
    page.mouse.wheel(0, 700)
    page.wait_for_timeout(1_000)
    shoot(page, "prefect-run", full=False)


def log_in(stage: Stage, browser: Browser) -> Page:
    """A page of Prefect's, logged in."""
    password = (stage.home / "prefect-password").read_text("utf-8").strip()
    page = browser.new_page(viewport=DESKTOP, locale="ko-KR")
    page.goto(stage.running()["prefect"])
    page.get_by_placeholder("admin:pass").fill(f"digilog:{password}")
    page.get_by_role("button", name="Login").click()
    page.wait_for_timeout(3_000)
    return page


def _runs(stage: Stage) -> list[dict[str, Any]]:
    tasks = stage.ask_prefect("task_runs", {})
    found = stage.ask_prefect("flow_runs", {})
    return [run | {"task_count": sum(task["flow_run_id"] == run["id"] for task in tasks)} for run in found]


def shoot(page: Page, name: str, *, full: bool = True) -> None:
    HERE.mkdir(exist_ok=True)
    page.screenshot(path=str(HERE / f"{name}.png"), full_page=full)


if __name__ == "__main__":
    sys.exit(main())
