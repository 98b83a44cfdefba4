"""The process document says all that the playbook says, in words that people use."""

from pathlib import Path

import pytest

from flows.playbook.check import check
from flows.playbook.document import document
from flows.playbook.model import Book


@pytest.fixture(scope="module")
def book() -> Book:
    found = check(Path(__file__).parent / "company").book
    assert found is not None
    return found


def test_a_korean_company_reads_korean(book: Book) -> None:
    text = document(book.playbooks["trial-booking"], book)
    for line in (
        "# 체험수업 신청-확정-출석",
        "- **책임**: 매니저",
        "- **자리**: 고객 / 신청",
        "## 고객이 겪는 일",
        "1. 검색이나 소개로 체험수업을 신청한다",
        "2. **강사를 정하고 시간을 확정한다**",
        "   - 언제까지: 영업시간으로 1시간",
        "   - 늦으면: 영업시간으로 2시간 지나면 > 원장",
        "   - 적는 것: 통증 부위 [선택] [민감]",
        "   - 기계가 못 하면: 매니저, 전화로 확정을 알린다",
        "   - 기다림: 수업 일시 20시간 전",
        "   - 누가: 강사 (정해진 사람: 강사)",
        "   - 손으로 하면: 10분",
        "- 거래: 취소 > 실패",
        "- 체험 출석 (목표 >= 0.8)",
    ):
        assert line in text.splitlines()


def test_the_same_document_in_english(book: Book) -> None:
    text = document(book.playbooks["daily-metrics"], book, "en")
    for line in (
        "- **Place**: revenue / the whole circle",
        "- **When it begins**: schedule daily 06:30",
        "   - Wait: that day 08:30",
        "   - Reminder: 15 minutes before",
        "   - Who: machine",
    ):
        assert line in text.splitlines()


def test_every_step_and_promise_is_in_it(book: Book) -> None:
    for playbook in book.playbooks.values():
        text = document(playbook, book)
        for step in playbook.steps:
            assert step.do in text
            assert (step.expect or "") in text
        assert playbook.purpose in text
        assert all(revision.change in text for revision in playbook.revisions)


def test_words_of_people_stay_words(book: Book) -> None:
    playbook = book.playbooks["trial-booking"].model_copy(update={"title": "# [a](b) <script> *c* #{이름}"})
    assert document(playbook, book).splitlines()[0] == r"# \# \[a\](b) \<script\> \*c\* #{이름}"
