"""A new admin with a real browser on a running system: from the terminal's code to a failed case tried again."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.system.conftest import Up

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
LONG = 30_000  # ms: a page of a loaded machine
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; install the package chromium")
COMPANY = """
name: 온다필라테스
zone: Asia/Seoul
language: ko
hours: {mon-sun: 00:00-24:00}
roles: {owner: {label: 원장, people: [han]}}
people: {han: {name: 한원장}, yoon: {name: 윤매니저}}
sender: {name: 온다필라테스}
connections:
  trial-form: {connector: own_form}
  roster: {connector: excel, file: roster.xlsx}
mediums: {team: outbox}
"""
TRIAL = """
playbook: trial
title: 체험수업 신청
state: operate
system: customer
stage: apply
owner: owner
purpose: 신청한 고객은 그날 답을 듣는다.
scenario: {s1: 신청한다}
start: {event: form.submitted, connection: trial-form}
fields: {name: {type: text, label: 이름}, phone: {type: phone, label: 연락처}}
case: phone
steps:
  - {id: agree, do: 시간을 정한다, by: owner, due: 1h, checklist: [전화했다], serves: [s1], expect: 정했다, by_hand: 5m}
  - {id: note, do: 명단에 적는다, by: machine, use: roster.upsert_row,
     with: {row_id: "{{ phone }}", row: {이름: "{{ name }}"}},
     serves: [s1], expect: 적혔다, by_hand: 1m, fallback: {by: owner, do: 손으로 적는다}}
"""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("browser")
    files = folder / "company"
    files.mkdir()
    (files / "company.yaml").write_text(COMPANY, "utf-8")
    (files / "canvas.yaml").write_text("stages: {apply: {label: 신청}}\n", "utf-8")
    (files / "trial.yaml").write_text(TRIAL, "utf-8")
    (folder / "home" / "files").mkdir(parents=True)
    (folder / "home" / "files" / "roster.xlsx").write_bytes(b"this is no spreadsheet")
    started = Up(folder / "home", files).start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])


@pytest.fixture(scope="module")
def page(up: Up, browser: Browser) -> Page:
    """Logged in as the first admin, on a phone, without JavaScript."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    found = context.new_page()
    found.set_default_timeout(LONG)
    code = re.search(r"/setup with\s+(\S+)", up.said())
    assert code
    found.goto(f"http://127.0.0.1:{up.port}/")
    found.goto(f"http://127.0.0.1:{up.port}/setup")
    found.get_by_label("일회용 코드").fill(code[1])
    found.get_by_label("이름(아이디)").fill("han")
    found.get_by_label("비밀번호").fill("three small boats")
    found.get_by_role("button").click()
    found.get_by_role("heading", name="오늘").wait_for()
    return found


def test_from_login_to_a_finished_assignment_and_a_failed_case_tried_again(up: Up, page: Page) -> None:
    web = f"http://127.0.0.1:{up.port}"
    page.goto(f"{web}/form/trial-form")
    page.get_by_label("이름").fill("김하나 <script>alert(1)</script>")
    page.get_by_label("연락처").fill("010-1234-5678")
    page.get_by_role("button").click()
    up.wait(lambda: up.rows("SELECT 1 FROM assignment WHERE told_at IS NOT NULL"), "the assignment")

    page.goto(web)
    page.get_by_role("button", name="로그아웃").click()
    page.get_by_label("이름(아이디)").fill("han")
    page.get_by_label("비밀번호").fill("three small boats")
    page.get_by_role("button", name="로그인").click()
    page.get_by_role("link", name="시간을 정한다").click()
    page.get_by_role("button", name="완료", exact=True).click()
    assert "아직 확인하지 않은 항목: 전화했다" in page.content()
    page.get_by_label("전화했다").check()
    page.get_by_label("걸린 시간(분)").fill("4")
    page.get_by_role("button", name="완료", exact=True).click()
    assert "완료했습니다" in page.content()

    up.wait(lambda: up.rows('SELECT 1 FROM "case" WHERE failed'), "the machine to fail")
    page.goto(f"{web}/cases?state=failed")
    page.get_by_role("link", name="김하나").click()
    assert "roster.xlsx 파일을 엑셀로 읽을 수 없습니다" in page.content()
    (up.home / "files" / "roster.xlsx").unlink()
    page.locator("summary", has_text="다시 시도").click()
    form = page.locator("details[open]")
    form.get_by_label("까닭").fill("깨진 파일을 치웠다")
    form.get_by_role("button", name="다시 시도").click()
    assert "다시 시도합니다" in page.content()
    up.wait(lambda: up.rows("SELECT 1 FROM \"case\" WHERE outcome = 'done'"), "the case to end")
    page.reload()
    assert "잘 끝남" in page.content()
    assert ("han", "retry", "깨진 파일을 치웠다") in up.rows("SELECT who, what, reason FROM audit")


def test_pages_are_for_everyone_by_an_audit(up: Up, page: Page, browser: Browser) -> None:
    case = up.rows('SELECT id FROM "case"')[0][0]
    work = up.rows("SELECT id FROM assignment")[0][0]
    state = page.context.storage_state()
    wrong = []
    for scheme in ("light", "dark"):
        looks = browser.new_context(storage_state=state, color_scheme=scheme, viewport={"width": 1280, "height": 900})
        seen = looks.new_page()
        for path in ("/login", "/", "/cases", f"/cases/{case}", f"/assignments/{work}", "/account"):
            seen.goto(f"http://127.0.0.1:{up.port}{path}")
            found = Axe().run(seen).response["violations"]
            wrong += [(scheme, path, one["id"], [node["html"][:90] for node in one["nodes"]]) for one in found]
        looks.close()
    assert wrong == []


def test_nothing_is_wider_than_a_phone(up: Up, page: Page, browser: Browser) -> None:
    case = up.rows('SELECT id FROM "case"')[0][0]
    looks = browser.new_context(storage_state=page.context.storage_state(), viewport={"width": 360, "height": 740})
    seen = looks.new_page()
    for path in ("/login", "/", "/cases", f"/cases/{case}", "/account"):
        seen.goto(f"http://127.0.0.1:{up.port}{path}")
        assert seen.evaluate("document.documentElement.scrollWidth") <= 360, path
    looks.close()


def test_the_home_keeps_no_password_in_clear(up: Up) -> None:
    files = [file for file in Path(up.home).rglob("*") if file.is_file()]
    assert not [file.name for file in files if b"three small boats" in file.read_bytes()]
