"""Blueprint: stage, what the customer lives through there, what is done for it, and by whom; with its holes."""

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup
from sqlalchemy import Connection
from starlette.responses import Response

from flows.playbook import blueprint, labels
from flows.playbook.model import Book, Playbook, Step
from flows.playbook.page import inline
from flows.web.board.ask import Ask
from flows.web.board.playbooks import by_whom
from flows.web.board.words.playbooks import BLUEPRINT


@dataclass(frozen=True, slots=True)
class Done:
    """One step, and by whom."""

    do: str
    who: Markup
    kind: str  # machine | person | wait


@dataclass(frozen=True, slots=True)
class Lived:
    """One line of a scenario; without steps it is a hole."""

    line: str
    steps: tuple[Done, ...]
    behind: bool  # no line of the scenario: what is done where the customer does not see it


@dataclass(frozen=True, slots=True)
class Place:
    id: str
    label: str
    playbooks: tuple[tuple[Playbook, tuple[Lived, ...]], ...]


def get(ask: Ask, session: Connection) -> Response:
    del session
    book = ask.context.world.book
    places = list(_places(book))
    counted = [by_whom(playbook) for playbook in book.playbooks.values()]
    return ask.page(
        "blueprint.html",
        BLUEPRINT,
        places=places,
        machine=sum(machine for machine, _ in counted),
        people=sum(people for _, people in counted),
        holes=sum(map(_holes, places)),
    )


def _holes(place: Place) -> int:
    """A place without a playbook is one; so is a line that no step serves."""
    return sum(not one.steps for _, lived in place.playbooks for one in lived) + (not place.playbooks)


def _places(book: Book) -> Iterator[Place]:
    said = labels.words(book.company.language)
    for name in blueprint.worth(book):
        known = book.canvas.stages.get(name) or book.canvas.arrows.get(name)
        found = tuple((one, tuple(_lived(one, book))) for one in blueprint.standing(book, name))
        yield Place(name, known.label if known else said.get(name, name), found)


def _lived(playbook: Playbook, book: Book) -> Iterator[Lived]:
    said = labels.words(book.company.language)
    lines = list(blueprint.served(playbook, said))
    for number, (line, steps) in enumerate(lines):
        behind = number >= len(playbook.scenario)
        yield Lived(line, tuple(_done(step, playbook, book) for step in steps), behind)


def _done(step: Step, playbook: Playbook, book: Book) -> Done:
    who = blueprint.who(step, playbook, book, labels.words(book.company.language))
    kind = "wait" if step.by is None else "machine" if step.by.machine else "person"
    return Done(step.do, Markup(inline(who)), kind)  # noqa: S704 - it lets no HTML through
