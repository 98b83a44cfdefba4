"""A connector's settings, secrets, arguments and errors."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import ClassVar

import pytest
from pydantic import BaseModel, Field, SecretStr

from connectors.base import Connector, action, check_arguments
from connectors.clock import OffsetClock, RealClock, VirtualClock
from connectors.errors import Forged, NotConnected, Odd, Rejected, Uncertain


class Sold(BaseModel):
    order: str
    amount: Decimal


class Till(Connector):
    """A till."""

    service: ClassVar[str] = "till"
    host: str = "till.example"
    port: int = 1
    token: SecretStr = Field(description="till > settings > token")
    old_tokens: list[SecretStr] = Field(default_factory=list, description="till > settings > token")

    @action
    def sold(self, order: str, since: datetime | None = None) -> list[Sold]:
        """What was sold."""
        return [Sold(order=order, amount=Decimal("10.50"))]

    @action(effect="keyed", window="15d")
    def refund(self, order: str, amount: Decimal, *, key: str) -> Sold:
        """Give money back."""
        if order == "broken":
            raise RuntimeError("customer 010-1234-5678")
        return Sold(order=f"{order}/{key}", amount=amount)

    @action
    def stumble(self) -> None:
        """Fail."""
        raise KeyError("secret")


ENVIRON = {"DIGILOG_CONNECTIONS__OUR_TILL__TOKEN": "hush", "PORT": "99", "HOST": "evil"}


@pytest.fixture
def till():
    return Till.connect("our-till", {"port": "7"}, environ=ENVIRON)


def test_settings_come_from_the_company_and_secrets_from_their_own_variables_only(till):
    assert (till.host, till.port, till.token.get_secret_value()) == ("till.example", 7, "hush")
    assert "hush" not in repr(till)


def test_several_secrets_are_split_at_commas():
    environ = ENVIRON | {"DIGILOG_CONNECTIONS__OUR_TILL__OLD_TOKENS": "a, b,"}
    made = Till.connect("our-till", {}, environ=environ)
    assert [one.get_secret_value() for one in made.old_tokens] == ["a", "b"]


@pytest.mark.parametrize(
    ("settings", "environ", "said"),
    [
        ({}, {}, "DIGILOG_CONNECTIONS__OUR_TILL__TOKEN is not set (set it in .env; till > settings > token)"),
        ({}, {"DIGILOG_CONNECTIONS__OUR_TILL__TOKEN": " "}, "TOKEN is not set"),
        ({"token": "hush"}, ENVIRON, "token: a secret does not belong in company.yaml"),
        ({"prot": "7"}, ENVIRON, "prot: no such setting; did you mean port?"),
        ({"port": "x"}, ENVIRON, "port: Input should be a valid integer"),
    ],
)
def test_a_wrong_connection_says_which_setting(settings, environ, said):
    with pytest.raises(NotConnected) as caught:
        Till.connect("our-till", settings, environ=environ)
    assert said in str(caught.value)
    assert caught.value.connection == "our-till"
    assert "hush" not in str(caught.value)


def test_settings_are_checked_without_their_secrets():
    assert Till.check_settings({"port": "7"}) == []
    assert len(Till.check_settings({"prt": "7", "old_tokens": "x"})) == 2


def test_arguments_are_turned_into_the_signature_types_and_results_are_plain(till):
    assert till.call("sold", {"order": 7}) == [{"order": "7", "amount": Decimal("10.50")}]
    assert till.call("refund", {"order": "a", "amount": "1.10"}, key="k") == {"order": "a/k", "amount": Decimal("1.10")}


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("solt", {}, "solt: no such action; did you mean sold?"),
        ("sold", {"ordr": "1"}, "no such argument ordr; did you mean order?; sold: the argument order is missing"),
        ("refund", {"order": "a", "amount": "lots"}, "refund: amount: Input should be a valid decimal"),
        ("refund", {"order": "a", "amount": "1", "key": "mine"}, "no such argument key"),
    ],
)
def test_a_wrong_call_is_rejected_in_plain_words(till, name, arguments, said):
    with pytest.raises(Rejected) as caught:
        till.call(name, arguments, key="k")
    assert said in caught.value.reason
    assert "lots" not in caught.value.reason


def test_a_connector_that_breaks_is_uncertain_for_a_write_and_keeps_its_text_to_itself(till):
    with pytest.raises(Uncertain, match="RuntimeError") as write:
        till.call("refund", {"order": "broken", "amount": "1"}, key="k")
    with pytest.raises(Rejected, match="KeyError") as read:
        till.call("stumble", {})
    assert "010" not in str(write.value)
    assert "secret" not in str(read.value)


def test_a_write_without_a_key_is_not_made(till):
    with pytest.raises(Rejected, match="needs a key"):
        till.call("refund", {"order": "a", "amount": "1"})


def test_an_action_is_its_signature():
    refund = Till.actions()["refund"]
    assert (refund.effect, refund.outgoing, refund.takes_key, refund.window) == (
        "keyed",
        True,
        True,
        timedelta(days=15),
    )
    assert [one.required for one in refund.parameters.values()] == [True, True]
    assert check_arguments(Till.actions()["sold"], {"order", "since"}) == []
    assert not Till.actions()["sold"].outgoing


def test_what_receives_nothing_believes_nothing(till):
    with pytest.raises(Forged):
        till.receive({}, b"{}")


class Bell(Till):
    """Is asked whether it rang."""

    service: ClassVar[str] = "bell"
    polls: ClassVar[timedelta | None] = timedelta(minutes=5)
    usual_rate: ClassVar[str | None] = "60/1m"


def bell(settings):
    return Bell.connect("bell", settings, environ={"DIGILOG_CONNECTIONS__BELL__TOKEN": "hush"})


@pytest.mark.parametrize(
    ("settings", "pace"),
    [({}, (60, timedelta(minutes=1))), ({"rate": "2/s"}, (2, timedelta(seconds=1))),
     ({"rate": "100/1h"}, (100, timedelta(hours=1)))],
)  # fmt: skip
def test_a_services_usual_rate_holds_unless_the_connection_says_its_own(settings, pace, till):
    assert bell(settings).pace == pace
    assert till.pace is None


def test_how_often_a_service_is_asked_may_be_said_where_it_is_asked_at_all():
    assert bell({}).every_so_often == timedelta(minutes=5)
    assert bell({"every": "30s"}).every_so_often == timedelta(seconds=30)
    assert Bell.check_settings({"every": "often"})
    (said,) = Till.check_settings({"every": "30s"})
    assert said.startswith("every: no such setting")


def test_a_kept_body_is_read_as_json_unless_a_connector_knows_better(till):
    assert till.read("till.rang", b'{"a": 1}') == {"a": 1}
    for body in (b"[]", b"", b"null", b"[" * 99_999):
        with pytest.raises(Odd):
            till.read("till.rang", body)


def test_clocks_tell_aware_utc_and_a_set_clock_never_goes_back():
    seoul = timezone(timedelta(hours=9))
    clock = VirtualClock(datetime(2026, 3, 1, 9, tzinfo=seoul))
    assert clock.now() == datetime(2026, 3, 1, 0, tzinfo=UTC)
    clock.set(datetime(2026, 3, 1, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="cannot go back"):
        clock.set(datetime(2026, 3, 1, 9, tzinfo=seoul))
    with pytest.raises(ValueError, match="zone"):
        clock.set(datetime(2027, 1, 1))  # noqa: DTZ001
    assert RealClock().now().tzinfo is UTC
    assert OffsetClock(timedelta(days=1)).now() - RealClock().now() > timedelta(hours=23)
