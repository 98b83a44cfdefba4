"""Any web service: its paths, its keys, and nothing beside it."""

import pytest

from connectors.errors import NotConnected, Rejected, Uncertain
from connectors.testing import scripted
from connectors.web import Web


@pytest.fixture
def service():
    answers = {
        "GET /api/members/1": (200, {"name": "김"}),
        "POST /api/visits": (201, {"id": 1}),
        "PUT /api/members/1": (204, ""),
        "POST /api/text": (200, "thanks"),
    }
    with scripted(answers) as script:
        yield script


def connect(service, environ=None, **settings):
    given = {"base_url": f"{service.base_url}/api", "allow_loopback": "yes", **settings}
    return Web.connect("crm", given, environ=environ or {})


def test_data_goes_out_and_comes_back_plain(service):
    web = connect(service, {"DIGILOG_CONNECTIONS__CRM__TOKEN": "hush"})
    assert web.call("get", {"path": "/members/1", "params": {"q": "가"}}) == {"status": 200, "data": {"name": "김"}}
    assert web.call("post", {"path": "visits", "body": {"a": "나"}}, key="k")["data"] == {"id": 1}
    assert web.call("put", {"path": "/members/1", "body": {}})["data"] is None
    assert web.call("post", {"path": "/text"}, key="k")["data"] == "thanks"
    assert web.call("delete", {"path": "/members/2"})["status"] == 404
    assert service.asked[1].json() == {"a": "나"}
    assert {one.headers["authorization"] for one in service.asked} == {"Bearer hush"}
    assert all("idempotency-key" not in one.headers for one in service.asked)
    web.close()


def test_a_key_travels_where_the_service_names_its_header(service):
    web = connect(service, idempotency_header="X-Once")
    for key in ("case-1/step", "가" * 300):
        web.call("post", {"path": "/visits"}, key=key)
    assert service.asked[0].headers["x-once"] == "case-1/step"
    assert len(service.asked[1].headers["x-once"]) == 64
    assert Web.actions()["post"].effect == "once"
    assert Web.actions({"idempotency_header": "X-Once"})["post"].effect == "keyed"
    web.close()


def test_a_web_page_is_no_answer(faults):
    web = Web.connect("crm", {"base_url": faults.base_url, "allow_loopback": "yes"}, environ={})
    with pytest.raises(Rejected):
        web.call("get", {"path": "/html"})
    with pytest.raises(Uncertain) as caught:
        web.call("post", {"path": "/html"}, key="k")
    assert caught.value.connection == "crm"
    web.close()


@pytest.mark.parametrize("path", ["../members", "/../../x", "http://127.0.0.1/x", "//x", "/a?b"])
def test_a_path_stays_under_the_base_url(service, path):
    with pytest.raises(Rejected):
        connect(service).call("delete", {"path": path})
    assert service.asked == []


def test_this_machine_is_not_called_unless_the_connection_says_so(service):
    with pytest.raises(NotConnected, match="https"):
        connect(service, allow_loopback="no").call("get", {"path": "/"})
