"""An alert's piece of work: its evidence, and the way to its numbers."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from flows.ledger.alerts import told
from flows.ledger.alerts.judge import Finding
from flows.store import tables as t
from flows.store.write import add, open_assignment
from tests.web.board.conftest import Board

DAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("finding", "page", "seen"),
    [
        (Finding("views", "restated", (DAY,), {"before": Decimal(9500), "after": Decimal(3000)}), "/metrics",
         ["9,500", "3,000"]),
        (Finding("ads.readings", "failing", (DAY,), {}, "no answer"), "/connections/ads", ["no answer"]),
    ],
)  # fmt: skip
def test_an_alert_shows_its_evidence_and_leads_to_its_numbers(board: Board, finding, page, seen) -> None:
    book, now = board.door.context.world.book, datetime.now(UTC)
    with board.door.store.write() as session:
        id = open_assignment(session, now, kind="alert", role="owner", reason=told.sentence(book, finding))
        add(session, t.alert, key=finding.key, since=now, told_at=now, evidence=told.dump(finding), assignment_id=id)
    text = board.admin.get(f"/assignments/{id}").text
    assert f'href="{page}"' in text
    assert all(one in text for one in [*seen, "Sun 22 Nov"])
    assert told.sentence(book, finding) in board.admin.get("/?who=all").text
    assert board.admin.post(f"/assignments/{id}", {"_press": "done"}).status == 303
    (kept,) = board.door.rows(select(t.assignment).where(t.assignment.c.id == id))
    assert (kept["state"], kept["done_by"]) == ("done", "han")
    with board.door.store.write() as session:  # told again since: the old one shows its sentence alone
        session.execute(update(t.alert).values(assignment_id="another"))
    assert f'href="{page}"' not in board.admin.get(f"/assignments/{id}").text.partition('class="sheet')[2]
