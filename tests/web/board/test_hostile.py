"""What a customer may write to do harm, through the company's own forms into every page of the board, in a browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.web.board.studio import CHROMIUM, Studio, opened

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; install the package chromium")
HOSTILE = {
    "script": "<script>window.hurt=1</script><img src=x onerror=window.hurt=1>",
    "attribute": "\" autofocus onfocus=window.hurt=1 x='",
    "svg": "</textarea></title><svg onload=window.hurt=1>",
    "template": "{{ 7*7 }} {% raw %} ${7*7}",
    "direction": "\u202e\u2067ecila\u2066 \u202d\u200f",
    "formula": "=cmd|' /C calc'!A0",
    "mention": "<!channel> <@U012345> @everyone",
    "invisible": "가\u200b나\u200d다\ufeff라\u2060",
    "combining": "Z" + "\u0300\u0301\u0302\u0489" * 60,
    "long": "가" * 10_000,
    "unbroken": "W" * 3_000,
    "address": "javascript:window.hurt=1",
}
LISTENS = """
window.told = [];
document.addEventListener('securitypolicyviolation', one => window.told.push(one.violatedDirective + ' ' + one.sample));
"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """Each text has come in as a customer's name, has been sent in messages, and lies in quarantine."""
    with opened(tmp_path_factory.mktemp("hostile")) as found:
        for number, text in enumerate(HOSTILE.values()):
            found.sends("mat-form", name=text, phone=f"010-9999-{number:04}")
            found.sends("trial-form", name=text, phone=f"010-8888-{number:04}", branch="합정점", channel="네이버")
            found.stage.webhook("partner-form", f"odd-{number}", {"회사": text, "담당자": text, "이메일": text})
        many = len(HOSTILE)
        found.wait(f"SELECT count(*) FROM effect WHERE state = 'in_doubt' HAVING count(*) = {many}", "the orders")
        found.wait(
            f"SELECT count(*) FROM event WHERE state = 'quarantined' HAVING count(*) >= {many}", "the quarantine"
        )
        found.wait(
            f"SELECT count(*) FROM assignment WHERE told_at IS NOT NULL HAVING count(*) >= {many}", "the assignments"
        )
        yield found


@pytest.mark.parametrize("width", [390, 1280])
def test_no_script_of_a_customer_runs_and_no_page_gets_wider(studio: Studio, width: int) -> None:
    page = studio.page("han", width)
    hurt: list[str] = []
    page.on("dialog", lambda one: (hurt.append(f"dialog {one.message}"), one.dismiss()))
    page.on("pageerror", lambda one: hurt.append(f"error {one}"))
    page.on("request", lambda one: None if one.url.startswith(studio.web) else hurt.append(f"asks {one.url}"))
    page.add_init_script(LISTENS)
    seen = studio.places(each=len(HOSTILE))
    for path in seen:
        hurt += _looked(page, studio.web + path, width)
    assert len(seen) > 40
    assert hurt == []
    page.context.close()


def _looked(page: Page, address: str, width: int) -> list[str]:
    """What went wrong on one page, with all that can be opened opened."""
    answer = page.goto(address)
    assert answer
    assert answer.status == 200, address
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    found = [] if page.evaluate("window.hurt === undefined") else ["a script ran"]
    found += page.evaluate("window.told")
    wide = page.evaluate("document.documentElement.scrollWidth")
    return [f"{address}: {one}" for one in (*found, *([f"{wide} px wide"] if wide > width else []))]


def test_what_was_written_is_shown_and_not_done(studio: Studio) -> None:
    page = studio.page("ji", 390)
    page.goto(f"{studio.web}/cases?state=all")
    said = page.locator("main").inner_text()
    assert "<script>window.hurt=1" in said
    assert "{{ 7*7 }}" in said
    assert "=cmd|" in said
    page.context.close()
