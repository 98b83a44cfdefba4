"""Playbooks: all processes of the company, how each stands, and when one last went wrong."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Label, func, literal, literal_column, select, text, union_all
from starlette.responses import Response

from flows.playbook import labels
from flows.playbook.blueprint import places
from flows.playbook.model import Book, Playbook
from flows.store import tables as t
from flows.store.newest import newest
from flows.store.read import Row, rows
from flows.web.board.ask import Ask
from flows.web.board.states import FAILED, OPEN, WHERE
from flows.web.board.words.playbooks import PLAYBOOKS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WRONG = text("journal.state IN ('failed', 'dropped', 'in_doubt')")  # as the index says it
_c, _j = t.case.c, t.journal.c


@dataclass(frozen=True, slots=True)
class Wrong:
    """A step that did not go as it should."""

    at: datetime
    do: str
    kind: str  # a state of the journal
    why: str
    case: str


@dataclass(frozen=True, slots=True)
class Line:
    """One playbook of the list."""

    playbook: Playbook
    place: str
    machine: int  # steps by the machine
    people: int
    open: int
    failed: int
    begun: datetime | None
    wrong: Wrong | None


def get(ask: Ask, session: Connection) -> Response:
    found = lines(session, ask)
    return ask.page(
        "playbooks.html",
        PLAYBOOKS,
        lines=found,
        open=sum(one.open for one in found),
        failed=sum(one.failed for one in found),
    )


def lines(session: Connection, ask: Ask) -> list[Line]:
    """All playbooks along the canvas."""
    book = ask.context.world.book
    facts = {row["playbook"]: row for row in _facts(session, book.playbooks)}
    newest = [row["wrong"] for row in facts.values() if row["wrong"]]
    wrong = {row["playbook"]: row for row in rows(session, select(t.journal).where(_j.id.in_(newest)))}
    going, broken = (_counted(session, state) for state in (OPEN, FAILED))
    return [
        Line(
            playbook,
            where(playbook, ask),
            *by_whom(playbook),
            going[name],
            broken[name],
            facts[name]["begun"],
            wronged(ask, wrong[name], playbook) if name in wrong else None,
        )
        for name, playbook in along(book)
    ]


def along(book: Book) -> list[tuple[str, Playbook]]:
    """The playbooks in the order of their places on the canvas."""
    order, systems = places(book), ("customer", "production", "revenue", "organization")
    return sorted(
        book.playbooks.items(), key=lambda one: (order.index(one[1].stage), systems.index(one[1].system), one[0])
    )


def _counted(session: Connection, state: str) -> Counter[str]:
    """Cases of each playbook. Few of all are open, or failed: their own index is to be walked, and sorted after."""
    named = func.coalesce(_c.playbook, literal_column("''"))  # said alike wherever it stands
    ever = _c.opened_at >= _EPOCH  # or SQLite would rather walk an index that holds all it asks for, of every case
    asked = select(named.label("playbook"), func.count().label("cases")).where(WHERE[state], ever).group_by(named)
    return Counter({row["playbook"]: row["cases"] for row in rows(session, asked)})


def _facts(session: Connection, names: Iterable[str]) -> list[Row]:
    """Of each: when a case began last, and the newest line of the journal that went wrong."""
    asked = [select(literal(name).label("playbook"), *_of(name)) for name in names]
    return [row._asdict() for row in session.execute(union_all(*asked))] if asked else []


def _of(name: str) -> list[Label[Any]]:
    begun = newest(_c.opened_at, _c.playbook, name, _c.opened_at)
    wrong = newest(_j.id, _j.playbook, name, _j.id, WRONG)
    return [begun.label("begun"), wrong.label("wrong")]


def where(playbook: Playbook, ask: Ask) -> str:
    """System and place, as people call them."""
    book = ask.context.world.book
    said = labels.words(book.company.language)
    place = book.canvas.stages.get(playbook.stage) or book.canvas.arrows.get(playbook.stage)
    return f"{said[playbook.system]} / {place.label if place else said.get(playbook.stage, playbook.stage)}"


def by_whom(playbook: Playbook) -> tuple[int, int]:
    """How many steps the machine does, and how many people do."""
    machine = [step.by.machine for step in playbook.steps if step.by is not None]
    return sum(machine), len(machine) - sum(machine)


def wronged(ask: Ask, row: Row, playbook: Playbook) -> Wrong:
    """A line of the journal in plain words."""
    place = playbook.index.get(row["step"] or "")
    do = playbook.steps[place].do if place is not None else row["step"] or ""
    return Wrong(row["at"], do, row["state"], ask.say.why(row["reason"]), row["case_id"])
