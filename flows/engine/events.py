"""Takes new events to decisions, and decisions into rows."""

import logging
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, bindparam, select

from connectors.errors import Odd
from flows.engine import pressed
from flows.engine.decide import (
    RECORDED,
    Change,
    Contact,
    Event,
    Happened,
    Note,
    Open,
    Quarantine,
    Record,
    Remark,
    Stop,
    decide,
    period_of,
    unwrapped,
)
from flows.engine.recording import REFUND, Dealing
from flows.engine.scope import Scope
from flows.engine.walk import Walk
from flows.engine.world import World
from flows.ledger.exchanges import Exchange, record
from flows.ledger.parties import CUSTOMERS, PARTIES, Party, add_contact, every_party, find, find_or_make, stage
from flows.ledger.parties import party as read_party
from flows.playbook import contact as contact_of
from flows.playbook.expression import Expression
from flows.playbook.model import Playbook
from flows.store import data as kept
from flows.store import tables as t
from flows.store.prepared import Prepared
from flows.store.read import Row
from flows.store.write import ALPHABET, RAW_KEPT, add, change, journal, new_id

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
_DEALT = Prepared(
    select(t.exchange.c.party_id).where(
        t.exchange.c.system == bindparam("system"), t.exchange.c.reference == bindparam("reference")
    )
)
_PARTY_OF = Prepared(select(t.case.c.party_id).where(t.case.c.id == bindparam("case")))
_CASE_ID = re.compile(f"[{ALPHABET}]{{10}}(?![0-9A-Za-z])")  # at an order's beginning, where it was made of a case
_EXCHANGE = Prepared(select(t.exchange).where(t.exchange.c.id == bindparam("exchange")))
_TOLD = Prepared(
    select(t.case.c.playbook, t.private_case.c.data).join(t.private_case).where(t.case.c.id == bindparam("case"))
)
_LONGEST_NAME = 100
log = logging.getLogger(__name__)
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
        contact = self._contact(self._said(connection, body))
        known = (find(self._session, one, contact.kind, contact.value) for one in PARTIES) if contact else ()
        return [party for party in known if party]

    def _said(self, connection: str, body: Mapping[str, Any]) -> object:
        """What stands at the connection's `party`."""
        entry = self._world.book.company.connections.get(connection)
        found: object = body if entry and entry.settings.get("party") else None
        for part in str(entry.settings["party"]).split(".") if entry and found else ():
            found = found.get(part) if isinstance(found, Mapping) else None
        return found

    def _contact(self, said: object) -> Contact | None:
        """A phone number or address in its one form; none for anything else."""
        if not isinstance(said, str | int) or isinstance(said, bool):
            return None
        kind = "email" if "@" in str(said) else "phone"
        country = self._world.book.company.country
        try:
            value = contact_of.email(str(said)) if kind == "email" else contact_of.phone(str(said), country)
        except ValueError:
            return None
        return Contact("person", kind, value)

    def dealt(self, connection: str, dealing: Dealing) -> str | None:
        earlier = _DEALT.first(self._session, system=connection, reference=dealing.about) if dealing.about else None
        if earlier:
            return str(earlier["party_id"])
        of_case = _CASE_ID.match(dealing.order)
        case = _PARTY_OF.first(self._session, case=of_case[0]) if of_case else None
        return case["party_id"] if case else None

    def named(self, connection: str, body: Mapping[str, Any]) -> Contact | None:
        for said in (body.get("phone"), body.get("email"), self._said(connection, body)):
            if found := self._contact(said):
                return found
        return None

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
    changes = _decided(session, world, row, now)
    stuck = next((one.reason for one in changes if isinstance(one, Quarantine)), None)
    told = [one for one in (_apply(session, world, row, one, now) for one in changes) if one]
    state = "quarantined" if stuck else "decided"
    change(session, t.event, row["id"], state=state, reason=stuck or next(iter(told), None))


def _decided(session: Connection, world: World, row: Row, now: datetime) -> list[Change]:
    try:
        event = _read(session, world, row)
    except Odd as error:
        return [Quarantine(error.reason)]
    if event.subject is None and pressed.is_ours(event):
        return [Remark(pressed.take(session, world, event, now))]
    states = {name: world.state(name) for name in world.book.playbooks}
    return decide(event, world.book, _Known(session, world, now), states)


def _read(session: Connection, world: World, row: Row) -> Event:
    """The event as it is told. Raises Odd for a body that nobody knows the shape of."""
    facts = {name: row[name] for name in ("id", "name", "connection", "key", "at", "subject")}
    if row["subject"] is not None:
        brought = kept.load(row["body"].decode()) if row["body"] else {}
        if row["name"] == RECORDED:
            exchange = _EXCHANGE.the(session, exchange=row["subject"])
            return Event(**facts, exchange=exchange, party=exchange["party_id"], told=brought)
        return Event(**facts, body=brought, party=row["party_id"], told=brought)
    if row["body"] is None:
        raise LookupError("an event from outside without its body")
    try:
        body = world.read(row["connection"], row["name"], row["body"])
    except Odd:
        raise
    except Exception as error:  # noqa: BLE001 - another's connector; what it says may be a customer's
        log.error("%s: the connector failed on an event (%s)", row["connection"], type(error).__name__)  # noqa: TRY400
        raise Odd(f"the connector failed on it ({type(error).__name__})") from None
    return Event(**facts, body=unwrapped(body))


def _apply(session: Connection, world: World, row: Row, decided: Change, now: datetime) -> str | None:
    """Write one change. Returns what is to be told beside the event, if anything."""
    match decided:
        case Remark(reason):
            return reason
        case Record():
            return _record(session, world, row, decided, now)
        case Open():
            _open(session, world, row, decided, now)
        case Note(case):
            found = _CASE.the(session, case=case)
            journal(session, found, None, "noted", now, reason="asked again while this case is open")
        case Stop():
            _stop(session, world, decided, now)
        case Happened():
            _happened(session, world, decided, now)
    return None


def _record(session: Connection, world: World, row: Row, decided: Record, now: datetime) -> str | None:
    """Append what the event tells to the ledger; known already, it is one exchange."""
    contact, dealing = decided.contact, decided.dealing
    party = decided.party
    if party is None and contact is not None:
        party = find_or_make(session, contact.party_kind, contact.kind, contact.value, now)
        change(session, t.private_event, row["id"], party_id=party)
        if decided.name:
            add_contact(session, party, contact.party_kind, "name", decided.name.strip()[:_LONGEST_NAME])
    if party is None:
        raise ValueError("an exchange about nobody")
    amount = dealing.amount
    if dealing.kind == REFUND and amount is not None:
        amount -= _given_back(session, party, row["connection"], dealing)
        if amount <= 0:  # told late, or told before
            return None
    exchange = Exchange(
        kind=dealing.kind,
        amount=amount,
        currency=dealing.currency,
        direction="out" if dealing.kind == REFUND else "in",
    )
    at = min(dealing.at or row["at"], now)
    told = {"by": "machine", "system": row["connection"], "reference": dealing.reference}
    record(session, world.book, party, exchange, at, **told)
    return None


def _given_back(session: Connection, party: str, system: str, dealing: Dealing) -> Decimal:
    """What the ledger holds already of a payment's refunds."""
    before = f"{dealing.about}/{REFUND}/"
    mine = (one for one in read_party(session, party).exchanges if one["system"] == system and one["amount"])
    return sum((one["amount"] for one in mine if str(one["reference"]).startswith(before)), Decimal(0))


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
