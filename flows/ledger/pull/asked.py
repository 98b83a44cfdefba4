"""One question to a source, page by page: what it brought, and when it is enough."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from pydantic import TypeAdapter, ValidationError

from connectors.analytics import MOST_PAGES, Asked, Page, Reading, Source
from connectors.base import Connector
from connectors.errors import ConnectorError, Rejected
from flows.ledger.pull.planning import Part
from flows.playbook.model import Book
from flows.store import data

MOST_READINGS = 100_000  # of one question
MOST_KEPT = 20 * 1024 * 1024  # compressed bytes of its answers; larger ones are read, and not kept
_READINGS = TypeAdapter(tuple[Reading, ...])


@dataclass(frozen=True, slots=True)
class Answer:
    """One page as it came, compressed, and what was read from it."""

    page: str | None
    hash: str
    packed: bytes
    found: Page


@dataclass(slots=True, eq=False)
class Question:
    """A part that is asked. `error`: why nothing of it is taken."""

    number: int  # of its row
    part: Part
    asked: Asked
    answers: list[Answer] = field(default_factory=list)
    unread: list[Answer] = field(default_factory=list)  # answers that could not be read
    error: ConnectorError | None = None
    open: int = 1  # pages that wait or are under way
    took: float = 0.0  # seconds of its calls
    weight: int = 0  # compressed bytes of its answers
    seen: set[str | None] = field(default_factory=lambda: {None})

    @property
    def done(self) -> bool:
        return self.error is not None or not self.open

    def take(self, answer: Answer) -> list[str]:
        """Take a page and return the cursors of the next ones. Raises Rejected where it never ends."""
        self.answers.append(answer)
        self.weight += len(answer.packed)
        if self.weight > MOST_KEPT:  # they are not kept, and hundreds of large pages would fill the memory
            self.answers = [replace(one, packed=b"") for one in self.answers]
        if any(cursor in self.seen for cursor in answer.found.more):
            raise Rejected("a page leads back to one before it", next_step="ask the service's support")
        self.seen.update(answer.found.more)
        if len(self.seen) > MOST_PAGES:
            raise Rejected(f"it has more than {MOST_PAGES} pages", next_step="narrow what is asked")
        if sum(len(one.found.readings) for one in self.answers) > MOST_READINGS:
            raise Rejected(f"it brings more than {MOST_READINGS:,} numbers", next_step="narrow what is asked")
        self.open += len(answer.found.more) - 1
        return list(answer.found.more)

    @property
    def kept(self) -> list[Answer]:
        """The answers that are kept to be read again: all or none."""
        weight = self.weight + sum(len(one.packed) for one in self.unread)
        return self.answers + self.unread if weight <= MOST_KEPT else []


def question(number: int, part: Part, book: Book) -> Question:
    """The question as the source understands it."""
    named = tuple(part.names(book))
    asked = Asked(since=part.since, until=part.until, of=named, where=dict(part.where), split=part.split)
    return Question(number, part, asked)


def ask(connector: Connector, question: Question, page: str | None) -> Answer:
    """Make one call and read its answer. Raises the four errors."""
    raw = _raw(connector, question, page)
    return read(connector, question, page, raw)


def read(connector: Connector, question: Question, page: str | None, raw: bytes) -> Answer:
    """Read an answer as it came, also long after; asks nobody. Raises Rejected, and then has kept it as unread."""
    paged, hash, packed = _paged(connector, question), sha256(raw).hexdigest()[:32], zlib.compress(raw, 3)
    try:
        found = paged.page(question.asked, raw) if paged else Page(readings=_plain(connector, raw))
    except ConnectorError:
        question.unread.append(Answer(page, hash, packed, Page(readings=())))
        raise
    return Answer(page, hash, packed, found)


def _raw(connector: Connector, question: Question, page: str | None) -> bytes:
    if paged := _paged(connector, question):
        return paged.answer_of(question.asked, page)
    does = question.part.source.partition(".")[2]
    action = connector.actions().get(does)
    given: Mapping[str, object] = question.asked.model_dump()
    taken = action.parameters if action else {"since", "until"}
    found = connector.call(does, {name: value for name, value in given.items() if name in taken})
    try:
        return data.dump(found).encode()
    except TypeError:
        raise _odd(connector) from None


def _paged(connector: Connector, question: Question) -> Source | None:
    return connector if isinstance(connector, Source) and question.part.source.endswith(".readings") else None


def _plain(connector: Connector, raw: bytes) -> tuple[Reading, ...]:
    """What a connector's own action brings, which is no `Source`."""
    try:
        return _READINGS.validate_python(data.load(raw.decode()))
    except (ValidationError, ValueError):
        raise _odd(connector) from None


def _odd(connector: Connector) -> Rejected:
    return Rejected(
        "it brings no readings, each with day, metric and value",
        connection=connector.name,
        next_step="correct the connector, or name another action",
    )
