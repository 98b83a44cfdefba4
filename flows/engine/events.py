"""Takes new events to decisions, and decisions into rows."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from flows.engine.decide import Change, Contact, Event, Note, Open, Quarantine, Stop, decide, read_body
from flows.engine.scope import Scope
from flows.engine.walk import Walk
from flows.engine.world import World
from flows.ledger.parties import add_contact, find, find_or_make
from flows.playbook.expression import Expression
from flows.playbook.model import Playbook
from flows.playbook.schedule import Schedule
from flows.store import data as kept
from flows.store import tables as t
from flows.store.read import Row, the
from flows.store.write import RAW_KEPT, journal, new_id

HELD_UNTIL_LET_GO = "waits to be let go (state complete)"


class _Known:
    """What `decide` may ask of the store."""

    def __init__(self, session: Connection, world: World) -> None:
        self._session, self._world = session, world

    def party(self, contact: Contact) -> str | None:
        return find(self._session, contact.party_kind, contact.kind, contact.value)

    def open_case(self, playbook: str, party: str) -> str | None:
        c = t.case.c
        found = select(c.id).where(c.playbook == playbook, c.party_id == party, c.status != "ended")
        return self._session.execute(found.limit(1)).scalar()

    def open_cases(self, party: str) -> list[Mapping[str, Any]]:
        c = t.case.c
        rows = select(c.id, c.playbook, c.version).where(c.party_id == party, c.status != "ended")
        return [dict(row) for row in self._session.execute(rows).mappings()]

    def pinned(self, version: str) -> Playbook:
        return self._world.pinned(self._session, version)

    def holds(self, where: Expression, playbook: Playbook, fields: Mapping[str, object], party: str | None) -> bool:
        now, book = self._world.clock.now(), self._world.book
        case = {"id": None, "opened_at": now, "party_id": party, "period": None}
        scope = Scope(self._session, book, playbook, case, {"fields": fields, "results": {}}, now)
        return bool(where.evaluate(scope.value, scope.today, book.company.zone))


def take(session: Connection, world: World, row: Row) -> None:
    """Decide one new event and write what follows."""
    event = _read(session, row)
    states = {name: world.state(name) for name in world.book.playbooks}
    known = _Known(session, world)
    changes: list[Change] = (
        [Quarantine("the body is no JSON object")] if event is None else decide(event, world.book, known, states)
    )
    stuck = next((change.reason for change in changes if isinstance(change, Quarantine)), None)
    for change in changes:
        _apply(session, world, row, change)
    state = "quarantined" if stuck else "decided"
    session.execute(update(t.event).where(t.event.c.id == row["id"]).values(state=state, reason=stuck))


def _read(session: Connection, row: Row) -> Event | None:
    facts = {name: row[name] for name in ("id", "name", "connection", "key", "at", "subject")}
    if row["name"] == "exchange.recorded":
        found = select(t.exchange).where(t.exchange.c.id == row["subject"])
        return Event(**facts, exchange=the(session, found))
    if row["subject"] is not None:
        return Event(**facts)
    raw = select(t.private_event.c.body).where(t.private_event.c.event_id == row["id"])
    body = read_body(session.execute(raw).scalar_one())
    return None if body is None else Event(**facts, body=body)


def _apply(session: Connection, world: World, row: Row, change: Change) -> None:
    match change:
        case Open():
            _open(session, world, row, change)
        case Note(case):
            found = the(session, select(t.case).where(t.case.c.id == case))
            journal(session, found, None, "noted", world.clock.now(), reason="asked again while this case is open")
        case Stop(case, outcome, reason):
            _stop(session, world, case, outcome, reason)


def _open(session: Connection, world: World, row: Row, change: Open) -> None:
    now, playbook = world.clock.now(), change.playbook
    party = _party(session, world, row, change) if change.contact else None
    world.keep_version(session, playbook)
    case = {
        "id": new_id(), "playbook": playbook.playbook, "version": playbook.version, "party_id": party,
        "period": change.period, "event_id": row["id"], "opened_at": now, "status": "ready", "step": 0,
        "leg": 1, "wake_at": now, "failed": False, "held": HELD_UNTIL_LET_GO if change.waits else None,
    }  # fmt: skip
    session.execute(insert(t.case).values(**case))
    content: dict[str, Any] = {"fields": dict(change.fields), "results": {}}
    if change.period:
        content["period"] = _period(playbook, change.period)
    session.execute(
        insert(t.private_case).values(
            case_id=case["id"], party_id=party, data=kept.dump(content), retain_until=now + RAW_KEPT
        )
    )
    journal(session, case, None, "opened", now, reason=case["held"])


def _period(playbook: Playbook, id: str) -> dict[str, Any]:
    """What texts may ask of a period: its day, and the last finished day or month before it."""
    day = Schedule.parse(playbook.start.schedule or "").date_of(id)
    return {"id": id, "date": day, "previous": day - timedelta(days=1)}


def _party(session: Connection, world: World, row: Row, change: Open) -> str:
    """The party the case is about, with its other contact points, name and consents."""
    contact, fields = change.contact, change.playbook.fields
    if contact is None:
        raise ValueError("a case about nobody has no party")
    now = world.clock.now()
    party = find_or_make(session, contact.party_kind, contact.kind, contact.value, now)
    session.execute(update(t.private_event).where(t.private_event.c.event_id == row["id"]).values(party_id=party))
    for name, field in fields.items():
        value = change.fields.get(name)
        if field.type in {"phone", "email"} and value:
            add_contact(session, party, contact.party_kind, field.type, str(value))
        elif name == "name" and field.type == "text" and value:
            add_contact(session, party, contact.party_kind, "name", str(value))
        elif field.type == "consent":
            session.execute(
                insert(t.consent).values(
                    party_id=party,
                    purpose=field.purpose or "",
                    medium=field.medium,
                    given=bool(value),
                    at=now,
                    wording=field.label,
                    event_id=row["id"],
                )
            )
    return party


def _stop(session: Connection, world: World, case: str, outcome: str, reason: str) -> None:
    found = dict(the(session, select(t.case).where(t.case.c.id == case)))
    if found["status"] == "ended":
        return
    found["leg"] += found["status"] not in {"ready", "calling"}
    walk = Walk(world, session, world.pinned(session, found["version"]), found, world.clock.now())
    walk.end(outcome, "stopped", reason)
    walk.save()
