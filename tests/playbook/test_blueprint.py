"""The blueprint shows the whole company at a glance, and the page of it holds nothing that acts."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from flows.playbook.blueprint import blueprint, places, standing
from flows.playbook.check import check
from flows.playbook.document import document
from flows.playbook.model import Book
from flows.playbook.page import page


@pytest.fixture(scope="module")
def book() -> Book:
    found = check(Path(__file__).parents[2] / "playbooks").book
    assert found is not None
    return found


def test_stage_line_step_and_who_stand_in_one_table(book: Book) -> None:
    lines = blueprint(book, ["apply"]).splitlines()
    begin = lines.index("### 체험수업 신청-확정-출석")
    assert lines[begin + 2 : begin + 8] == [
        "| 고객이 겪는 일 | 하는 일 | 누가 |",
        "| --- | --- | --- |",
        "| 검색이나 소개로 체험수업을 신청한다 | 거래장부에 신청을 적는다 | 기계 |",
        "| 한 시간 안에 확정 안내를 받는다 | 강사를 정하고 시간을 확정한다 | 매니저 |",
        "|  | 확정 안내를 보낸다 | 기계 |",
        "| 수업 전날이나 당일 아침에 길과 준비물을 안내받는다 | 오시는 길과 시각을 알려준다 | 기계 |",
    ]
    assert "| (뒤에서) | 수업 20시간 전까지 기다린다 | 기다림: 수업 일시 20시간 전 |" in lines


def test_every_step_of_every_playbook_is_in_it_and_gaps_are_shown(book: Book) -> None:
    text = blueprint(book)
    for playbook in book.playbooks.values():
        assert all(f"| {step.do} |" in text for step in playbook.steps)
        assert all(f"| {line} |" in text for line in playbook.scenario.values())
    assert text.count("*아직 플레이북이 없다*") == 1  # decide
    assert "- **차이**: 체험 뒤의 상담" in text
    assert "no playbook yet" in blueprint(book, ["decide"], "en")
    placed = {one.stage for one in book.playbooks.values()}
    assert {one.stage for place in places(book) for one in standing(book, place)} == placed


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


HOSTILE = (
    "<script>alert(1)</script> [x](javascript:alert(1)) ![y](http://evil.example/z) | `a` &lt; <http://evil.example>"
)


def test_words_of_people_are_words_on_the_page_too(book: Book) -> None:
    playbook = book.playbooks["trial-booking"]
    step = playbook.steps[0].model_copy(update={"do": HOSTILE})
    hostile = playbook.model_copy(update={"title": HOSTILE, "steps": [step], "scenario": {"s1": HOSTILE}})
    other = Book(book.folder, book.company, book.canvas, book.messages, book.metrics, {"a": hostile})
    text = page(blueprint(other) + "\n" + document(hostile, other), HOSTILE, "ko")
    seen = _Seen()
    seen.feed(text)
    assert not {"script", "a", "img", "iframe"} & set(seen.tags)
    assert not [name for name in seen.attributes if name.startswith("on") or name in {"src", "href"}]
    assert seen.text.count("<script>alert(1)</script> [x](javascript:alert(1))") == 8
    assert seen.text.count("&lt; <http://evil.example>") == 8


def test_the_page_shows_the_table(book: Book) -> None:
    text = page(blueprint(book), book.company.name, "ko")
    assert '<html lang="ko">' in text
    assert "<td>강사를 정하고 시간을 확정한다</td>" in text
