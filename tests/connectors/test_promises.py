"""The promises that every registered connector keeps, ours and other people's."""

from importlib.util import find_spec

import pytest

from connectors.registry import UnknownConnector, connectors, find, names
from connectors.testing import promises

SETTINGS = {
    "email": {"host": "mail.example.com", "username": "shop", "sender": "shop@example.com"},
    "excel": {"file": "a.xlsx"},
    "csv": {"file": "a.csv"},
    "web": {"base_url": "https://example.com"},
}
BUILT_IN = {"ledger", "metrics", "message", "team"}


@pytest.mark.parametrize("name", sorted(set(names()) - BUILT_IN))
def test_a_connector_keeps_every_promise(name):
    assert promises(name, find(name), SETTINGS.get(name)) == []


def test_the_built_in_verbs_are_reached_by_name():
    assert set(names()) >= BUILT_IN


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UnknownConnector, match=r"emial: no such connector; did you mean email\?"):
        find("emial")
    assert "nonsense" not in connectors()


def test_a_promise_that_is_broken_is_told():
    assert find_spec("connectors.web") is not None
    web = find("web")

    class Loose(web):
        service = "loose"
        events = ("paid",)

    Loose.__doc__ = None
    told = promises("tight", Loose, {"base_url": "https://example.com"})
    assert [one.split(": ", 1)[1] for one in told] == [
        "the class has no docstring",
        "service is 'loose', registered is 'tight'",
        "paid: an event's name is noun.verb",
    ]
