"""What expressions, texts and times may ask for, found in one case."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from flows.ledger.parties import Party, party
from flows.playbook.model import Book, FormField, Playbook


@dataclass
class Scope:
    """Looks up dotted paths; what is missing is None."""

    session: Connection
    book: Book
    playbook: Playbook
    case: Mapping[str, Any]
    data: Mapping[str, Any]  # {"fields": {...}, "results": {step: {...}}}
    now: datetime
    item: object = None  # of `for_each`

    @property
    def today(self) -> date:
        """The day that `days_until` and `days_since` count from."""
        period: date | None = self.data.get("period", {}).get("date")
        return period or self.now.astimezone(self.book.company.zone).date()

    @cached_property
    def party(self) -> Party | None:
        id = self.case["party_id"]
        return party(self.session, id) if id else None

    def value(self, path: str) -> object:
        """The value itself: a person is the id, a moment is aware."""
        head, _, rest = path.partition(".")
        match head:
            case "case":
                return {"id": self.case["id"], "opened": self.case["opened_at"]}.get(rest)
            case "period":
                return self._period(rest)
            case "party":
                return self._of_party(rest)
            case "item" if self.item is not None:
                return _below(self.item, rest)
            case "reply":
                return _below(self.data.get("reply"), rest)
            case "today":
                return self.now.astimezone(self.book.company.zone).date()
            case "now":
                return self.now
        if head in self.data["fields"]:
            return self.data["fields"][head]
        return _below(self.data["results"].get(head), rest)

    def shown(self, path: str) -> object:
        """The value as people read it: a person is the name."""
        found = self.value(path)
        field = self._field(path)
        if field and field.type == "person" and isinstance(found, str):
            known = self.book.company.people.get(found)
            return known.name if known else found
        return found

    def _field(self, path: str) -> FormField | None:
        head, _, rest = path.partition(".")
        if head in self.playbook.fields:
            return self.playbook.fields[head]
        place = self.playbook.index.get(head)
        return self.playbook.steps[place].form.get(rest) if place is not None else None

    def _period(self, what: str) -> object:
        if not self.case["period"]:
            return None
        return self.data.get("period", {}).get(what)

    def _of_party(self, what: str) -> object:
        if self.party is None:
            return None
        asked, _, kind = what.partition(".")
        match asked:
            case "stage":
                return self.party.stage(self.book.canvas)
            case "name":
                return self.party.name
            case "has":
                return self.party.has(kind)
            case "ends":
                return self.party.ends(kind)
            case "left":
                return self.party.left(kind)
        return None


def _below(found: object, path: str) -> object:
    for part in path.split(".") if path else ():
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
