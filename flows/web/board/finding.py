"""Finds customers by what people type: a name or a part of it, a number or its last digits, an e-mail."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, select

from flows.ledger.parties import PARTIES
from flows.playbook import contact
from flows.store import tables as t
from flows.store.read import rows
from flows.web.board.ask import Ask

LONGEST = 100  # signs of what is sought
_LAST = 4  # digits of a number's end
_MOST = 50
_END = "\U0010ffff"
_k = t.private_contact.c
_SPACES = re.compile(r"[\s()./-]")


@dataclass(frozen=True, slots=True)
class Found:
    """One customer; all of it is private."""

    id: str
    name: str
    contacts: tuple[str, ...]


def customers(session: Connection, sought: str, country: str, most: int = _MOST) -> Sequence[str]:
    """Ids of parties whose name begins so or holds it, whose e-mail it is, or whose phone begins or ends so."""
    found: dict[str, None] = {}
    for way in _ways(sought, country):
        if len(found) >= most:
            break
        asked = select(_k.party_id).where(way).distinct().limit(most)
        found.update(dict.fromkeys(row["party_id"] for row in rows(session, asked)))
    return list(found)[:most]


def people(session: Connection, ask: Ask, parties: Sequence[str]) -> list[Found]:
    """Names and contact points of some parties, in the order given."""
    asked = select(_k.party_id, _k.kind, _k.value).where(_k.party_id.in_(sorted(parties))).order_by(_k.id)
    kept: dict[str, list[tuple[str, str]]] = {}
    for row in rows(session, asked) if parties else []:
        kept.setdefault(row["party_id"], []).append((row["kind"], row["value"]))
    return [_found(id, kept.get(id, []), ask) for id in parties]


def _found(id: str, kept: list[tuple[str, str]], ask: Ask) -> Found:
    name = next((value for kind, value in reversed(kept) if kind == "name"), "")
    reached = [ask.say.phone(value) if kind == "phone" else value for kind, value in kept if kind != "name"]
    return Found(id, name[:60], tuple(one[:100] for one in reached[:3]))


def _ways(sought: str, country: str) -> list[ColumnElement[bool]]:
    digits = _SPACES.sub("", sought)
    if "@" in sought:
        return [and_(_k.kind == "email", _k.sought == contact.sought("email", sought))]
    if re.fullmatch(r"\+?[0-9]{3,15}", digits):
        begins = beginning(digits, country)
        kinds = _k.party_kind.in_(PARTIES)
        ways = [and_(kinds, _k.kind == "phone", _k.value >= begins, _k.value < begins + "~")]
        if len(digits) >= _LAST and not digits.startswith("+"):
            turned = contact.sought("phone", digits)
            ways.insert(0, and_(_k.kind == "phone", _k.sought >= turned, _k.sought < turned + "~"))
        return ways
    folded = contact.sought("name", sought)
    opening = and_(_k.kind == "name", _k.sought >= folded, _k.sought < folded + _END)
    holding = and_(
        _k.kind == "name", _k.sought.contains(folded, autoescape=True)
    )  # walks all names, where few begin so
    return [opening, holding] if len(folded) > 1 else [opening] if folded else []


def beginning(digits: str, country: str) -> str:
    """The beginning of a number in its one form."""
    try:
        return contact.phone(digits, country)
    except ValueError:
        return f"+82{digits[1:]}" if country == "KR" and digits[0] == "0" else digits
