"""The example company really running, from its Saturday night on, with a real browser before it.

It has one playbook more: mats are ordered from a warehouse that takes an order and hangs up without an answer, and
then an advert is to be sent, which digilog does not do yet. And its roster cannot be read.
"""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, StorageState, sync_playwright

from flows.demo.stage import Stage
from flows.people.users import add_user
from tests.web.board.places import places

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PASSWORD = "three small boats"
ROLES = {"han": "admin", "yoon": "act", "ji": "view"}
LONG = 30_000  # ms: a page of a loaded machine
EXAMPLE = Path(__file__).parents[3] / "playbooks"
ORDER = """
playbook: mat-order
title: 매트 주문
state: operate
system: production
stage: regular
owner: manager
purpose: 매트를 주문한 고객은 사흘 안에 받는다.
scenario: {s1: 매트를 주문한다}
start: {event: form.submitted, connection: mat-form}
fields: {name: {type: text, label: 이름}, phone: {type: phone, label: 연락처}}
case: phone
steps:
  - {id: order, do: 창고에 매트를 주문한다, by: machine, use: warehouse.post,
     with: {path: /orders, body: {받는 분: "{{ name }}"}}, by_hand: 3m, serves: [s1], expect: 창고가 주문을 받았다}
  - {id: offer, do: 재등록을 권한다, by: machine, use: message.send,
     with: {message: renew_offer, values: {이름: "{{ name }}", 만료일: 12월 31일}},
     by_hand: 3m, serves: [s1], expect: 보냈거나 보내지 않은 까닭이 적혀 있다}
"""


class _HangsUp(BaseHTTPRequestHandler):
    """A warehouse that takes what it is sent and never answers."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


@dataclass
class Studio:
    stage: Stage
    browser: Browser
    _logins: dict[str, StorageState] = field(default_factory=dict)

    @property
    def web(self) -> str:
        return f"http://127.0.0.1:{self.stage.port}"

    def page(self, name: str | None = None, width: int = 1280, **more: Any) -> Page:
        """A new browser of somebody who is logged in (none: a customer's)."""
        state = self._login(name) if name else None
        context = self.browser.new_context(
            storage_state=state, viewport={"width": width, "height": 844}, locale="ko-KR", **more
        )
        page = context.new_page()
        page.set_default_timeout(LONG)
        return page

    def _login(self, name: str) -> StorageState:
        if name not in self._logins:
            page = self.browser.new_page()
            page.set_default_timeout(LONG)
            page.goto(f"{self.web}/login")
            page.fill("#name", name)
            page.fill("#password", PASSWORD)
            page.get_by_role("button").click()
            page.get_by_role("heading", level=1).wait_for()
            self._logins[name] = page.context.storage_state()
        return self._logins[name]

    def sends(self, form: str, **answers: str) -> None:
        """A customer fills a form of the company in, in a browser: fields by name, a choice by its label."""
        page = self.page()
        page.goto(f"{self.web}/form/{form}")
        for name, value in answers.items():
            box = page.locator(f'[name="{name}"]').first
            if box.evaluate("one => one.tagName") == "SELECT":
                box.select_option(label=value)
            elif box.get_attribute("type") == "radio":
                page.get_by_label(value, exact=True).check()
            else:
                box.fill(value)
        page.get_by_role("button").click()
        page.wait_for_url("**/thanks")
        page.context.close()

    def asks(self, said: str) -> list[Any]:
        """Rows of a statement over the running system's store."""
        assert self.stage.store
        with self.stage.store.read() as session:
            return list(session.exec_driver_sql(said))

    def wait(self, said: str, what: str) -> Any:
        return self.stage.wait(lambda: self.asks(said), what)[0]

    def places(self, each: int = 1) -> list[str]:
        return places(self.asks, each=each, also=False)


@contextmanager
def opened(folder: Path) -> Iterator[Studio]:
    """The company at work on a home of its own; everything of it ends with the test."""
    warehouse = ThreadingHTTPServer(("127.0.0.1", 0), _HangsUp)
    threading.Thread(target=warehouse.serve_forever, daemon=True).start()
    company = shutil.copytree(EXAMPLE, folder / "company")
    _add(company, warehouse.server_port)
    (folder / "home" / "files").mkdir(parents=True)
    (folder / "home" / "files" / "roster.xlsx").write_bytes(b"this is no spreadsheet")
    stage = Stage(folder / "home", company, prefect=False)
    try:
        stage.open()
        assert stage.store
        with stage.store.write() as session:
            for name, role in ROLES.items():
                add_user(session, name, role, PASSWORD, "test", datetime.now(UTC))  # type: ignore[arg-type]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            yield Studio(stage, browser)
            browser.close()
    finally:
        stage.close()
        warehouse.shutdown()
        warehouse.server_close()


def _add(company: Path, port: int) -> None:
    file = company / "company.yaml"
    more = f"""connections:
  mat-form:      {{connector: own_form}}
  warehouse:     {{connector: web, base_url: "http://127.0.0.1:{port}", allow_loopback: "true"}}
"""
    file.write_text(file.read_text("utf-8").replace("connections:\n", more), "utf-8")
    (company / "mat-order.yaml").write_text(ORDER, "utf-8")
    shutil.rmtree(company / "tests")
