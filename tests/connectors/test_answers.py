"""What a vendor documents about its refusals goes before what statuses usually mean."""

from typing import Any, ClassVar

import pytest

from connectors.answers import codes
from connectors.base import Connector, action
from connectors.errors import ConnectorError, NotConnected, Rejected, Unavailable, Uncertain
from connectors.http import Http
from connectors.testing import scripted

MEANING = {
    402: (NotConnected, "the account has no credit"),
    (400, "BUSY"): (Unavailable, "the service is closed at this hour"),
    (400, "MAYBE"): (Uncertain, "the bank had a fault"),
    (400, "190"): (NotConnected, "the token has ended"),
    (401, "locked"): (Rejected, "this member is locked"),
}
SHAPES = [
    {"code": "BUSY"}, {"error": {"code": "BUSY"}}, {"error": "BUSY"}, {"errors": [{"reason": "BUSY"}]},
    {"error": {"status": "X", "details": [{"reason": "BUSY"}]}}, {"errorCode": "BUSY", "message": "secret words"},
]  # fmt: skip


def refused(status: int, data: object, *, write: bool) -> ConnectorError:
    with scripted({"POST /a": (status, data)}) as service:
        http = Http(service.base_url, allow_loopback=True)
        with pytest.raises(ConnectorError) as raised:
            http.post("/a", {}, write=write, meaning=MEANING)
        http.close()
    return raised.value


@pytest.mark.parametrize(
    ("status", "data", "write", "kind", "reason"),
    [
        (402, {}, True, NotConnected, "the account has no credit"),
        (400, {"code": "BUSY"}, True, Unavailable, "the service is closed at this hour"),
        (400, {"code": "MAYBE"}, True, Uncertain, "the bank had a fault"),
        (400, {"code": "MAYBE"}, False, Unavailable, "the bank had a fault"),  # a read changed nothing
        (400, {"error": {"type": "OAuthException", "code": 190}}, True, NotConnected, "the token has ended"),
        (401, {"error": "locked"}, True, Rejected, "this member is locked"),
        (400, {"code": "010-1234-5678"}, True, Rejected, "the service refused (400)"),
        (400, "<html>BUSY</html>", True, Rejected, "the service refused (400)"),
        (401, {"code": "other"}, True, NotConnected, "the service refused the credentials (401)"),
        (500, {"code": "BUSY"}, True, Uncertain, "the service failed (500)"),
    ],
)
def test_a_refusal_means_what_the_vendor_documents(status, data, write, kind, reason):
    error = refused(status, data, write=write)
    assert (type(error), error.reason) == (kind, reason)


@pytest.mark.parametrize("data", SHAPES, ids=str)
def test_the_code_is_found_wherever_vendors_write_it(data):
    assert refused(400, data, write=True).reason == "the service is closed at this hour"


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"null", b'{"code": true}', b'{"error": null}', b"\xff"])
def test_a_body_without_a_code_has_none(content):
    assert codes(content) == []


class Vendor(Connector):
    """Tells its errors in a 200."""

    service: ClassVar[str] = "vendor"

    @staticmethod
    def refusal(answer: Any) -> ConnectorError | None:
        said = answer.json().get("error")
        return {"away": Unavailable("away"), "maybe": Uncertain("who knows"), "no": Rejected("no")}.get(said)

    @action(effect="once")
    def write(self, *, key: str) -> str:
        """Write."""
        del key
        return str(self.http.post("/a", {}).json()["ok"])

    @action
    def look(self) -> str:
        """Look."""
        return str(self.http.get("/a").json()["ok"])


@pytest.mark.parametrize(
    ("said", "write", "look"),
    [("away", Unavailable, Unavailable), ("maybe", Uncertain, Unavailable), ("no", Rejected, Rejected)],
)
def test_an_error_inside_a_200_is_an_error(said, write, look):
    with scripted({"POST /a": (200, {"error": said}), "GET /a": (200, {"error": said})}) as service:
        vendor = Vendor.connect("v", {"base_url": service.base_url, "allow_loopback": True}, environ={})
        with pytest.raises(write):
            vendor.call("write", {}, key="k")
        with pytest.raises(look):
            vendor.call("look", {})
        vendor.close()
    assert len([one for one in service.asked if one.method == "POST"]) == 1


def test_an_answer_without_an_error_inside_is_an_answer():
    with scripted({"GET /a": (200, {"ok": "yes"})}) as service:
        vendor = Vendor.connect("v", {"base_url": service.base_url, "allow_loopback": True}, environ={})
        assert vendor.call("look", {}) == "yes"
        vendor.close()
