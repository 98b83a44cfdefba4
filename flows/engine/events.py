"""Takes new events to decisions, and decisions into rows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from flows.engine.decide import (
    RECORDED,
    Change,
    Contact,
    Event,
    Happened,
    Note,
    Open,
    Quarantine,
    Stop,
    decide,
    period_of,
    read_body,
)
from flows.engine.scope import Scope
from flows.engine.walk import Walk
from flows.engine.world import World
from flows.ledger.parties import CUSTOMERS, PARTIES, Party, add_contact, every_party, find, find_or_make, stage
from flows.ledger.parties import party as read_party
from flows.playbook import contact as contact_of
from flows.playbook.expression import Expression
from flows.playbook.model import Playbook
from flows.store import data as kept
from flows.store import tables as t
from flows.store.prepared import Prepared
from flows.store.read import Row
from flows.store.write import RAW_KEPT, add, change, journal, new_id

_ev, _pe = t.event.c, t.private_event.c
NEW = Prepared(
    select(t.event, _pe.body, _pe.party_id)
    .outerjoin(t.private_event)
    .where(_ev.state == "new")
    .order_by(_ev.id)
    .limit(bindparam("at_once"))
)
_c = t.case.c
_of_party = select(_c.id, _c.playbook, _c.version, _c.status, _c.step).where(
    t.case.c.party_id == bindparam("party"), t.case.c.status != "ended"
)
_OPEN_CASES = Prepared(_of_party)
_OPEN_CASE = Prepared(_of_party.where(t.case.c.playbook == bindparam("playbook")).limit(1))
_CASE = Prepared(select(t.case).where(t.case.c.id == bindparam("case")).with_for_update())  # another engine may have it
_EXCHANGE = Prepared(select(t.exchange).where(t.exchange.c.id == bindparam("exchange")))
_TOLD = Prepared(
    select(t.case.c.playbook, t.private_case.c.data).join(t.private_case).where(t.case.c.id == bindparam("case"))
)
HELD_UNTIL_LET_GO = "waits to be let go (state complete)"


class _Known:
    """What `decide` may ask of the store."""

    def __init__(self, session: Connection, world: World, now: datetime) -> None:
        self._session, self._world, self._now = session, world, now

    def party(self, contact: Contact) -> str | None:
        return find(self._session, contact.party_kind, contact.kind, contact.value)

    def open_case(self, playbook: str, party: str) -> str | None:
        found = _OPEN_CASE.first(self._session, playbook=playbook, party=party)
        return found["id"] if found else None

    def open_cases(self, party: str) -> list[Mapping[str, Any]]:
        return list(_OPEN_CASES.rows(self._session, party=party))

    def pinned(self, version: str) -> Playbook:
        return self._world.pinned(self._session, version)

    def sender(self, connection: str, body: Mapping[str, Any]) -> list[str]:
        entry = self._world.book.company.connections.get(connection)
        found: object = body if entry and entry.settings.get("party") else None
        for part in str(entry.settings["party"]).split(".") if entry and found else ():
            found = found.get(part) if isinstance(found, Mapping) else None
        if not isinstance(found, str | int) or isinstance(found, bool):
            return []
        kind = "email" if "@" in str(found) else "phone"
        country = self._world.book.company.country
        try:
            value = contact_of.email(str(found)) if kind == "email" else contact_of.phone(str(found), country)
        except ValueError:
            return []
        known = (find(self._session, one, kind, value) for one in PARTIES)
        return [party for party in known if party]

    def told(self, case: str) -> Mapping[str, Any]:
        found = _TOLD.first(self._session, case=case)
        return {"playbook": found["playbook"], **kept.load(found["data"])} if found else {}

    def reached(self, exchange: Mapping[str, Any]) -> str | None:
        canvas = self._world.book.canvas
        found = read_party(self._session, exchange["party_id"]).exchanges
        place = (exchange["at"], exchange["id"])
        before = [one["kind"] for one in found if (one["at"], one["id"]) < place]
        now = stage([*before, exchange["kind"]], canvas)
        return now if now != stage(before, canvas) else None

    def parties(self, playbook: Playbook, period: Mapping[str, Any]) -> list[str]:
        where, about = playbook.start.where, playbook.case
        said = about is not None and "party" in about.model_fields_set
        kinds = {about.party} if about and said else CUSTOMERS
        data = {"fields": {}, "results": {}, "period": period}
        return [
            one.id for one in every_party(self._session, kinds) if where and self._holds(where, playbook, data, one)
        ]

    def holds(self, where: Expression, playbook: Playbook, data: Mapping[str, Any], party: str | None) -> bool:
        return self._holds(where, playbook, data, read_party(self._session, party) if party else None)

    def _holds(self, where: Expression, playbook: Playbook, data: Mapping[str, Any], party: Party | None) -> bool:
        now, book = self._now, self._world.book
        case = {
            "id": None, "opened_at": now, "party_id": party.id if party else None,
            "period": data.get("period", {}).get("id"),
        }  # fmt: skip
        scope = Scope(self._session, book, playbook, case, data, now)
        scope.party = party
        return bool(where.evaluate(scope.value, scope.today, book.company.zone))


def take(session: Connection, world: World, row: Row, now: datetime) -> None:
    """Decide one new event and write what follows. `now` is the turn's: what opens is moved on in the same turn."""
    event = _read(session, row)
    states = {name: world.state(name) for name in world.book.playbooks}
    known = _Known(session, world, now)
    changes: list[Change] = (
        [Quarantine("the body is no JSON object")] if event is None else decide(event, world.book, known, states)
    )
    stuck = next((one.reason for one in changes if isinstance(one, Quarantine)), None)
    for one in changes:
        _apply(session, world, row, one, now)
    state = "quarantined" if stuck else "decided"
    change(session, t.event, row["id"], state=state, reason=stuck)


def _read(session: Connection, row: Row) -> Event | None:
    facts = {name: row[name] for name in ("id", "name", "connection", "key", "at", "subject")}
    if row["subject"] is not None:
        brought = kept.load(row["body"].decode()) if row["body"] else {}
        if row["name"] == RECORDED:
            exchange = _EXCHANGE.the(session, exchange=row["subject"])
            return Event(**facts, exchange=exchange, party=exchange["party_id"], told=brought)
        return Event(**facts, body=brought, party=row["party_id"], told=brought)
    if row["body"] is None:
        raise LookupError("an event from outside without its body")
    body = read_body(row["body"])
    return None if body is None else Event(**facts, body=body)


def _apply(session: Connection, world: World, row: Row, decided: Change, now: datetime) -> None:
    match decided:
        case Open():
            _open(session, world, row, decided, now)
        case Note(case):
            found = _CASE.the(session, case=case)
            journal(session, found, None, "noted", now, reason="asked again while this case is open")
        case Stop():
            _stop(session, world, decided, now)
        case Happened():
            _happened(session, world, decided, now)


def _open(session: Connection, world: World, row: Row, opens: Open, now: datetime) -> None:
    playbook = opens.playbook
    party = _party(session, row, opens, now) if opens.contact else opens.party
    world.keep_version(session, playbook)
    case = {
        "id": new_id(), "playbook": playbook.playbook, "version": playbook.version, "party_id": party,
        "period": opens.period, "event_id": row["id"], "opened_at": now, "status": "ready", "step": 0,
        "leg": 1, "wake_at": now, "failed": False, "held": HELD_UNTIL_LET_GO if opens.waits else None,
    }  # fmt: skip
    add(session, t.case, **case)
    content: dict[str, Any] = {"fields": dict(opens.fields), "results": {}}
    if opens.period:
        content["period"] = period_of(playbook, opens.period)
    text = kept.dump(content)
    add(session, t.private_case, case_id=case["id"], party_id=party, data=text, retain_until=now + RAW_KEPT)
    journal(session, case, None, "opened", now, reason=case["held"])


def _party(session: Connection, row: Row, opens: Open, now: datetime) -> str:
    """The party the case is about, with its other contact points, name and consents."""
    contact, fields = opens.contact, opens.playbook.fields
    if contact is None:
        raise ValueError("a case about nobody has no party")
    party = find_or_make(session, contact.party_kind, contact.kind, contact.value, now)
    change(session, t.private_event, row["id"], party_id=party)
    for name, field in fields.items():
        value = opens.fields.get(name)
        if field.type in {"phone", "email"} and value and value != contact.value:
            add_contact(session, party, contact.party_kind, field.type, str(value))
        elif name == "name" and field.type == "text" and value:
            add_contact(session, party, contact.party_kind, "name", str(value))
        elif field.type == "consent":
            add(
                session,
                t.consent,
                party_id=party,
                purpose=field.purpose or "",
                medium=field.medium,
                given=bool(value),
                at=now,
                wording=field.label,
                event_id=row["id"],
            )
    return party


def _stop(session: Connection, world: World, stop: Stop, now: datetime) -> None:
    found = _CASE.the(session, case=stop.case)
    if found["status"] == "ended":
        return
    found["leg"] += found["status"] not in {"ready", "calling"}
    walk = Walk(world, session, world.pinned(session, found["version"]), found, now)
    walk.end(stop.outcome, "stopped", stop.reason)
    walk.save()


def _happened(session: Connection, world: World, happened: Happened, now: datetime) -> None:
    """End a wait before its time."""
    found = _CASE.the(session, case=happened.case)
    walk = Walk(world, session, world.pinned(session, found["version"]), found, now)
    if found["status"] != "waiting" or walk.step is None or walk.step.id != happened.step:
        return
    found["leg"] += 1
    walk.go_on("done", {"happened": True, "event": dict(happened.brought)})
    walk.save()
