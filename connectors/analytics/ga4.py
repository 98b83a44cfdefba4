"""Google Analytics 4: reports of its Data API, a page of rows at a time."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, ClassVar

from pydantic import BaseModel, Field, field_validator

from connectors.analytics import MOST_PAGES, Asked, Page, Reading, Source
from connectors.analytics.rows import asked_for, fit, gathered, json_of, marked, nearest, number, unmarked
from connectors.errors import Rejected
from connectors.google import KEY, Google

_LIMIT = 10_000  # rows of a page; Google gives up to 250,000, which would not fit through the door


class Ga4(Google, Source):
    """Brings the numbers of a Google Analytics 4 property: visitors, sessions, key events, revenue.

    Days are those of the property's own time zone. `where` and `split` take Google's names of dimensions, such as
    `sessionDefaultChannelGroup`, `country`, `deviceCategory` or `eventName`. Google has more metrics
    than the names below, and a property its own. A day without any visit brings no number.
    """

    service: ClassVar[str] = "ga4"
    hosts: ClassVar[tuple[str, ...]] = ("analyticsdata.googleapis.com",)
    api: ClassVar[str] = "Google Analytics Data API"
    document: ClassVar[str] = "property"
    scopes: ClassVar[tuple[str, ...]] = ("https://www.googleapis.com/auth/analytics.readonly",)
    console: ClassVar[str] = (
        KEY.format(api=api) + "Google Analytics > Admin > Property access management: add the account's address, which "
        "ends in iam.gserviceaccount.com, as a viewer\n"
        "Google Analytics > Admin > Property details: copy the property's number into `property`\n"
    )
    limits: ClassVar[str] = (
        "200,000 tokens a day and 40,000 an hour for each property, a small report costs about 10; 10 calls at once "
        "(developers.google.com/analytics/devguides/reporting/data/v1/quotas, November 2026)"
    )
    usual_rate: ClassVar[str | None] = "120/1m"
    most_days: ClassVar[int] = 366
    settles: ClassVar[int] = 3
    names: ClassVar[tuple[str, ...]] = (
        "active1DayUsers", "active7DayUsers", "active28DayUsers", "activeUsers", "addToCarts", "averagePurchaseRevenue",
        "averageSessionDuration", "bounceRate", "checkouts", "ecommercePurchases", "engagedSessions", "engagementRate",
        "eventCount", "eventValue", "firstTimePurchasers", "itemRevenue", "itemsPurchased", "itemsViewed", "keyEvents",
        "newUsers", "purchaseRevenue", "refundAmount", "screenPageViews", "scrolledUsers", "sessionKeyEventRate",
        "sessions", "totalAdRevenue", "totalPurchasers", "totalRevenue", "totalUsers", "transactions",
        "userEngagementDuration",
    )  # fmt: skip

    base_url: str = "https://analyticsdata.googleapis.com"
    property: str = Field(pattern=r"^\d{4,20}$")

    @field_validator("property", mode="before")
    @classmethod
    def _plain(cls, given: object) -> object:
        """`properties/123456789`, as Google writes it too, will do."""
        return str(given).strip().removeprefix("properties/")

    def fetch(self, asked: Asked, page: str | None) -> bytes:
        """One report; `page` is the number of the first row."""
        offset = int(page or 0)
        path, body = f"/v1beta/properties/{self.property}:runReport", _question(asked, offset)
        meaning = {400: (Rejected, f"Google Analytics does not understand the question{self._odd(asked.of)}")}
        return marked({"offset": offset}, self.http.post(path, body, write=False, meaning=meaning).content)

    def parse(self, asked: Asked, raw: bytes) -> Page:
        """Rows of a report: the day, what is split by, then the metrics."""
        place, answer = unmarked(raw)
        report = fit(_Report, json_of(answer))
        if [one.name for one in report.dimensionHeaders] != ["date", *asked.split] or [
            one.name for one in report.metricHeaders
        ] != list(asked.of):
            raise Rejected("Google Analytics answered another question", next_step="it is asked again later")
        if report.rowCount > _LIMIT * MOST_PAGES:
            raise Rejected("Google Analytics has more rows than can be listed", next_step="split it less")
        full = min(_LIMIT, max(0, report.rowCount - place["offset"]))
        if len(report.rows) != full:  # rows that are left out would be taken for zero
            said = f"Google Analytics brings {len(report.rows)} rows and not {full}"
            raise Rejected(said, next_step="it is asked again later")
        rows = ((f"row {place['offset'] + at}", _readings(asked, row)) for at, row in enumerate(report.rows, 1))
        more = () if place["offset"] else tuple(map(str, range(_LIMIT, report.rowCount, _LIMIT)))
        return Page(readings=gathered(rows), more=more)

    def probe(self) -> str:
        """Count the metrics that the property offers."""
        found = fit(_Offer, self.http.get(f"/v1beta/properties/{self.property}/metadata").json())
        return f"the property offers {len(found.metrics)} metrics"

    def _odd(self, of: tuple[str, ...]) -> str:
        """Words for names that are none of the usual ones; a property may have its own."""
        odd = [one for one in of if one not in self.names and ":" not in one]
        return f": {odd[0]}: {nearest(odd[0], self.names)}" if odd else ""


class _Offer(BaseModel):
    metrics: list[dict[str, Any]]


class _Named(BaseModel):
    name: str


class _Value(BaseModel):
    value: str = ""


class _Row(BaseModel):
    dimensionValues: list[_Value]  # noqa: N815 - Google's names
    metricValues: list[_Value]  # noqa: N815


class _Report(BaseModel):
    dimensionHeaders: list[_Named]  # noqa: N815
    metricHeaders: list[_Named]  # noqa: N815
    rows: list[_Row] = []
    rowCount: int = Field(0, ge=0)  # noqa: N815 - left out where it is zero


def _question(asked: Asked, offset: int) -> dict[str, Any]:
    """The body of a runReport. Raises Rejected when no metric is named."""
    if not asked.of:
        raise Rejected("Google Analytics wants the names of metrics", next_step="name them in `of`")
    wanted = [
        {"filter": {"fieldName": name, "stringFilter": {"matchType": "EXACT", "value": value, "caseSensitive": True}}}
        for name, value in asked.where.items()
    ]
    return {
        "dateRanges": [{"startDate": asked.since.isoformat(), "endDate": asked.until.isoformat()}],
        "dimensions": [{"name": name} for name in ("date", *asked.split)],
        "metrics": [{"name": name} for name in asked.of],
        "keepEmptyRows": False,
        "offset": str(offset),
        "limit": str(_LIMIT),
    } | ({"dimensionFilter": {"andGroup": {"expressions": wanted}}} if wanted else {})


def _readings(asked: Asked, row: _Row) -> Iterator[Reading]:
    """One row's numbers. Raises ValueError."""
    if len(row.dimensionValues) != 1 + len(asked.split) or len(row.metricValues) != len(asked.of):
        raise ValueError("a column is missing")
    day, *parts = (one.value for one in row.dimensionValues)
    at = asked_for(_day(day), asked)
    dimensions = dict(zip(asked.split, parts, strict=True))
    for name, told in zip(asked.of, row.metricValues, strict=True):
        yield Reading(day=at, metric=name, value=number(told.value, name), dimensions=dimensions)


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day of the property, no moment
    except ValueError:
        raise ValueError("date is no day like 20260331") from None
