"""Naver Search Ads: the signature of each call, campaigns, and what is added up over them."""

import base64
import subprocess
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.analytics import Asked
from connectors.errors import NotConnected, Rejected
from tests.connectors.samples.naver_searchad import CAMPAIGNS, DATA, LIST, PLACE, POWER, SECRETS, STATS


def openssl(told: str, secret: str) -> str:
    """Another's HMAC-SHA256, as Naver's papers ask for it: in base64."""
    command = ["openssl", "dgst", "-sha256", "-hmac", secret, "-binary"]
    return base64.b64encode(
        subprocess.run(command, input=told.encode(), capture_output=True, check=True).stdout
    ).decode()


def test_each_call_is_signed_over_its_time_method_and_path(connect):
    made = connect("naver_searchad")
    made.readings()
    for one in made.asked():
        at, path = one.headers["x-timestamp"], urlsplit(one.path).path
        assert one.headers["x-signature"] == openssl(f"{at}.GET.{path}", SECRETS["secret_key"])
        assert (one.headers["x-api-key"], one.headers["x-customer"]) == (SECRETS["api_key"], "1234567")
        assert len(at) == 13


def test_sums_are_added_up_over_campaigns(connect):
    found = connect("naver_searchad").readings()
    assert {one["metric"]: one["value"] for one in found} == {"clkCnt": Decimal(40), "salesAmt": Decimal("28530.5")}


def test_each_day_is_one_call_of_all_campaigns(connect):
    made = connect("naver_searchad")
    assert len(made.readings(since="2026-11-19", of=["clkCnt"])) == 3
    asked = [parse_qs(urlsplit(one.path).query) for one in made.asked("/stats")]
    assert [one["timeRange"] for one in asked] == [
        [f'{{"since":"2026-11-{day}","until":"2026-11-{day}"}}'] for day in (19, 20, 21)
    ]
    assert asked[0]["ids"] == [POWER, PLACE]
    assert asked[0]["fields"] == ['["clkCnt"]']


def test_a_rate_cannot_be_added_up(connect):
    made = connect("naver_searchad")
    with pytest.raises(Rejected, match=r"avgRnk cannot be added up over campaigns") as caught:
        made.readings(of=["avgRnk"])
    assert "split it by nccCampaignId" in caught.value.next_step


@pytest.mark.parametrize(
    ("split", "found"),
    [
        (["nccCampaignId"], [{"nccCampaignId": POWER}, {"nccCampaignId": PLACE}]),
        (
            ["name", "campaignTp"],
            [{"name": "파워링크", "campaignTp": "WEB_SITE"}, {"name": "플레이스", "campaignTp": "PLACE"}],
        ),
    ],
)
def test_campaigns_are_told_apart_where_they_are_split(connect, split, found):
    got = connect("naver_searchad").readings(of=["avgRnk"], split=split)
    assert [one["dimensions"] for one in got] == found


def test_only_the_campaigns_that_are_wanted_are_asked_for(connect):
    made = connect("naver_searchad", {STATS: (200, {"data": DATA[1:]})})
    (one,) = made.readings(of=["avgRnk"], where={"campaignTp": "PLACE"})
    assert one["value"] == 2
    assert parse_qs(urlsplit(made.asked("/stats")[0].path).query)["ids"] == [PLACE]


def test_a_deleted_campaign_is_asked_for_as_long_as_it_is_named(connect):
    gone = "cmp-a001-01-000000000000009"
    made = connect("naver_searchad", {LIST: (200, CAMPAIGNS[:1])}, campaigns=[gone, POWER])
    with pytest.raises(Rejected, match=r"row 2: this campaign was not asked for"):
        made.readings()
    assert sorted(parse_qs(urlsplit(made.asked("/stats")[0].path).query)["ids"]) == sorted([POWER, gone])


def test_after_a_new_start_a_day_can_be_asked_for_without_the_list(connect):
    made = connect("naver_searchad")
    usual = Asked(**made.usual)
    assert len(made.source.page(usual, made.source.answer_of(usual, "2026-11-21")).readings) == 2


def test_an_account_without_campaigns_has_no_numbers(connect):
    assert connect("naver_searchad", {LIST: (200, [])}).readings() == []


def test_too_many_campaigns_are_told_before_they_are_asked_for(connect):
    many = [{"nccCampaignId": f"cmp-{at}", "name": "x", "campaignTp": "WEB_SITE"} for at in range(101)]
    made = connect("naver_searchad", {LIST: (200, many)})
    with pytest.raises(Rejected, match="more than 100 campaigns"):
        made.readings()
    assert made.asked("/stats") == []


@pytest.mark.parametrize("answer", [{}, [{"name": "no id"}], [{"nccCampaignId": "a/../b"}], "<html>"])
def test_a_list_of_campaigns_of_another_shape_is_not_taken(connect, answer):
    with pytest.raises(Rejected, match=r"cannot be read|web page"):
        connect("naver_searchad", {LIST: (200, answer)}).readings()


def test_a_wrong_key_is_told_as_one(connect):
    made = connect("naver_searchad", {LIST: (403, {"code": 1018, "title": "secret words"})})
    with pytest.raises(NotConnected, match="Naver refused the key"):
        made.source.probe()
