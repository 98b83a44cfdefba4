"""The promises that every registered connector keeps."""

from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import ClassVar

import pytest

from connectors.base import Incoming
from connectors.registry import UnknownConnector, connectors, find, names
from connectors.testing import promises

SETTINGS = {
    "email": {"host": "mail.example.com", "username": "shop", "sender": "shop@example.com"},
    "excel": {"file": "a.xlsx"},
    "csv": {"file": "a.csv"},
    "folder": {"folder": "numbers"},
    "web": {"base_url": "https://example.com"},
}
BUILT_IN = {"ledger", "metrics", "message", "team"}


def settings_of(name):
    """As the connector's sample says."""
    sample = f"tests.connectors.samples.{name}"
    return SETTINGS.get(name) or (import_module(sample).SETTINGS if find_spec(sample) else {})


@pytest.mark.parametrize("name", sorted(set(names()) - BUILT_IN))
def test_a_connector_keeps_every_promise(name):
    assert promises(name, find(name), settings_of(name)) == []


def test_the_built_in_verbs_are_reached_by_name():
    assert set(names()) >= BUILT_IN


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UnknownConnector, match=r"emial: no such connector; did you mean email\?"):
        find("emial")
    assert "nonsense" not in connectors()


WEB, WEBHOOK = find("web"), find("webhook")


class Loose(WEB):
    service = "loose"
    events = ("paid",)


class Far(WEB):
    """Far away."""

    service: ClassVar[str] = "far"
    hosts: ClassVar[tuple[str, ...]] = ("API.far.example",)
    usual_rate: ClassVar[str | None] = "60 a minute"
    base_url: str = "http://near.example"


class Quiet(WEB):
    """Hears without an ear."""

    service: ClassVar[str] = "quiet"
    confirms: ClassVar[bool] = True
    polls: ClassVar[timedelta | None] = timedelta(seconds=1)
    answer: ClassVar[int] = 404


class Believing(WEBHOOK):
    """Believes everybody."""

    service: ClassVar[str] = "believing"
    console: ClassVar[str] = "Click."

    def receive(self, headers, raw):
        del headers
        return Incoming("form.submitted", "k", {"a": raw})

    def read(self, name, raw):
        return {"name": name, "first": raw[0]}


Loose.__doc__ = None
BROKEN = {
    Loose: [
        "the class has no docstring",
        "service is 'loose', registered is 'tight'",
        "paid: an event's name is noun.verb",
    ],
    Far: [
        "base_url does not begin with https://",
        "the host of base_url is not among hosts",
        "API.far.example: a host is a plain name in small letters",
        "console does not say what to click at the vendor's",
        "limits does not say what the vendor allows",
        "probe does not prove the connection",
        "usual_rate '60 a minute' is not like 60/1m",
    ],
    Quiet: [
        "console does not say what to click at the vendor's",
        "it hears, yet names no events",
        "it takes webhooks, yet has no receive",
        "confirms and confirm do not say the same",
        "polls and poll do not say the same",
        "polls more often than each ten seconds",
        "answer 404 tells the sender that it failed",
        "receive: garbage brings Forged, not Odd or Greeting",
    ],
    Believing: [
        "receive: garbage brings Incoming, not Forged",
        "read: garbage brings IndexError, not Odd or dict",
    ],
}


@pytest.mark.parametrize("connector", BROKEN, ids=lambda one: one.__name__)
def test_a_promise_that_is_broken_is_told(connector):
    name = "tight" if connector is Loose else connector.service
    settings = {"base_url": "https://example.com"} if connector in {Loose, Quiet} else {}
    told = promises(name, connector, settings)
    assert [one.split(": ", 1)[1] for one in told] == BROKEN[connector]
