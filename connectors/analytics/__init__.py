"""Analytics: numbers of a day, asked for page by page, and read from the answer by a pure function."""

from abc import abstractmethod
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict

from connectors.base import Connector, action
from connectors.errors import ConnectorError, Rejected

MOST_PAGES = 500  # of one question, here and in a pull; a service that never ends is told


class Reading(BaseModel):
    """One number: the service's own name of the metric, the day, an exact value.

    `day` is in the zone of the service's account. Without a number there is no reading: zero is a number.
    """

    model_config = ConfigDict(frozen=True)

    day: date
    metric: str
    value: Decimal
    account: str = ""
    channel: str = ""
    dimensions: dict[str, str] = {}

    @property
    def key(self) -> tuple[object, ...]:
        """What it is the number of."""
        return self.day, self.metric, self.account, self.channel, tuple(sorted(self.dimensions.items()))


class Asked(BaseModel):
    """What a source is asked for: days from `since` to `until`, both included, and its own names of metrics.

    `where`: dimensions and the value that is wanted of each. `split`: dimensions whose values are kept apart.
    No names: all that it has.
    """

    model_config = ConfigDict(frozen=True)

    since: date
    until: date
    of: tuple[str, ...] = ()
    where: dict[str, str] = {}
    split: tuple[str, ...] = ()


class Page(BaseModel):
    """What one answer brought, and the cursors of further pages: one, or all of them where they are known at once.

    `odd`: what of it could not be read, in sentences for people; the rest is whole. `spans`: the first and last day
    that a file tells of each metric, and `blank` the days in it of which it says no number; None: an answer tells of
    all that was asked.
    """

    model_config = ConfigDict(frozen=True)

    readings: tuple[Reading, ...]
    more: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    spans: dict[str, tuple[date, date]] | None = None
    blank: frozenset[tuple[str, date]] = frozenset()

    def tells(self, metric: str, day: date) -> bool:
        """Whether no number means none: a file says nothing of days before its first line and after its last."""
        if self.spans is None:
            return True
        first, last = self.spans.get(metric, (date.max, date.min))
        return first <= day <= last and (metric, day) not in self.blank


class Source(Connector):
    """A service that can be asked for the numbers of past days.

    `fetch` makes one call; `parse` reads its answer, without asking anybody, so that a kept answer can be read again.
    """

    room: ClassVar[str] = "analytics"
    most_days: ClassVar[int] = 31  # of one question
    most_metrics: ClassVar[int] = 10  # of one question
    settles: ClassVar[int] = 0  # days for which the vendor still changes a number, by its documents
    names: ClassVar[tuple[str, ...]] = ()  # all of the service's own names of metrics, where they are known

    @abstractmethod
    def fetch(self, asked: Asked, page: str | None) -> bytes:
        """The answer to one call as it came; `page` is a cursor of an earlier page. Raises the four errors."""

    @abstractmethod
    def parse(self, asked: Asked, raw: bytes) -> Page:
        """Read an answer. Raises Rejected, naming what is not as it should be; then nothing of it is taken."""

    @action
    def readings(
        self,
        since: date,
        until: date,
        of: list[str] | None = None,
        where: dict[str, str] | None = None,
        split: list[str] | None = None,
    ) -> list[Reading]:
        """All numbers from `since` to `until`, both days included; the service's days."""
        asked = Asked(since=since, until=until, of=tuple(of or ()), where=where or {}, split=tuple(split or ()))
        found: dict[tuple[object, ...], Reading] = {}
        todo: list[str | None] = [None]
        seen: set[str | None] = {None}
        while todo:
            page = self.page(asked, self.answer_of(asked, todo.pop(0)))
            if page.odd:  # nobody else would hear of it
                raise Rejected("; ".join(page.odd), next_step="correct it there")
            for one in page.readings:
                if found.setdefault(one.key, one) is not one:
                    raise Rejected("two pages bring the same day and metric", next_step="split what is asked further")
            for cursor in page.more:
                if cursor in seen or len(seen) >= MOST_PAGES:
                    raise Rejected(
                        "the pages never end", next_step="ask the service's support, or narrow what is asked"
                    )
                seen.add(cursor)
                todo.append(cursor)
        return list(found.values())

    def answer_of(self, asked: Asked, page: str | None) -> bytes:
        """`fetch`, with the connection's name in its errors."""
        return _named(self, lambda: self.fetch(asked, page))

    def page(self, asked: Asked, raw: bytes) -> Page:
        """`parse`, with the connection's name in its errors; what breaks it is Rejected."""
        return _named(self, lambda: self.parse(asked, raw))


T = TypeVar("T")


def _named(connection: Connector, does: Callable[[], T]) -> T:
    try:
        return does()
    except ConnectorError as error:
        error.connection = error.connection or connection.name
        raise
    except Exception as error:  # noqa: BLE001 - another's fault must not end a pull
        # its text may hold what the service sent, so it is left out
        reason = f"the connector failed unexpectedly ({type(error).__name__})"
        raise Rejected(reason, connection=connection.name) from None
