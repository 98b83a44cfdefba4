"""The board's pages for everyone: an automated audit of each, light and dark; and the keyboard alone."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from flows.ledger.readings import Value, correct, keep
from tests.web.board.studio import CHROMIUM, PASSWORD, Studio, opened

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; install the package chromium")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """With something on every page: a doubt, a failure, and an event that nothing starts by."""
    with opened(tmp_path_factory.mktemp("audit")) as found:
        found.sends("mat-form", name="박매트", phone="010-9999-0001")
        found.sends("trial-form", name="김하나", phone="010-2345-6789", branch="합정점", channel="네이버")
        found.stage.webhook("partner-form", "odd", {"회사": "망원서점"})
        found.wait("SELECT 1 FROM effect WHERE state = 'in_doubt'", "a doubt")
        found.wait("SELECT 1 FROM assignment WHERE told_at IS NOT NULL", "an assignment")
        found.wait("SELECT 1 FROM event WHERE state = 'quarantined'", "an event in quarantine")
        _counted(found)
        yield found


def _counted(studio: Studio) -> None:
    """A metric with each mark that a number can have: zero, missing, restated, corrected, in conflict."""
    store, book, now = studio.stage.store, studio.stage.book, studio.stage.now()
    assert store
    with store.write() as session:
        for back, numbers in ((1, ["7", "9"]), (2, [None]), (3, ["0"]), (12, ["5"])):
            day = now.date() - timedelta(days=back)
            for number in numbers:
                value = None if number is None else Decimal(number)
                keep(session, book, [Value("ad_clicks", day, value, "ads-csv.readings")], now)
        day = now.date() - timedelta(days=1)
        correct(session, book, Value("ad_clicks", day, Decimal(8), "person", "yoon"), now, "잘못 셈")
        keep(session, book, [Value("ad_clicks", day, Decimal(10), "ads-csv.readings")], now)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_a_rule_of_the_audit(studio: Studio, scheme: Literal["light", "dark"]) -> None:
    seen = studio.page("han", color_scheme=scheme)
    wrong = []
    for path in ("/login", *studio.places()):
        seen.goto(studio.web + path)
        seen.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        found = Axe().run(seen).response["violations"]
        wrong += [(path, one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found]
    seen.context.close()
    assert wrong == []


def test_by_the_keyboard_alone_somebody_logs_in_and_finishes_an_assignment(studio: Studio) -> None:
    page = studio.page()
    page.goto(studio.web)
    _reach(page, "#name")
    page.keyboard.type("yoon")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="오늘").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"  # past the navigation in one press
    page.keyboard.press("Enter")
    _reach(page, "a[href^='/assignments/']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/assignments/*")
    for _ in range(3):
        _reach(page, "input[name=_ticked]:not(:checked)")
        page.keyboard.press("Space")
    _reach(page, "input[name=class_at]")
    for _ in range(6):  # year to minute
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowRight")
    _reach(page, "input[name=instructor]")
    page.keyboard.press("Space")
    _reach(page, "button[value=done]")
    page.keyboard.press("Enter")
    page.get_by_text("완료했습니다").wait_for()
    page.context.close()


def _reach(page: Page, what: str) -> None:
    """Press Tab until something has the focus, and see that it shows where it is."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("what => document.activeElement.matches(what)", what):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", what
            return
    raise AssertionError(f"Tab never comes to {what}")
