"""Somebody else's connector, installed beside digilog: a store that can be asked, and that takes many rows at once."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel

from connectors.base import Connector, action


class Entry(BaseModel):
    """One row: the arguments of `row`."""

    row_id: str
    what: str


class Shelf(Connector):
    """A shelf: things are taken from it under our reference, and rows are written on it."""

    service: ClassVar[str] = "shelf"
    room: ClassVar[str] = "web"

    base_url: str

    @action
    def find(self, *, key: str) -> Mapping[str, Any] | None:
        """What the shelf knows of our reference."""
        found: Mapping[str, Any] | None = self.http.get("/find", {"ref": key}).json()
        return found

    @action(effect="checkable", found_by="find")
    def take(self, where: str, what: str, *, key: str) -> Mapping[str, Any]:
        """Take a thing away; a repeated call would take another one."""
        found: Mapping[str, Any] = self.http.post(f"/take/{where}", {"what": what, "ref": key}).json()
        return found

    @action(effect="repeat", bulk="rows")
    def row(self, row_id: str, what: str) -> None:
        """Write one row under its id."""
        self.http.put(f"/row/{row_id}", {"what": what})

    @action(effect="repeat")
    def rows(self, rows: list[Entry]) -> list[None]:
        """Write many rows at once."""
        self.http.put("/rows", [one.model_dump() for one in rows])
        return [None for _ in rows]
