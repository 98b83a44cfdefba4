"""The example company on its board, by pages alone: Saturday's form, Monday's confirmation, and what goes wrong."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page

from tests.web.board.studio import CHROMIUM, Studio, opened

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; install the package chromium")
SENT = "SELECT 1 FROM effect WHERE message = 'trial_confirm' AND state = 'done'"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with opened(tmp_path_factory.mktemp("story")) as found:
        yield found


@pytest.fixture
def yoon(studio: Studio) -> Iterator[Page]:
    """The manager on a phone, without JavaScript."""
    page = studio.page("yoon", 390, java_script_enabled=False)
    page.goto(studio.web)
    yield page
    page.context.close()


def test_from_saturdays_form_to_mondays_confirmation(studio: Studio, yoon: Page) -> None:
    studio.sends("trial-form", name="김하나", phone="010-2345-6789", branch="합정점", channel="네이버")
    studio.wait("SELECT 1 FROM assignment WHERE told_at IS NOT NULL", "the manager's assignment")
    monday = (studio.stage.saturday_played + timedelta(days=2)).replace(hour=7, minute=30)
    studio.stage.move_clock(monday)

    yoon.goto(studio.web)
    yoon.get_by_role("link", name="강사를 정하고 시간을 확정한다").click()
    assert "김하나" in yoon.content()
    for line in ("통증 부위를 확인했다", "강사를 정했다", "시간을 확정했다"):
        yoon.get_by_label(line).check()
    class_at = (monday + timedelta(days=2)).replace(hour=10, minute=0)
    yoon.get_by_label("수업 일시").fill(f"{class_at:%Y-%m-%dT%H:%M}")
    yoon.get_by_label("지강사").check()
    yoon.get_by_role("button", name="완료", exact=True).click()
    assert "완료했습니다" in yoon.content()
    studio.wait(SENT, "the confirmation")

    yoon.goto(f"{studio.web}/cases?q=김하나")
    yoon.get_by_role("link", name="김하나").first.click()
    story = yoon.content()
    assert "김하나님, 온다필라테스 합정점 체험수업 예약이 확정되었습니다." in story
    assert "보냄" in story


def test_a_failed_case_is_tried_again_with_a_reason(studio: Studio, yoon: Page) -> None:
    """Goes on where the confirmation ended: the roster cannot be read."""
    studio.wait('SELECT 1 FROM "case" WHERE failed', "the roster to fail")
    yoon.goto(studio.web)
    yoon.locator("section", has=yoon.get_by_role("heading", name="멈춘 케이스")).get_by_role(
        "link", name="김하나"
    ).click()
    assert "roster.xlsx" in yoon.content()
    (studio.stage.home / "files" / "roster.xlsx").unlink()
    yoon.locator("summary", has_text="다시 시도").click()
    form = yoon.locator("details[open]")
    form.get_by_label("까닭").fill("깨진 명단을 치웠다")
    form.get_by_role("button", name="다시 시도").click()
    assert "다시 시도합니다" in yoon.content()
    studio.wait("SELECT 1 FROM effect WHERE step = 'list' AND state = 'done'", "the row in the roster")
    assert any("김하나" in cell for cell in studio.stage.roster())
    assert ("yoon", "retry") in [tuple(row) for row in studio.asks("SELECT who, what FROM audit")]


def test_a_doubt_is_settled_in_two_clicks(studio: Studio, yoon: Page) -> None:
    studio.sends("mat-form", name="박매트", phone="010-9999-0001")
    studio.wait("SELECT 1 FROM effect WHERE state = 'in_doubt'", "the order that was not answered")
    yoon.goto(studio.web)
    yoon.locator("summary", has_text="창고에 매트를 주문한다").click()
    assert "박매트" in yoon.locator("details[open]").inner_text()
    yoon.locator("details[open]").get_by_role("button", name="예, 되었습니다").click()
    assert "확인해 주셔서 고맙습니다" in yoon.content()
    studio.wait("SELECT 1 FROM journal WHERE playbook = 'mat-order' AND step = 'offer'", "the case to go on")


def test_who_only_knows_the_address_finds_why_a_message_was_not_sent(studio: Studio) -> None:
    """Goes on where the doubt was settled: what would follow is an advert."""
    studio.wait("SELECT 1 FROM journal WHERE step = 'offer' AND state = 'blocked'", "the advert to be kept back")
    ji = studio.page("ji", java_script_enabled=False)
    ji.goto(studio.web)
    ji.locator(".finder input").fill("박매트")
    ji.keyboard.press("Enter")
    ji.locator("main a[href^='/cases/']").first.click()
    story = ji.locator("main").inner_text()
    assert "보내지 않음" in story
    assert "광고를 거르는 절차가 아직 없어 보내지 않았습니다" in story
    ji.context.close()


def test_the_audit_names_who_did_each_act(studio: Studio) -> None:
    done = {(row[0], row[1]) for row in studio.asks("SELECT who, what FROM audit")}
    assert {("yoon", "done"), ("yoon", "retry"), ("yoon", "happened")} <= done
