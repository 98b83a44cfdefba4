"""After an answer that was lost, the engine does what the action's effect class says, against a real service."""

import json
from collections.abc import Iterator

import pytest

from connectors.base import variable_of
from tests.faults.calls import sample
from tests.faults.server import Service, serving

LOST = {"commit": True}
NEVER_CAME = {"commit": False}


class Vendor(Service):
    """Does what it is told, and breaks off the first call of `breaks` after it did it, or before."""

    def __init__(self, breaks: str, *, commit: bool) -> None:
        super().__init__({"GET /x": (200, {}), "PUT /x": (200, {}), "POST /x": (201, {})}, self._break_off)
        self.breaks, self.commit = breaks, commit
        self.did: list[str] = []
        self._wrong = breaks

    def _break_off(self, talk) -> None:
        self._wrong = None

    def _good(self, what, *, wrong):
        body = self.asked[-1].body
        if self.commit or not wrong:
            self.did += [what] if not what.startswith("GET") and "history" not in what else []
            self._keep(what, body)
        return super()._good(what, wrong=wrong)

    def _keep(self, what: str, body: bytes) -> None:
        if what == "POST /chat.postMessage":
            sent = {"ts": "1700000000.000100", **json.loads(body)}
            self.answers["POST /chat.postMessage"] = (200, {"ok": True, "ts": sent["ts"]})
            self.answers["POST /conversations.history"] = (200, {"ok": True, "messages": [sent]})

    @property
    def said(self) -> list[str]:
        return [one.what for one in self.asked]


@pytest.fixture
def begin(shop) -> Iterator:
    """A case whose only step calls the vendor, and later."""
    open_ = []

    def made(use: str, with_: dict, breaks: str, *, commit: bool, connector: str = "web", **settings: str) -> tuple:
        vendor = serving(Vendor(breaks, commit=commit))
        service = vendor.__enter__()
        open_.append(vendor)
        service.answers.setdefault("POST /conversations.history", (200, {"ok": True, "messages": []}))
        shop.connect("vendor", connector=connector, base_url=service.base_url, allow_loopback="true", **settings)
        shop.open([shop.machine("call", f"vendor.{use}", with_)])
        secrets = sample(connector).SECRETS
        shop.world.secrets = {variable_of("vendor", name): value for name, value in secrets.items()}
        shop.asks()
        shop.turns()
        for _ in range(4):
            shop.later(minutes=1)
        return service, shop

    yield made
    for one in open_:
        one.__exit__(None, None, None)


@pytest.mark.parametrize("lost", [LOST, NEVER_CAME], ids=["done", "not done"])
def test_a_read_is_asked_again(begin, lost):
    vendor, shop = begin("get", {"path": "/x"}, "GET /x", **lost)
    assert (vendor.said, shop.case()["outcome"]) == (["GET /x", "GET /x"], "done")


@pytest.mark.parametrize("lost", [LOST, NEVER_CAME], ids=["done", "not done"])
def test_what_replaces_is_sent_again(begin, lost):
    vendor, shop = begin("put", {"path": "/x", "body": "{{ name }}"}, "PUT /x", **lost)
    assert (vendor.said, shop.case()["outcome"]) == (["PUT /x", "PUT /x"], "done")
    assert shop.asked() == []


@pytest.mark.parametrize("lost", [LOST, NEVER_CAME], ids=["done", "not done"])
def test_what_has_a_key_is_sent_again_under_the_same(begin, lost):
    vendor, shop = begin(
        "post",
        {"path": "/x", "body": "{{ name }}"},
        "POST /x",
        idempotency_header="X-Key",
        idempotency_window="1d",
        **lost,
    )
    assert (vendor.said, shop.case()["outcome"]) == (["POST /x", "POST /x"], "done")
    assert len({one.headers["x-key"] for one in vendor.asked}) == 1


def _slack() -> dict:
    return {"connector": "slack", "channel": "C0DESK001"}


def test_what_can_be_asked_about_is_asked_about_and_not_sent_again(begin):
    vendor, shop = begin("post", {"text": "{{ name }}"}, "POST /chat.postMessage", **LOST, **_slack())
    assert vendor.said == ["POST /chat.postMessage", "POST /conversations.history"]
    assert (vendor.did, shop.case()["outcome"]) == (["POST /chat.postMessage"], "done")


def test_what_the_vendor_does_not_know_is_sent_again(begin):
    vendor, shop = begin("post", {"text": "{{ name }}"}, "POST /chat.postMessage", **NEVER_CAME, **_slack())
    assert vendor.said == ["POST /chat.postMessage", "POST /conversations.history", "POST /chat.postMessage"]
    assert (vendor.did, shop.case()["outcome"]) == (["POST /chat.postMessage"], "done")


@pytest.mark.parametrize("lost", [LOST, NEVER_CAME], ids=["done", "not done"])
def test_what_can_neither_is_sent_once_and_a_person_is_asked(begin, lost):
    vendor, shop = begin("post", {"path": "/x", "body": "{{ name }}"}, "POST /x", **lost)
    assert vendor.said == ["POST /x"]
    assert ([one["state"] for one in shop.effects()], [one["kind"] for one in shop.asked()]) == (
        ["in_doubt"],
        ["doubt"],
    )
