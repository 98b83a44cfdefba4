"""Prefect's pages on four days, for the how-to: quiet, a rush, a door that refuses, a run that is cancelled."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from flows.demo.stage import Stage

RUSH = 240  # memberships that are paid for in one minute
CONNECTIONS = """\
  orders: {connector: webhook, scheme: standard, event: order.paid}
  door: {connector: web, base_url: "ADDRESS", allow_loopback: "true"}
"""
PLAYBOOK = """\
playbook: new-member
title: 회원권 결제와 출입문
state: operate
system: revenue
stage: decide
owner: manager
purpose: 회원권을 산 고객이 그날부터 문을 연다.
scenario: {s1: 회원권을 결제한다, s2: 출입문이 열린다}
start: {event: order.paid, connection: orders}
fields:
  name:  {type: text,  label: 이름}
  phone: {type: phone, label: 연락처}
case: phone
overlap: parallel
steps:
  - {id: log, do: 거래장부에 결제를 적는다, by: machine, use: ledger.record,
     with: {kind: purchase_membership}, by_hand: 2m, serves: [s1], expect: 거래장부에 결제가 있다}
  - {id: open, do: 출입문에 회원을 등록한다, by: machine, use: door.put,
     with: {path: "/members/{{ case.id }}", body: {}}, by_hand: 3m, serves: [s2], expect: 문이 열린다}
  - {id: welcome, do: 첫 수업을 함께 정한다, by: manager, due: 1 business day,
     by_hand: 5m, serves: [s2], expect: 날짜가 있다}
"""


class Door(ThreadingHTTPServer):
    """The studio's door, which opens, refuses, or does not answer for a while."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Members)
        self.status = 200
        self.answers = threading.Event()
        self.answers.set()


class _Members(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        door = self.server
        assert isinstance(door, Door)
        door.answers.wait(25)
        with suppress(ConnectionError):  # who asked has gone meanwhile
            self.send_response(door.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def door() -> Iterator[Door]:
    made = Door()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.answers.set()
    made.shutdown()
    made.server_close()


def write_company(folder: Path, at: Door) -> None:
    """The example company, with a door and a shop that sells memberships."""
    folder.mkdir()
    for name in ("company", "canvas", "messages", "metrics"):
        shutil.copyfile(Path("playbooks") / f"{name}.yaml", folder / f"{name}.yaml")
    company = (folder / "company.yaml").read_text("utf-8")
    more = CONNECTIONS.replace("ADDRESS", f"http://127.0.0.1:{at.server_address[1]}")
    (folder / "company.yaml").write_text(company.replace("mediums:", more + "mediums:"), "utf-8")
    (folder / "new-member.yaml").write_text(PLAYBOOK, "utf-8")


def take(stage: Stage, at: Door, page: Page, shoot: Callable[[str], None]) -> None:
    """Four days, with the camera in Prefect."""
    address = stage.running()["prefect"]

    def look(run: dict[str, Any], name: str, *, tasks: bool = True) -> None:
        page.goto(f"{address}/runs/flow-run/{run['id']}")
        page.get_by_text("Task Runs" if tasks else "Details", exact=True).click()
        page.wait_for_timeout(5_000)
        page.mouse.wheel(0, 700)
        page.wait_for_timeout(1_000)
        shoot(name)

    _paid(stage, "quiet", 1)
    look(_run(stage, "COMPLETED", 1), "prefect-quiet")
    _paid(stage, "rush", RUSH)
    stage.wait(lambda: len(_shown(stage)) >= 3 and all(_final(run) for run in _shown(stage)), "the rush to be shown")
    look(max(_shown(stage), key=lambda run: run["estimated_run_time"]), "prefect-rush")
    at.status = 400
    _paid(stage, "refused", 2)
    look(_run(stage, "FAILED", 1), "prefect-failed", tasks=False)
    at.status = 200
    at.answers.clear()
    _paid(stage, "slow", 3)
    run = _run(stage, "RUNNING", 1)
    page.goto(f"{address}/runs/flow-run/{run['id']}")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
    look(_run(stage, "CANCELLED", 1), "prefect-cancelled", tasks=False)
    at.answers.set()


def _paid(stage: Stage, word: str, count: int) -> None:
    for number in range(count):
        body = {"이름": f"회원 {number}", "연락처": f"010-{abs(hash(word)) % 9000 + 1000}-{number:04}"}
        stage.webhook("orders", f"{word}-{number}", body)


def _shown(stage: Stage) -> list[dict[str, Any]]:
    return [
        run for run in stage.ask_prefect("flow_runs", {"sort": "START_TIME_DESC"}) if run["name"].startswith("회원권")
    ]


def _final(run: dict[str, Any]) -> bool:
    return run["state_type"] in {"COMPLETED", "FAILED", "CANCELLED"}


def _run(stage: Stage, state: str, count: int) -> dict[str, Any]:
    """The newest run of this state, when there are so many."""

    def found() -> list[dict[str, Any]]:
        mine = [run for run in _shown(stage) if run["state_type"] == state]
        return mine if len(mine) >= count else []

    return stage.wait(found, f"a run to be {state.lower()}")[0]
