"""How a playbook's test begins: whatever starts the playbook, brought about in a simulated store."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from flows.engine import scheduler
from flows.engine.decide import PASSED_STEP
from flows.engine.own import STEPS, bring, start_by_hand, tell
from flows.ledger.exchanges import Exchange, record
from flows.ledger.parties import add_contact, find_or_make
from flows.playbook import contact
from flows.playbook.form import Refusal, typed
from flows.playbook.model import Book, Playbook, TestParty
from flows.playbook.schedule import Schedule
from flows.store import tables as t
from flows.store.read import first
from flows.store.write import emit

BEFORE = "before"  # the system of what parties did before the test begins
STRANGER = TestParty(name="손님", phone="010-0000-0001", email="guest@example.com")


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a test begins: the whole company, the playbook that is tried, and the party that it is about."""

    session: Connection
    book: Book
    playbook: Playbook
    now: datetime
    party: str


def meet(session: Connection, book: Book, known: TestParty, now: datetime) -> str:
    """Make somebody known. Returns the party's id; raises ValueError for what is no phone number or address."""
    phone = contact.phone(known.phone or "010-0000-0001", book.company.country)
    email = contact.email(known.email) if known.email else None
    kind, value = ("email", email) if email and not known.phone else ("phone", phone)
    id = find_or_make(session, known.party, kind, value or "", now)
    for word, said in (("email", email), ("phone", phone if known.phone else None), ("name", known.name)):
        if said:
            add_contact(session, id, known.party, word, said)
    return id


def begin(scene: Scene, answers: Mapping[str, Any], number: int) -> list[Refusal]:
    """Start the playbook; `number` tells its starts apart. Returns what its form refuses."""
    start, session, now = scene.playbook.start, scene.session, scene.now
    if start.schedule:
        period = Schedule.parse(start.schedule).period(now, scene.book.company.zone)
        scheduler.start(session, scene.playbook.playbook, period, now)
    elif start.hand:
        return start_by_hand(session, scene.book, scene.playbook, answers, "test", now)
    elif start.step:
        tell(session, STEPS, f"test-{number}", PASSED_STEP, start.step, _told(scene, answers), now, scene.party)
    elif kind := start.exchange or _leading_to(start.stage, scene.book):
        id = record(
            session, scene.book, scene.party, Exchange(kind=kind), now,
            by="test", system="start", reference=f"{number}",
        )  # fmt: skip
        event = first(session, t.event.select().where(t.event.c.subject == id))
        if event is not None:
            bring(session, event["id"], _told(scene, answers), now, scene.party)
    else:
        _, refused = typed(scene.playbook.fields, answers, scene.book.company)
        if refused:
            return refused
        body = json.dumps(dict(answers), ensure_ascii=False).encode()
        emit(session, start.connection or "", f"test-{number}", start.event or "", now, body)
    return []


def _leading_to(stage: str | None, book: Book) -> str | None:
    return next((kind for kind, rule in book.canvas.kinds.items() if stage and rule.stage == stage), None)


def _told(scene: Scene, answers: Mapping[str, Any]) -> dict[str, Any]:
    """What the case would have known that the start comes from: `step.answer` is an answer there, all else a field."""
    fields: dict[str, Any] = {}
    results: dict[str, dict[str, Any]] = {}
    other = scene.book.playbooks.get((scene.playbook.start.step or "").partition(".")[0])
    for name, said in answers.items():
        step, dot, answer = name.partition(".")
        if not dot:
            fields[name] = _typed(scene, other.fields.get(name) if other else None, said)
            continue
        known = other.steps[other.index[step]].form.get(answer) if other and step in other.index else None
        results.setdefault(step, {})[answer] = _typed(scene, known, said)
    return {"fields": fields, "results": results}


def _typed(scene: Scene, field: Any, said: Any) -> Any:
    return typed({"it": field}, {"it": said, field.label: said}, scene.book.company)[0].get("it") if field else said
