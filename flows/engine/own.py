"""Events of our own that bring more than a subject: a step that was done, a start by hand."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from flows.engine.decide import BY_HAND, PASSED_STEP
from flows.playbook.form import Refusal, typed
from flows.playbook.model import Book, Playbook
from flows.store import data as kept
from flows.store import tables as t
from flows.store.write import RAW_KEPT, add, audit, emit, new_id

STEPS, HAND = "playbook", "hand"  # their connections


def tell(
    session: Connection,
    connection: str,
    key: str,
    name: str,
    subject: str,
    brings: Mapping[str, Any],
    now: datetime,
    party: str | None = None,
) -> int | None:
    """Emit an event about `party` with what it brings; none if it was emitted before."""
    made = emit(session, connection, key, name, now, subject=subject)
    if made is not None:
        bring(session, made, brings, now, party)
    return made


def bring(session: Connection, event: int, brings: Mapping[str, Any], now: datetime, party: str | None = None) -> None:
    """Keep what an event of our own brings."""
    body = kept.dump(dict(brings)).encode()
    add(
        session, t.private_event,
        event_id=event, party_id=party, body=body, headers="{}", retain_until=now + RAW_KEPT,
    )  # fmt: skip


def step_done(session: Connection, book: Book, case: Mapping[str, Any], step: str, told: Any, now: datetime) -> None:
    """Tell that a step was done, if a playbook starts by it. The first time counts."""
    subject = f"{case['playbook']}.{step}"
    if any(playbook.start.step == subject for playbook in book.playbooks.values()):
        brings = {"playbook": case["playbook"], "fields": told["fields"], "results": told["results"]}
        tell(session, STEPS, f"{case['id']}/{step}", PASSED_STEP, subject, brings, now, case["party_id"])


def start_by_hand(
    session: Connection, book: Book, playbook: Playbook, answers: Mapping[str, object], who: str, now: datetime
) -> list[Refusal]:
    """Start a playbook with a form that a person filled in. Returns what the form refuses, if anything."""
    _, refused = typed(playbook.fields, answers, book.company)
    if not refused:
        key = f"{playbook.playbook}/{new_id()}"
        made = tell(session, HAND, key, BY_HAND, playbook.playbook, answers, now)
        audit(session, who, "start", f"event {made}", now)
    return refused
