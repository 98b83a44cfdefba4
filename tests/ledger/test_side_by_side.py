"""Answers that come at the same moment: each is taken."""

import threading
from datetime import date
from typing import ClassVar

from connectors.analytics import Asked, Page, Source
from flows.ledger.pull.asked import Question
from flows.ledger.pull.planning import Part
from flows.ledger.pull.side_by_side import AT_ONCE, EACH, Patience, SideBySide

DAY = date(2026, 11, 22)


class Together(Source):
    """Answers nobody before all are there."""

    service: ClassVar[str] = "together"
    gate: ClassVar[threading.Barrier] = threading.Barrier(AT_ONCE)

    def fetch(self, asked: Asked, page: str | None) -> bytes:
        del asked, page
        self.gate.wait(30)
        return b"{}"

    def parse(self, asked: Asked, raw: bytes) -> Page:
        del asked, raw
        return Page(readings=())


def test_of_answers_that_come_together_none_is_lost():
    asked = Asked(since=DAY, until=DAY)
    questions = [Question(one, Part(f"c{one // EACH}.readings", ("m",), DAY, DAY), asked) for one in range(AT_ONCE)]
    made = {f"c{one}": Together.connect(f"c{one}", {}, environ={}) for one in range(AT_ONCE // EACH)}
    side = SideBySide(made.__getitem__, {}, threading.Event(), Patience(call=5.0))
    done = [question for some in side.ask(questions) for question in some]
    assert sorted(question.number for question in done) == list(range(AT_ONCE))
    assert not [question for question in done if question.error]
