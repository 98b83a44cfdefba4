"""Instagram: insights of a business account, of each day."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, Field, SecretStr

from connectors.analytics import Asked, Page, Reading, Source
from connectors.analytics.rows import check_names, day_of, fit, gathered, json_of, marked, number, unmarked
from connectors.answers import codes
from connectors.base import Answer
from connectors.errors import ConnectorError, NotConnected, Rejected, Unavailable

# https://developers.facebook.com/docs/instagram-platform/api-reference/instagram-user/insights
_SERIES = {"reach": {"metric_type": "time_series"}, "follower_count": {}}  # all days in one answer
_TOTALS = (
    "accounts_engaged", "comments", "likes", "profile_links_taps", "replies", "saves", "shares", "total_interactions",
    "views",
)  # fmt: skip
_ZONE = ZoneInfo("America/Los_Angeles")  # where Meta's days begin
# https://developers.facebook.com/docs/graph-api/guides/error-handling
_MEANING: dict[str, tuple[type[ConnectorError], str]] = {
    **dict.fromkeys(
        ("190", "102", "463", "467"), (NotConnected, "Instagram's access token has ended or was withdrawn")
    ),
    **dict.fromkeys(("10", "200"), (NotConnected, "the access token has no permission for insights")),
    **dict.fromkeys(("4", "17", "32", "613", "80002"), (Unavailable, "Instagram asks to come later: too many calls")),
    **dict.fromkeys(("1", "2"), (Unavailable, "Instagram has a fault of its own just now")),
    "100": (Rejected, "Instagram does not understand the question: is the account's number right?"),
}
_STATUSES = {(status, code): said for status in (400, 401, 403, 500) for code, said in _MEANING.items()}


class Instagram(Source):
    """Brings the daily insights of an Instagram business or creator account.

    `reach` and `follower_count` (new followers, of 30 days at most, from 100 followers on), `views`, `likes`,
    `comments`, `shares`, `saves`, `replies`, `total_interactions`, `accounts_engaged`, `profile_links_taps`. Days begin
    at midnight in California. Where Instagram says nothing the number is unknown, and not zero.
    """

    service: ClassVar[str] = "instagram"
    hosts: ClassVar[tuple[str, ...]] = ("graph.facebook.com", "graph.instagram.com")
    scopes: ClassVar[tuple[str, ...]] = ("instagram_basic", "instagram_manage_insights", "pages_read_engagement")
    console: ClassVar[str] = """
        Instagram > Settings > Account type: a business or creator account, linked to a Facebook page
        developers.facebook.com > My apps: make an app of type Business
        Business settings > System users: add one, give it the page, and make a token that never ends
        Copy the token into the variable of `access_token`
        Graph API Explorer: ask for `me/accounts?fields=instagram_business_account`, and copy its id into `account`
    """
    limits: ClassVar[str] = (
        "in 24 hours 4,800 calls for each impression of the account; numbers of two years, of follower_count of 30 "
        "days; up to two days late (developers.facebook.com/docs/graph-api/overview/rate-limiting, November 2026)"
    )
    usual_rate: ClassVar[str | None] = "60/1m"
    most_days: ClassVar[int] = 30
    most_metrics: ClassVar[int] = 20
    settles: ClassVar[int] = 2
    names: ClassVar[tuple[str, ...]] = (*_SERIES, *_TOTALS)

    base_url: str = "https://graph.facebook.com"
    account: str = Field(pattern=r"^\d{3,30}$")
    version: str = Field("v23.0", pattern=r"^v\d{1,3}\.\d$")
    access_token: SecretStr = Field(description="Business settings > System users > Generate token")

    def fetch(self, asked: Asked, page: str | None) -> bytes:
        """The series of one metric over all days, or the totals of one day; `page` says which."""
        check_names(asked.of, self.names, "number of Instagram")
        if asked.split or asked.where:
            raise Rejected(
                "Instagram's numbers are not split", next_step="take `split` and `where` out of metrics.yaml"
            )
        pages = _pages(asked)
        at = page or pages[0]
        if at in _SERIES:
            query = {"metric": at, **_SERIES[at]} | _between(asked.since, asked.until)
        else:
            day = date.fromisoformat(at)
            query = {"metric": ",".join(_totals(asked)), "metric_type": "total_value"} | _between(day, day)
        answer = self._get(f"{self.account}/insights", {**query, "period": "day"})
        return marked({"page": at, "more": [] if page else pages[1:]}, answer.content)

    def parse(self, asked: Asked, raw: bytes) -> Page:
        """What Instagram says; a metric that is left out is unknown."""
        place, answer = unmarked(raw)
        found = fit(_Answer, json_of(answer))
        wanted = {place["page"]} if place["page"] in _SERIES else set(_totals(asked))
        rows = ((f"metric {at}", _readings(asked, one, wanted, place["page"])) for at, one in enumerate(found.data, 1))
        return Page(readings=gathered(rows), more=tuple(place["more"]))

    def probe(self) -> str:
        """Look up the account's name."""
        found = fit(_Account, self._get(self.account, {"fields": "username"}).json())
        return f"the account is {found.username}"

    def credentials(self) -> dict[str, Any]:
        return {"headers": {"authorization": f"Bearer {self.access_token.get_secret_value()}"}}

    @staticmethod
    def refusal(answer: Answer) -> ConnectorError | None:
        """The error that stands inside an answer of status 200."""
        if b'"error"' not in answer.content[:200]:
            return None
        found = next((_MEANING[code] for code in codes(answer.content) if code in _MEANING), None)
        kind, said = found or (Rejected, "Instagram refused the question")
        return kind(said)

    def _get(self, path: str, query: dict[str, str]) -> Answer:
        return self.http.get(f"/{self.version}/{path}", query, meaning=_STATUSES)


class _Value(BaseModel):
    value: int | Decimal | None = None
    end_time: AwareDatetime


class _Total(BaseModel):
    value: int | Decimal | None = None


class _Metric(BaseModel):
    name: str
    values: list[_Value] = []
    total_value: _Total | None = None


class _Answer(BaseModel):
    data: list[_Metric]


class _Account(BaseModel):
    username: str


def _totals(asked: Asked) -> list[str]:
    return [one for one in asked.of or Instagram.names if one in _TOTALS]


def _pages(asked: Asked) -> list[str]:
    """One for each series, and one for each day that totals are asked of."""
    days = (asked.until - asked.since).days + 1 if _totals(asked) else 0
    series = [one for one in asked.of or Instagram.names if one in _SERIES]
    return series + [str(asked.since + timedelta(days=at)) for at in range(days)]


def _between(since: date, until: date) -> dict[str, str]:
    """From the midnight that begins `since` to the one that ends `until`, in seconds as Meta wants them."""
    begin, end = (datetime.combine(day, time(), _ZONE) for day in (since, until + timedelta(days=1)))
    return {"since": str(int(begin.timestamp())), "until": str(int(end.timestamp()))}


def _readings(asked: Asked, one: _Metric, wanted: set[str], page: str) -> Iterator[Reading]:
    """The numbers of one metric. Raises ValueError."""
    if one.name not in wanted:
        raise ValueError("it was not asked for")
    if page not in _SERIES:
        if one.total_value is None:
            raise ValueError("total_value is missing")
        if one.total_value.value is not None:
            yield Reading(day=day_of(page), metric=one.name, value=number(one.total_value.value))
        return
    for told in one.values:
        # It ends at a midnight, whosever: its middle lies in its day from any zone.
        day = (told.end_time.astimezone(UTC) - timedelta(hours=12)).date()
        if told.value is not None and asked.since <= day <= asked.until:
            yield Reading(day=day, metric=one.name, value=number(told.value))
