"""Senders that do not sign: a path that only the service was told, and nothing comes of what they say unasked."""

import importlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from slack_sdk.signature import SignatureVerifier
from sqlalchemy import update

from connectors import registry
from flows.store import tables as t
from flows.store.write import UNCONFIRMED
from tests.web.conftest import COMPANY, Door, open_door

VENDOR = Path(__file__).parents[1] / "engine" / "vendor"
MORE = """\
  till: {connector: knock}
  desk: {connector: slack, channel: C0ONE}
"""
RAW = b'{"id": "p1", "amount": "1"}'


@pytest.fixture
def till(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """A door with a connection `till` whose sender does not sign, and `desk`, which is Slack."""
    monkeypatch.syspath_prepend(str(VENDOR))
    registry._entries.cache_clear()
    registry.find.cache_clear()
    importlib.import_module("asked_vendor")
    monkeypatch.setattr("tests.web.conftest.COMPANY", f"{COMPANY}{MORE}")
    monkeypatch.setenv("DIGILOG_CONNECTIONS__DESK__TOKEN", "xoxb-1")
    monkeypatch.setenv("DIGILOG_CONNECTIONS__DESK__SIGNING_SECRETS", "hush")
    with open_door(tmp_path) as found:
        yield found
    registry._entries.cache_clear()
    registry.find.cache_clear()


def test_only_who_knows_the_long_path_comes_in_and_waits_to_be_confirmed(till: Door) -> None:
    token = till.context.world.links.door("till")
    assert len(token) == 32
    reply = till.ask("POST", f"/in/till/{token}", RAW)
    assert (reply.status, reply.text) == (200, "accepted\n")
    assert till.ask("POST", f"/in/till/{token}", RAW).text == "known already\n"
    (event,) = till.events()
    assert (event["key"], event["state"]) == ("p1", "unconfirmed")
    till.work()
    assert till.events()[0]["state"] == "unconfirmed"


def test_what_was_not_so_when_it_was_told_first_is_asked_again_when_it_is_told_again(till: Door) -> None:
    door = f"/in/till/{till.context.world.links.door('till')}"
    till.ask("POST", door, b'{"id": "p1", "amount": "forged"}')
    for state, reason in (("quarantined", f"{UNCONFIRMED}the service knows nothing of it"), ("discarded", "by han")):
        with till.store.write() as session:
            session.execute(update(t.event).values(state=state, reason=reason))
        assert till.ask("POST", door, RAW).text == "known already\n"
        (event,) = till.events()
        assert event["state"] == ("unconfirmed" if state == "quarantined" else "discarded")
    assert till.rows(t.private_event.select())[0]["body"] == RAW


@pytest.mark.parametrize("path", ["/in/till", "/in/till/", "/in/till/x", "/in/partner/{own}", "/in/unset/{own}"])
def test_every_other_path_is_nothing(till: Door, path: str) -> None:
    own = till.context.world.links.door(path.split("/")[2])
    assert till.ask("POST", path.format(own=own), RAW).status == 404
    other = till.context.world.links.door("partner")
    assert till.ask("POST", f"/in/till/{other}", RAW).status == 404
    assert till.events() == []


def test_the_path_is_another_in_every_home(till: Door, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with open_door(tmp_path / "other") as other:
        assert other.context.world.links.door("till") != till.context.world.links.door("till")


def test_a_handshake_is_answered_in_the_vendors_words_and_nothing_is_kept(till: Door) -> None:
    raw = json.dumps({"type": "url_verification", "challenge": "<b>word</b>"}).encode()
    at = str(int(time.time()))
    signed = SignatureVerifier("hush").generate_signature(timestamp=at, body=raw)
    headers = {"x-slack-request-timestamp": at, "x-slack-signature": signed, "content-type": "application/json"}
    reply = till.ask("POST", "/in/desk", raw, headers)
    assert (reply.status, reply.text) == (200, "<b>word</b>")
    assert reply.headers["content-type"].startswith("text/plain")
    assert till.ask("POST", "/in/desk", raw, headers | {"x-slack-signature": signed[:-1]}).status == 401
    assert till.events() == []
