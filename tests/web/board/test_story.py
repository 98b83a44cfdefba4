"""The example company on its board, by pages alone: Saturday's form, Monday's confirmation, and what goes wrong."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page

from tests.web.board.studio import CHROMIUM, PASSWORD, Studio, opened

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


def test_who_knows_the_address_and_a_password_alone_tries_a_failed_case_again(studio: Studio) -> None:
    """Goes on where the confirmation ended: the roster cannot be read. All else is read off the pages."""
    studio.wait('SELECT 1 FROM "case" WHERE failed', "the roster to fail")
    stranger = studio.page(None, 390, java_script_enabled=False)
    stranger.goto(studio.web)
    stranger.get_by_label("이름(아이디)").fill("yoon")
    stranger.get_by_label("비밀번호").fill(PASSWORD)
    stranger.get_by_role("button", name="로그인").click()
    stopped = stranger.locator("section", has=stranger.get_by_role("heading", name="멈춘 케이스"))
    stopped.get_by_role("link", name="김하나").click()
    assert "체험 명단에 한 줄 적는다: roster.xlsx 파일을 엑셀로 읽을 수 없습니다" in _now(stranger)
    _try_again(stranger, "열어 보았지만 아직 깨져 있다")
    studio.wait(
        "SELECT count(*) FROM journal WHERE state = 'failed' AND step = 'list' HAVING count(*) = 2", "it to fail again"
    )
    stranger.get_by_role("link", name="결과 보기").click()
    assert "기계가 이 단계를 하지 못했습니다" in _now(stranger)

    (studio.stage.home / "files" / "roster.xlsx").unlink()
    _try_again(stranger, "깨진 명단을 치웠다")
    studio.wait("SELECT 1 FROM effect WHERE step = 'list' AND state = 'done'", "the row in the roster")
    stranger.get_by_role("link", name="결과 보기").click()
    assert "못했습니다" not in _now(stranger)
    assert "됨 · 체험 명단에 한 줄 적는다" in stranger.locator(".story").inner_text()
    assert "깨진 명단을 치웠다" in stranger.locator("main").inner_text()
    stranger.goto(studio.web)
    assert "멈춘 케이스" not in stranger.locator("main").inner_text()
    stranger.context.close()
    assert any("김하나" in cell for cell in studio.stage.roster())
    assert ("yoon", "retry") in [tuple(row) for row in studio.asks("SELECT who, what FROM audit")]


def _now(page: Page) -> str:
    """What the page of a case says first of all."""
    return page.locator("section", has=page.get_by_role("heading", name="지금", exact=True)).inner_text()


def _try_again(page: Page, reason: str) -> None:
    page.locator("summary", has_text="다시 시도").click()
    form = page.locator("details[open]")
    form.get_by_label("까닭").fill(reason)
    form.get_by_role("button", name="다시 시도").click()
    assert "다시 시도합니다" in page.locator("[role=status]").inner_text()
    assert "엑셀로 읽을 수 없습니다" not in _now(page)


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
