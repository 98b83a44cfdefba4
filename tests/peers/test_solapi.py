"""Solapi in front of a service that believes only what Solapi's own library signs, understands and reads back."""

from contextlib import closing

import pytest
from solapi.services.message_service import SolapiMessageService

from connectors.base import variable_of
from connectors.errors import NotConnected, Uncertain
from connectors.messaging.solapi import Solapi
from tests.connectors.samples import solapi as sample
from tests.peers.losing import losing_answers
from tests.peers.office import office

PEER = "solapi 5.0.3, its models and its signatures"


def texts(base_url, secret=sample.SECRETS["api_secret"]):
    settings = {**sample.SETTINGS, "base_url": base_url, "allow_loopback": True}
    environ = {
        variable_of("texts", "api_key"): sample.SECRETS["api_key"],
        variable_of("texts", "api_secret"): secret,
    }
    return closing(Solapi.connect("texts", settings, environ=environ))


def send(connection, key, medium="alimtalk", **more):
    return connection.call("send", sample.ACTIONS["send"] | {"medium": medium} | more, key=key)


@pytest.mark.verifies("solapi.send", peer=PEER)
@pytest.mark.verifies("solapi.find", peer=PEER)
def test_a_message_is_read_back_by_solapis_library_and_found_by_its_mark():
    with office() as solapi, texts(solapi.base_url) as connection:
        sent = send(connection, "case-1/confirm")
        library = SolapiMessageService(sample.SECRETS["api_key"], sample.SECRETS["api_secret"])
        library.base_url = solapi.base_url
        (one,) = library.get_messages().message_list.values()
        assert one.message_id == sent["id"]
        assert one.custom_fields == {"digilog": "case-1/confirm"}
        assert one.kakao_options is not None
        assert (one.kakao_options.disable_sms, one.kakao_options.variables) == (True, {"#{이름}": "김하나"})
        assert connection.call("find", {}, key="case-1/confirm")["id"] == sent["id"]
        assert connection.call("find", {}, key="case-1/other") is None


def test_a_message_whose_answer_was_lost_is_found_and_not_sent_twice():
    with office() as solapi, texts(solapi.base_url) as connection:
        with losing_answers(solapi.port) as lossy, texts(lossy) as broken, pytest.raises(Uncertain):
            send(broken, "case-2/confirm", "sms", text="예약이 확정되었습니다")
        found = connection.call("find", {}, key="case-2/confirm")
        assert list(solapi.kept) == [found["id"]]


def test_a_message_is_found_behind_a_thousand_others():
    with office() as solapi, texts(solapi.base_url) as connection:
        sent = send(connection, "case-3/confirm")
        for number in range(1100):
            solapi.take({"messages": [{"to": "01000000000", "customFields": {"digilog": f"noise/{number}"}}]})
        assert connection.call("find", {}, key="case-3/confirm")["id"] == sent["id"]


def test_a_wrong_secret_is_told_as_what_it_is():
    with office() as solapi, texts(solapi.base_url, "another") as connection, pytest.raises(NotConnected):
        send(connection, "case-4/confirm")
    assert solapi.kept == {}
