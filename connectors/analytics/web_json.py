"""Numbers of any service that answers JSON: where they stand in it, and how it turns its pages, is all declared."""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import urljoin, urlsplit

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from connectors.analytics import Asked, Page, Reading, Source
from connectors.analytics.paging import Paging, at, turned, walk
from connectors.analytics.rows import check_names, day_of, gathered, json_of, marked, nearest, number, unmarked
from connectors.errors import Rejected

_TWICE = (
    "name in the metric's `split` or `where` what tells these rows apart; `dimensions` says where it stands in a row"
)
_BLANK = re.compile(r"\{([^{}]*)\}")
_DAYS = frozenset({"since", "until", "next_day", "day"})
_BLANKS = ("since", "until", "next_day", "day", "page", "offset", "limit", "cursor")


def _blanks(given: str) -> str:
    for name in _BLANK.findall(given):
        if name not in _BLANKS:
            raise ValueError(f"{{{name}}} is not known; {nearest(name, _BLANKS)}")
    return given


Filled = Annotated[str, BeforeValidator(lambda given: _blanks(str(given)))]


class WebJson(Source):
    """Reads numbers out of any JSON service: `path` and `params` are what is asked, `rows` is where the list stands.

    In `path` and `params` {since}, {until}, {next_day} (the day after), {day}, {page}, {offset}, {limit}, {cursor} are
    filled in. `day` is where a row has its day; `values` says which field is which metric, or `metric` and `value` say
    where a row has its metric's name and its number. All places are names with points between, like `data.items`.
    """

    service: ClassVar[str] = "web_json"
    most_metrics: ClassVar[int] = 100

    base_url: str
    path: Filled = "/"
    params: dict[str, Filled] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    days_as: str = "%Y-%m-%d"
    rows: str = ""
    day: str = "day"
    day_format: str = ""
    values: dict[str, str] = Field(default_factory=dict)
    metric: str = ""
    value: str = ""
    account: str = ""
    channel: str = ""
    dimensions: dict[str, str] = Field(default_factory=dict)
    paging: Paging | None = None
    token_header: str = "Authorization"  # noqa: S105 - a header's name
    token: SecretStr | None = Field(None, description="the service shows it as API key or access token")

    @model_validator(mode="after")
    def _says_enough(self) -> Self:
        if bool(self.values) == bool(self.metric) or bool(self.metric) != bool(self.value):
            raise ValueError("say either `values`, a field for each metric, or `metric` and `value`")
        if not self.day and (self.paging is None or self.paging.kind != "day"):
            raise ValueError("`day` may be empty only where each page is of one day, `paging: {kind: day}`")
        needed = self.paging.kind if self.paging and self.paging.kind != "link" else None  # or all would be the first
        if needed and f"{{{needed}}}" not in " ".join([self.path, *self.params.values()]):
            raise ValueError(f"pages are turned by {needed}, and neither path nor params say {{{needed}}}")
        return self

    @classmethod
    def declares(cls, settings: Mapping[str, Any]) -> dict[str, Collection[str]]:
        """What a metric may name in `of`, `where` and `split`; without `of` any name may come in a row."""
        found = {"of": settings.get("values"), "where": (own := settings.get("dimensions") or {}), "split": own}
        return {
            key: tuple(names) for key, names in found.items() if isinstance(names, Mapping) and (names or key != "of")
        }

    def fetch(self, asked: Asked, page: str | None) -> bytes:
        """One page; `page` is its number, offset, cursor or address, as the paging is."""
        if self.values:
            check_names(asked.of, self.values, "metric of this connection")
        check_names([*asked.split, *asked.where], self.dimensions, "dimension of this connection")
        if page is not None and self.paging and self.paging.kind == "link":
            return marked({"page": page}, self.http.get(self._own(page)).content)
        filled = self._filled(asked, page)
        params = {name: self._fill(said, filled) for name, said in self.params.items() if not self._lacks(said, filled)}
        return marked({"page": page}, self.http.get(self._fill(self.path, filled), params).content)

    def parse(self, asked: Asked, raw: bytes) -> Page:
        """The rows of the days that were asked for, and where the next page is."""
        place, answer = unmarked(raw)
        found = json_of(answer)
        rows = at(found, self.rows, "rows")
        if not isinstance(rows, list):
            raise Rejected(f"the answer holds no list{f' at {self.rows}' if self.rows else ''}", next_step="see `rows`")
        page = place["page"]
        read = ((self._called(page, line), self._readings(asked, row, page)) for line, row in enumerate(rows, 1))
        readings = gathered(read, twice=_TWICE)
        if rows and not readings and self._says_days and not any(self._is_of(asked, row) for row in rows):
            raise Rejected("all its rows are of days that were not asked for", next_step="see `path` and `params`")
        return Page(readings=readings, more=turned(asked, self.paging, page, found, len(rows)))

    @property
    def _says_days(self) -> bool:
        """Whether the service is told which days are wanted, and its whole answer is one page with days."""
        said = " ".join((self.path, *self.params.values()))
        return bool(self.day) and self.paging is None and not _DAYS.isdisjoint(_BLANK.findall(said))

    def _is_of(self, asked: Asked, row: object) -> bool:
        return asked.since <= self._day(_field(row, self.day)) <= asked.until

    def probe(self) -> str:
        """Ask for yesterday's numbers, one page."""
        day = self._clock.now().date() - timedelta(days=1)
        asked = Asked(since=day, until=day, split=tuple(self.dimensions))
        return f"it answers with {len(self.page(asked, self.answer_of(asked, None)).readings)} numbers for {day}"

    def credentials(self) -> dict[str, Any]:
        headers = dict(self.headers)
        if self.token is not None:
            secret = self.token.get_secret_value()
            headers[self.token_header] = f"Bearer {secret}" if self.token_header.lower() == "authorization" else secret
        return {"headers": headers}

    def _filled(self, asked: Asked, page: str | None) -> dict[str, str]:
        by_day = self.paging is not None and self.paging.kind == "day"
        since, until = (date.fromisoformat(page),) * 2 if by_day and page else (asked.since, asked.until)
        days = {"since": since, "until": until, "next_day": until + timedelta(days=1), "day": since}
        found = {name: day.strftime(self.days_as) for name, day in days.items()}
        if self.paging is None or by_day:
            return found
        begin = {"page": str(self.paging.first), "offset": "0"}.get(self.paging.kind)
        place = begin if page is None else page
        return found | {"limit": str(self.paging.limit)} | ({self.paging.kind: place} if place is not None else {})

    def _fill(self, said: str, filled: Mapping[str, str]) -> str:
        return _BLANK.sub(lambda blank: filled.get(blank[1], ""), said)

    def _lacks(self, said: str, filled: Mapping[str, str]) -> bool:
        """The cursor before there is one: a service may not take an empty one."""
        return any(name not in filled for name in _BLANK.findall(said))

    def _own(self, link: str) -> str:
        """The next page's whole address. Raises Rejected for one that is not the service's own."""
        url = urljoin(f"{self.base_url.rstrip('/')}/{self.path.lstrip('/')}", link)
        if urlsplit(url)[:2] != urlsplit(self.base_url)[:2]:
            raise Rejected("the link to the next page leads to another service", next_step="use another kind of paging")
        return url

    def _called(self, page: str | None, line: int) -> str:
        """How a row is named; a cursor or link is the service's text, and stays out."""
        match self.paging:
            case Paging(kind="page"):
                return f"page {page or self.paging.first}, row {line}"
            case Paging(kind="offset"):
                return f"row {int(page or 0) + line}"
            case Paging(kind="day") if page:
                return f"{page}, row {line}"
        return f"row {line}"

    def _readings(self, asked: Asked, row: object, page: str | None) -> Iterator[Reading]:
        """The numbers of one row. Raises ValueError."""
        day = self._day(_field(row, self.day)) if self.day else date.fromisoformat(page or str(asked.since))
        parts = {name: str(_field(row, place)) for name, place in self.dimensions.items()}
        named = {name: _said(_field(row, place)) for name, place in self._named().items()}
        values = self.values or {str(_field(row, self.metric)): self.value}
        for metric, place in values.items():
            if asked.of and metric not in asked.of:
                continue
            said = _field(row, place)
            if said is None:  # unknown is not zero
                continue
            exact = number(said, place)
            if asked.since <= day <= asked.until and all(parts[name] == one for name, one in asked.where.items()):
                kept = {name: parts[name] for name in asked.split}
                yield Reading(day=day, metric=metric, value=exact, dimensions=kept, **named)

    def _named(self) -> dict[str, str]:
        return {name: place for name, place in (("account", self.account), ("channel", self.channel)) if place}

    def _day(self, said: object) -> date:
        if not self.day_format:
            text = str(said)
            return day_of(text[:10] if text[10:11] in {"T", " "} else text, self.day)  # a time does not change the day
        try:
            return datetime.strptime(str(said), self.day_format).date()  # noqa: DTZ007 - the service's day, no moment
        except ValueError:
            raise ValueError(f"{self.day} is no day as day_format says") from None


def _said(found: object) -> str:
    return "" if found is None else str(found)


def _field(row: object, place: str) -> object:
    """What stands in a row. Raises ValueError where it is missing."""
    try:
        return walk(row, place)
    except LookupError:
        raise ValueError(f"{place} is missing") from None
