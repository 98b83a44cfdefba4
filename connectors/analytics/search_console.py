"""Google Search Console: how often a site was shown and clicked in Google's search."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import BaseModel, Field, model_validator

from connectors.analytics import Asked, Page, Reading, Source
from connectors.analytics.rows import asked_for, check_names, day_of, fit, gathered, json_of, marked, number, unmarked
from connectors.google import KEY, Google

_LIMIT = 25_000  # rows of a page, the most that Google gives
_DIMENSIONS = {
    "query": "QUERY", "page": "PAGE", "country": "COUNTRY", "device": "DEVICE",
    "search_appearance": "SEARCH_APPEARANCE",
}  # fmt: skip


class SearchConsole(Google, Source):
    """Brings clicks, impressions, ctr and position of a site in Google's search.

    Days are those of California, as Google counts them, and a day without data is left out. `ctr` and `position` are no
    sums: say `sum: none` of such a metric. `where` and `split` take query, page, country, device. Numbers come when
    they are final, after two or three days; with `fresh: yes` at once, and they change until then.
    """

    service: ClassVar[str] = "search_console"
    hosts: ClassVar[tuple[str, ...]] = ("searchconsole.googleapis.com",)
    api: ClassVar[str] = "Google Search Console API"
    document: ClassVar[str] = "site"
    scopes: ClassVar[tuple[str, ...]] = ("https://www.googleapis.com/auth/webmasters.readonly",)
    console: ClassVar[str] = (
        KEY.format(api=api) + "Search Console > Settings > Users and permissions > Add user: the account's address, "
        "which ends in iam.gserviceaccount.com, with restricted permission\n"
        "Write the site into `site` as Search Console calls it: `sc-domain:example.com`, or an address that ends in /\n"
    )
    limits: ClassVar[str] = (
        "1,200 calls a minute for each site, numbers of 16 months, and of rows split by query or page only the upper "
        "50,000 of a day (developers.google.com/webmaster-tools/limits, November 2026)"
    )
    usual_rate: ClassVar[str | None] = "600/1m"
    most_days: ClassVar[int] = 366
    settles: ClassVar[int] = 4
    names: ClassVar[tuple[str, ...]] = ("clicks", "impressions", "ctr", "position")

    base_url: str = "https://searchconsole.googleapis.com"
    site: str = Field(pattern=r"^(sc-domain:[^\s/]+|https?://\S+/)$")
    fresh: bool = False

    def fetch(self, asked: Asked, page: str | None) -> bytes:
        """One list of rows; `page` is the number of the first."""
        check_names(asked.of, self.names, "number of Search Console")
        check_names([*asked.split, *asked.where], _DIMENSIONS, "dimension of Search Console")
        start = int(page or 0)
        body = _question(asked, start) | {"dataState": "ALL" if self.fresh else "FINAL"}
        return marked(
            {"start": start}, self.http.post(f"{self._path}/searchAnalytics/query", body, write=False).content
        )

    def parse(self, asked: Asked, raw: bytes) -> Page:
        """Rows: the day and what is split by as keys, then the four numbers."""
        place, answer = unmarked(raw)
        found = fit(_Answer, json_of(answer))
        rows = ((f"row {place['start'] + at}", _readings(asked, row)) for at, row in enumerate(found.rows, 1))
        full = len(found.rows) >= _LIMIT
        return Page(readings=gathered(rows), more=(str(place["start"] + _LIMIT),) if full else ())

    def probe(self) -> str:
        """Look up what the account may do with the site."""
        found = fit(_Site, self.http.get(self._path).json())
        return f"the account may read {self.site}" + (" as its owner" if "Owner" in found.permissionLevel else "")

    @property
    def _path(self) -> str:
        return f"/webmasters/v3/sites/{quote(self.site, safe='')}"


class _Site(BaseModel):
    permissionLevel: str  # noqa: N815 - Google's names


class _Row(BaseModel):
    keys: list[str]
    clicks: int | Decimal
    impressions: int | Decimal
    ctr: int | Decimal
    position: int | Decimal


class _Answer(BaseModel):
    rows: list[_Row] = []
    responseAggregationType: str | None = None  # noqa: N815

    @model_validator(mode="after")
    def _is_one(self) -> "_Answer":
        """Without data Google says how it would have added up; what says nothing is not Google's."""
        if not self.model_fields_set:
            raise ValueError("no answer of Search Console")
        return self


def _question(asked: Asked, start: int) -> dict[str, Any]:
    filters = [
        {"dimension": _DIMENSIONS[name], "operator": "EQUALS", "expression": value}
        for name, value in asked.where.items()
    ]
    return {
        "startDate": asked.since.isoformat(),
        "endDate": asked.until.isoformat(),
        "dimensions": ["DATE", *(_DIMENSIONS[name] for name in asked.split)],
        "rowLimit": _LIMIT,
        "startRow": start,
    } | ({"dimensionFilterGroups": [{"groupType": "AND", "filters": filters}]} if filters else {})


def _readings(asked: Asked, row: _Row) -> Iterator[Reading]:
    """One row's numbers. Raises ValueError."""
    if len(row.keys) != 1 + len(asked.split):
        raise ValueError("a key is missing")
    at = asked_for(day_of(row.keys[0], "date"), asked)
    dimensions = dict(zip(asked.split, row.keys[1:], strict=True))
    for name in asked.of or SearchConsole.names:
        yield Reading(day=at, metric=name, value=number(getattr(row, name), name), dimensions=dimensions)
