"""The example company's form moved to a service that signs what it sends: one line changes."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.conftest import SECRET, Up

ROOT = Path(__file__).parents[2]
OWN = "  trial-form:    {connector: own_form}\n"
SIGNED = "  trial-form:    {connector: webhook, scheme: standard, event: form.submitted}\n"
ANSWERS = {"이름": "김하나", "연락처": "010-1234-5678", "지점": "합정점", "알게 된 곳": "네이버"}


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Up]:
    folder = tmp_path / "studio"
    shutil.copytree(ROOT / "playbooks", folder)
    written = (folder / "company.yaml").read_text("utf-8")
    assert written.count(OWN) == 1
    (folder / "company.yaml").write_text(written.replace(OWN, SIGNED), "utf-8")
    up = Up(tmp_path / "home", folder, {"DIGILOG_CONNECTIONS__TRIAL_FORM__SIGNING_SECRETS": SECRET})
    yield up.start()
    up.close()


def test_the_same_webhook_three_times_is_one_case_one_assignment_and_one_notice(studio: Up) -> None:
    assert [studio.send("form-1", ANSWERS, "trial-form") for _ in range(3)] == [202, 202, 202]
    studio.wait(lambda: list((studio.home / "outbox").glob("*.txt")), "the notice")
    assert studio.send("form-1", ANSWERS, "trial-form") == 202  # and once more, afterwards
    studio.wait(lambda: not studio.count("event WHERE state = 'new'"), "all events to be decided")

    assert studio.rows('SELECT playbook, status FROM "case"') == [("trial-booking", "assigned")]
    assert studio.rows("SELECT step, state, person FROM assignment") == [("assign", "open", "yoon")]
    notices = [file.read_text("utf-8") for file in (studio.home / "outbox").glob("*.txt")]
    assert len(notices) == 1
    assert "강사를 정하고 시간을 확정한다" in notices[0]
    assert studio.rows("SELECT kind, channel FROM exchange") == [("apply", "naver_place")]
