"""Who a customer is, and what is known of them from their exchanges."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, bindparam, select

from flows.playbook.contact import sought
from flows.playbook.model import Canvas
from flows.store import tables as t
from flows.store.prepared import Prepared
from flows.store.read import Row, rows
from flows.store.write import add, new_id

PARTIES = ("person", "company", "candidate", "employee")
CUSTOMERS = PARTIES[:2]  # kinds of parties that have a stage and count in metrics
_k = t.private_contact.c
_FIND = Prepared(
    select(_k.party_id).where(
        _k.party_kind == bindparam("party_kind"), _k.kind == bindparam("kind"), _k.value == bindparam("value")
    )
)
_CONTACTS = Prepared(
    select(_k.value).where(_k.party_id == bindparam("party"), _k.kind == bindparam("kind")).order_by(_k.id.desc())
)


def find_or_make(session: Connection, kind: str, contact: str, value: str, now: datetime) -> str:
    """The party of a kind with this phone or e-mail (in its one form); a new one if there is none yet."""
    known = find(session, kind, contact, value)
    if known:
        return known
    id = new_id()
    add(session, t.party, id=id, kind=kind, made_at=now)
    _keep(session, id, kind, contact, value)
    return id


def find(session: Connection, kind: str, contact: str, value: str) -> str | None:
    found = _FIND.first(session, party_kind=kind, kind=contact, value=value)
    return found["party_id"] if found else None


def add_contact(session: Connection, party: str, party_kind: str, contact: str, value: str) -> None:
    """Keep a phone number, e-mail address or name of a party, once."""
    if value not in contacts(session, party, contact):
        _keep(session, party, party_kind, contact, value)


def _keep(session: Connection, party: str, party_kind: str, contact: str, value: str) -> None:
    facts = {"party_id": party, "party_kind": party_kind, "kind": contact, "value": value}
    add(session, t.private_contact, **facts, sought=sought(contact, value))


def contacts(session: Connection, party: str, contact: str) -> list[str]:
    """The party's values of one kind, the newest first."""
    return [row["value"] for row in _CONTACTS.rows(session, party=party, kind=contact)]


def family(kind: str) -> str:
    """`purchase` of `purchase_membership`."""
    return kind.split("_", 1)[0]


def stage(kinds: Iterable[str], canvas: Canvas) -> str | None:
    """The furthest stage of the circle that exchanges of these kinds lead to; their order does not matter."""
    order = {name: place for place, name in enumerate(canvas.stages)}
    reached = [
        rule.stage
        for kind in kinds
        if (rule := canvas.kinds.get(kind) or canvas.kinds.get(family(kind))) and rule.stage in order
    ]
    return max(reached, key=lambda name: order[name or ""], default=None)


@dataclass(frozen=True, slots=True)
class Party:
    """What expressions and texts may ask of a party."""

    id: str
    exchanges: tuple[Row, ...]  # unvoided
    name: str | None

    def has(self, kind: str) -> int:
        """How many exchanges of a kind, or of its family."""
        return len(self._of(kind))

    def ends(self, kind: str) -> date | None:
        """The latest end among exchanges of a kind or its family."""
        return max((date.fromisoformat(row["until"]) for row in self._of(kind) if row["until"]), default=None)

    def left(self, kind: str) -> int | None:
        """The sum of quantities of a kind or its family."""
        rows = [row["quantity"] for row in self._of(kind) if row["quantity"] is not None]
        return sum(rows) if rows else None

    def stage(self, canvas: Canvas) -> str | None:
        return stage((row["kind"] for row in self.exchanges), canvas)

    def _of(self, kind: str) -> list[Row]:
        return [row for row in self.exchanges if kind in {row["kind"], family(row["kind"])}]


def party(session: Connection, id: str) -> Party:
    """Read a party with its unvoided exchanges."""
    found = rows(session, select(t.exchange).where(t.exchange.c.party_id == id))
    return Party(id, _live(found), next(iter(contacts(session, id, "name")), None))


def every_party(session: Connection, kinds: Collection[str]) -> Iterator[Party]:
    """All parties of these kinds with their unvoided exchanges, in the order they became known: two reads in all."""
    exchanges, names = defaultdict(list), {}
    for row in rows(session, select(t.exchange)):
        exchanges[row["party_id"]].append(row)
    for row in rows(session, select(_k.party_id, _k.value).where(_k.kind == "name").order_by(_k.id)):
        names[row["party_id"]] = row["value"]
    known = select(t.party.c.id).where(t.party.c.kind.in_(list(kinds))).order_by(t.party.c.made_at, t.party.c.id)
    for row in rows(session, known):
        yield Party(row["id"], _live(exchanges[row["id"]]), names.get(row["id"]))


def _live(found: list[Row]) -> tuple[Row, ...]:
    voided = {row["voids"] for row in found if row["voids"]}
    return tuple(row for row in found if row["id"] not in voided and not row["voids"])


_CONSENTS = Prepared(
    select(t.consent.c.given)
    .where(t.consent.c.party_id == bindparam("party"), t.consent.c.purpose == bindparam("purpose"))
    .order_by(t.consent.c.id)
)


def withdrawn(session: Connection, party: str | None, purpose: str) -> bool:
    """Whether a party took back a consent that it had given: a box that was never ticked takes nothing back."""
    given = [row["given"] for row in _CONSENTS.rows(session, party=party, purpose=purpose)] if party else []
    return bool(given) and not given[-1] and any(given)
