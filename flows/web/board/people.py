"""Customers' names for the rows of a page, in one read."""

from collections.abc import Collection

from sqlalchemy import Connection, select

from flows.store import tables as t
from flows.store.read import rows

_LONGEST = 60  # signs of a name
_k = t.private_contact.c


def names(session: Connection, parties: Collection[str | None]) -> dict[str, str]:
    """The newest name of each party, by its id; of their phone or e-mail where no name is known."""
    wanted = sorted({one for one in parties if one})
    if not wanted:
        return {}
    asked = select(_k.party_id, _k.kind, _k.value).where(_k.party_id.in_(wanted)).order_by(_k.id)
    found: dict[str, dict[str, str]] = {}
    for row in rows(session, asked):
        found.setdefault(row["party_id"], {})[row["kind"]] = row["value"]
    return {party: _short(kinds) for party, kinds in found.items()}


def _short(kinds: dict[str, str]) -> str:
    name = kinds.get("name") or kinds.get("phone") or kinds.get("email", "")
    return name if len(name) <= _LONGEST else name[:_LONGEST] + "…"
