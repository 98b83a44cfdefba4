"""A source of numbers that does what a test says, and a desk that pulls from it."""

import json
import threading
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from pydantic import PrivateAttr
from sqlalchemy import insert

from connectors.analytics import Asked, Page, Reading, Source
from connectors.base import Connector
from connectors.errors import Rejected
from flows.ledger.pull.planning import Wish
from flows.ledger.pull.pulling import Puller
from flows.ledger.pull.side_by_side import Patience
from flows.ledger.pull.summary import Summary
from flows.store import tables as t

DAY = timedelta(days=1)
QUICK = Patience(pause=0.01, rest=0.2, call=20.0, question=60.0)
Answering = Callable[[Asked, str | None], bytes]


class Counter(Source):
    """Days of numbers: a page is JSON `{rows: [[day, metric, value, account]], more: [cursor]}`."""

    service: ClassVar[str] = "counter"
    most_days: ClassVar[int] = 5
    most_metrics: ClassVar[int] = 2
    _numbers: dict[tuple[date, str], str] = PrivateAttr(default_factory=dict)
    _answers: Answering | None = PrivateAttr(None)
    _calls: list[tuple[Asked, str | None]] = PrivateAttr(default_factory=list)

    def fetch(self, asked: Asked, page: str | None) -> bytes:
        self._calls.append((asked, page))
        if self._answers:
            return self._answers(asked, page)
        return page_of(self._rows(asked))

    def parse(self, asked: Asked, raw: bytes) -> Page:
        del asked
        try:
            found = json.loads(raw)
        except ValueError:
            raise Rejected("the answer is no JSON") from None
        readings = [
            Reading(day=day, metric=metric, value=Decimal(value), account=account)
            for day, metric, value, account in found["rows"]
        ]
        return Page(readings=tuple(readings), more=tuple(found["more"]), odd=tuple(found.get("odd", ())))

    def _rows(self, asked: Asked) -> list[list[str]]:
        within = [key for key in sorted(self._numbers) if asked.since <= key[0] <= asked.until and key[1] in asked.of]
        return [[day.isoformat(), metric, self._numbers[day, metric], ""] for day, metric in within]


def page_of(rows: list[list[str]], *more: str) -> bytes:
    return json.dumps({"rows": rows, "more": more}).encode()


def row(day: date, value: object, metric: str = "views", account: str = "") -> list[str]:
    return [day.isoformat(), metric, str(value), account]


def begin(shop: Any, day: date) -> None:
    """The ledger begins on a day: its first event is of then."""
    at = shop.moment(f"{day} 09:00")
    with shop.store.write() as session:
        facts = {"connection": "schedule", "key": f"begin/{day}", "name": "schedule.due", "state": "decided"}
        session.execute(insert(t.event).values(at=at, **facts))


class Desk:
    """Pulls a shop's metrics from sources of the test, by the connection's name."""

    def __init__(self, shop: Any) -> None:
        self.shop, self.sources = shop, dict[str, Counter]()
        self.stop = threading.Event()
        self.patience = QUICK
        self.paces: dict[str, Any] = {}
        self.fared: list[tuple[str, bool]] = []

    def source(self, name: str = "numbers", **settings: Any) -> Counter:
        made = Counter(**settings)
        made._name = name
        self.sources[name] = made
        return made

    def puller(self, **more: Any) -> Puller:
        shop = self.shop
        return Puller(
            shop.store, shop.world.book, self._connection, shop.clock, stop=self.stop, paces=self.paces,
            patience=self.patience,
            fared=lambda _session, name, refused: self.fared.append((name, refused is None)), **more,
        )  # fmt: skip

    def _connection(self, name: str) -> Connector:
        return self.sources[name]

    def pull(
        self, kind: Any = "daily", *metrics: str, since: Any = None, until: Any = None, key: Any = None
    ) -> Summary:
        return self.puller().pull(Wish(kind, metrics, since, until), key=key)

    @property
    def yesterday(self) -> date:
        today: date = self.shop.clock.now().astimezone(self.shop.world.book.company.zone).date()
        return today - DAY

    def readings(self, metric: str = "views") -> dict[tuple[str, int], tuple[str, Decimal | None]]:
        """Status and value by day and revision."""
        found = self.shop.all(t.reading, t.reading.c.metric == metric)
        return {(one["day"], one["revision"]): (one["status"], one["value"]) for one in found}

    def values(self, metric: str = "views") -> dict[str, Decimal | None]:
        """The last value of each day."""
        return {day: value for (day, _), (_, value) in sorted(self.readings(metric).items())}

    def parts(self) -> list[tuple[str, str, str, str | None]]:
        found = self.shop.all(t.pull_part)
        return [(one["since"], one["until"], one["state"], one["reason"]) for one in found]
