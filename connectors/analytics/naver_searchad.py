"""Naver Search Ads: what campaigns showed, brought and cost, a day at a time."""

import base64
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, ClassVar

from pydantic import BaseModel, Field, PrivateAttr, SecretStr, TypeAdapter, ValidationError

from connectors.analytics import Asked, Page, Reading, Source
from connectors.analytics.rows import check_names, day_of, fit, gathered, json_of, marked, number, unmarked
from connectors.base import Answer
from connectors.errors import NotConnected, Rejected

_MOST = 100  # campaigns of one question: their ids travel in the address
_DIMENSIONS = ("nccCampaignId", "name", "campaignTp")
# Sums of several campaigns; of a rate or a rank there is none.
_SUMS = ("impCnt", "clkCnt", "salesAmt", "ccnt", "convAmt", "viewCnt")
_RATES = ("ctr", "cpc", "avgRnk", "crto", "ror", "cpConv")
# https://github.com/naver/searchad-apidoc/blob/master/NaverSA_API_Error_Code_MAP.md
_MEANING = {403: (NotConnected, "Naver refused the key, or the customer's number is not the key's")}


class NaverSearchad(Source):
    """Brings the numbers of Naver's search ads: `impCnt` shown, `clkCnt` clicked, `salesAmt` cost in won.

    Also `ccnt` conversions, `convAmt` their sales, `viewCnt`, and the rates `ctr`, `cpc`, `avgRnk`, `crto`, `ror`,
    `cpConv`, which cannot be added up over campaigns. `where` and `split` take `nccCampaignId`, `name`, `campaignTp`.
    Days are Korean. Naver lists no deleted campaign: keep its id in `campaigns` as long as its past counts.
    """

    service: ClassVar[str] = "naver_searchad"
    hosts: ClassVar[tuple[str, ...]] = ("api.searchad.naver.com", "api.naver.com")
    console: ClassVar[str] = """
        Open manage.searchad.naver.com with the account that owns the ads
        도구 > API 사용 관리 (Tools > API Manager): make an API licence
        Copy 액세스라이선스 into the variable of `api_key`, and 비밀키 into the variable of `secret_key`
        Copy CUSTOMER_ID, which stands there too, into `customer`
    """
    limits: ClassVar[str] = "too many calls are answered by 429; how many, Naver does not write (November 2026)"
    usual_rate: ClassVar[str | None] = "10/1s"
    most_days: ClassVar[int] = 31
    most_metrics: ClassVar[int] = 12
    settles: ClassVar[int] = 7
    names: ClassVar[tuple[str, ...]] = (*_SUMS, *_RATES)

    base_url: str = "https://api.searchad.naver.com"
    customer: str = Field(pattern=r"^\d{1,20}$")
    campaigns: tuple[str, ...] = ()
    api_key: SecretStr = Field(description="manage.searchad.naver.com > 도구 > API 사용 관리 > 액세스라이선스")
    secret_key: SecretStr = Field(description="manage.searchad.naver.com > 도구 > API 사용 관리 > 비밀키")

    _listed: "tuple[_Campaign, ...] | None" = PrivateAttr(None)

    def fetch(self, asked: Asked, page: str | None) -> bytes:
        """The list of campaigns first, then the numbers of each day (`page`)."""
        check_names(asked.of, self.names, "number of Naver Search Ads")
        check_names([*asked.split, *asked.where], _DIMENSIONS, "dimension of Naver Search Ads")
        if page is None:
            return marked({}, self._list())
        if self._listed is None:  # digilog began anew in the middle of a question
            self._list()
        wanted = _wanted(asked, self._listed or (), self.campaigns)
        place = {"day": page, "campaigns": [one.model_dump() for one in wanted]}
        query: dict[str, Any] = {
            "ids": [one.nccCampaignId for one in wanted],
            "fields": json.dumps(asked.of or _SUMS, separators=(",", ":")),
            "timeRange": json.dumps({"since": page, "until": page}, separators=(",", ":")),
            "timeIncrement": "allDays",
        }
        return marked(place, self._get("/stats", query).content)

    def parse(self, asked: Asked, raw: bytes) -> Page:
        """Campaigns, and the days to ask for; or a day's numbers, added up over campaigns that are not split."""
        place, answer = unmarked(raw)
        found = json_of(answer)
        if "day" not in place:
            wanted = _wanted(asked, _campaigns(found), self.campaigns)
            days = (asked.until - asked.since).days + 1 if wanted else 0
            return Page(readings=(), more=tuple(str(asked.since + timedelta(days=at)) for at in range(days)))
        known = {one["nccCampaignId"]: _Campaign(**one) for one in place["campaigns"]}
        day = day_of(place["day"])
        rows = ((f"row {at}", _readings(asked, day, known, row)) for at, row in enumerate(fit(_Stats, found).data, 1))
        return Page(readings=tuple(_added(asked, gathered(rows))))

    def probe(self) -> str:
        """Count the campaigns."""
        return f"the account has {len(_campaigns(json_of(self._list())))} campaigns"

    def _list(self) -> bytes:
        content = self._get("/ncc/campaigns").content
        self._listed = tuple(_campaigns(json_of(content)))
        return content

    def _get(self, path: str, query: Mapping[str, Any] | None = None) -> Answer:
        return self.http.get(path, query, headers=self._signed("GET", path), meaning=_MEANING)

    def _signed(self, method: str, path: str) -> dict[str, str]:
        """Who asks, proven by a signature over the time, the method and the path without its query."""
        at = str(int(self._clock.now().timestamp() * 1000))
        told = f"{at}.{method}.{path}".encode()
        signature = hmac.digest(self.secret_key.get_secret_value().encode(), told, "sha256")
        return {
            "x-timestamp": at,
            "x-api-key": self.api_key.get_secret_value(),
            "x-customer": self.customer,
            "x-signature": base64.b64encode(signature).decode(),
        }


class _Campaign(BaseModel):
    nccCampaignId: str = Field(pattern=r"^[\w-]{1,60}$")  # noqa: N815 - Naver's names
    name: str = ""
    campaignTp: str = ""  # noqa: N815


class _Stats(BaseModel):
    data: list[dict[str, Any]]


def _campaigns(found: object) -> tuple[_Campaign, ...]:
    """The list of campaigns. Raises Rejected."""
    try:
        return TypeAdapter(tuple[_Campaign, ...]).validate_python(found)
    except ValidationError:
        raise Rejected("Naver's list of campaigns cannot be read", next_step="it is asked for again later") from None


def _wanted(asked: Asked, listed: Iterable[_Campaign], more: Iterable[str]) -> list[_Campaign]:
    """The campaigns that are asked for, each once. Raises Rejected for more than fit into one question."""
    known = {one: _Campaign(nccCampaignId=one) for one in more} | {one.nccCampaignId: one for one in listed}
    found = [one for one in known.values() if all(getattr(one, name) == said for name, said in asked.where.items())]
    if len(found) > _MOST:
        raise Rejected(f"there are more than {_MOST} campaigns", next_step="narrow them by `where: {campaignTp: ...}`")
    return found


def _readings(asked: Asked, day: date, known: Mapping[str, _Campaign], row: Mapping[str, Any]) -> Iterator[Reading]:
    """One campaign's numbers. Raises ValueError."""
    campaign = known.get(str(row.get("id")))
    if campaign is None:
        raise ValueError("this campaign was not asked for")
    for name in asked.of or _SUMS:
        if name in row:
            yield Reading(day=day, metric=name, value=number(row[name], name), dimensions=campaign.model_dump())
        elif asked.of:
            raise ValueError(f"{name} is missing")


def _added(asked: Asked, readings: Iterable[Reading]) -> Iterator[Reading]:
    """Numbers of campaigns that are not told apart, as one. Raises Rejected where a rate would have to be added."""
    found: dict[tuple[object, ...], Reading] = {}
    for one in readings:
        kept = one.model_copy(update={"dimensions": {name: one.dimensions[name] for name in asked.split}})
        before = found.get(kept.key)
        if before is not None and one.metric in _RATES:
            raise Rejected(
                f"{one.metric} cannot be added up over campaigns",
                next_step="split it by nccCampaignId, or take a ratio of sums in metrics.yaml",
            )
        total = kept.value + (before.value if before else 0)
        found[kept.key] = kept.model_copy(update={"value": total})
    yield from found.values()
