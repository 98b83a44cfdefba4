"""What is told of connections: their use, their health by the records, what they lack; and putting one in order."""

import json
import socket
import sys
import threading
import time
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.fernet import Fernet

from connectors.errors import NotConnected, Rejected
from connectors.testing import scripted
from flows.cli import app
from flows.engine.connections import connections
from flows.people import reconnect
from flows.people.links import open_links
from flows.screen import Refused
from flows.store import tables as t

FORM = {"event": "form.submitted", "connection": "form"}


@pytest.fixture(autouse=True)
def sealed(monkeypatch):
    """On PostgreSQL tokens are kept sealed."""
    monkeypatch.setenv("DIGILOG_SECRET_KEY", Fernet.generate_key().decode())


@pytest.fixture
def desk(shop, till):
    """Two tills of one kind, one of them used by a step, and a crm that has a secret."""
    del till
    for name in ("till", "other-till"):
        shop.connect(name, connector="till")
    shop.connect("sent", connector="webhook", event="form.submitted")
    shop.files["company"]["mediums"] = {"sms": "other-till", "team": "outbox"}
    shop.files["metrics"] = {
        "metrics": {"visits": {"label": "방문", "on": "apply", "source": {"use": "numbers.readings"}}}
    }
    return shop.open([shop.machine("call", "till.shout", {"what": "{{ name }}"})], start=FORM)


def known(shop):
    with shop.store.read() as session:
        return {one.name: one for one in connections(session, shop.world)}


def test_what_a_connection_is_used_for_is_told(desk):
    found = known(desk)
    assert found["till"].used_for == ("visit: shout at call",)
    assert found["other-till"].used_for == ("sends sms",)
    assert found["form"].used_for == ("starts visit",)
    assert found["numbers"].used_for == ("brings visits",)
    assert found["sheet"].used_for == ()


def test_what_is_missing_is_named_with_its_variable_and_place(desk):
    (lack,) = known(desk)["sent"].missing
    assert lack.variable == "DIGILOG_CONNECTIONS__SENT__SIGNING_SECRETS"
    assert "the sender shows it beside the webhook's address" in lack.where
    assert known(desk)["sent"].health == "not connected"


def test_health_is_what_the_records_say(desk, till):
    assert known(desk)["till"].health == "not tried yet"
    desk.asks()
    desk.turns()
    assert (known(desk)["till"].health, known(desk)["till"].fared.good) == ("well", desk.clock.now())
    desk.clock.set(desk.moment("2026-11-23 11:00"))
    till.faults = [Rejected("the till is locked")]
    desk.asks("k2", phone="010-2222-3333")
    desk.turns()
    bad = known(desk)["till"]
    assert (bad.health, bad.fared.bad, bad.fared.reason) == ("failing", desk.clock.now(), "the till is locked")
    assert known(desk)["other-till"].health == "not tried yet"


def test_a_call_that_waits_for_a_service_that_is_down_counts(desk, till):
    till.down = True
    desk.asks()
    desk.turns()
    down = known(desk)["till"]
    assert (down.health, down.fared.reason, down.fared.waiting) == ("failing", "the till is down", 1)


def test_a_paused_connection_says_why_and_how_many_wait(desk, till, digilog):
    till.faults = [NotConnected("the key is refused", next_step="make a new key")]
    desk.asks()
    desk.turns()
    told = digilog("connections")
    assert "paused" in told
    assert "till: paused: the key is refused; make a new key; 1 calls wait" in told
    assert "digilog connect NAME" in told


def test_the_list_breaks_no_word_in_a_narrow_terminal(shop, till, digilog, monkeypatch):
    del till
    monkeypatch.setenv("COLUMNS", "80")
    shop.connect("till-of-the-shop-beside-the-station", connector="till")
    call = shop.machine("call", "till-of-the-shop-beside-the-station.shout", {"what": "{{ name }}"})
    shop.open([call], start=FORM)
    told = digilog("connections").splitlines()
    assert any(line.endswith("not tried yet") for line in map(str.strip, told))
    assert any(
        line.split() == ["till-of-the-shop-beside-the-station", "visit:", "shout", "at", "call"] for line in told
    )
    assert max(map(len, told)) <= 80


def test_the_list_is_there_for_programs_too(desk, digilog):
    desk.asks()
    desk.turns()
    told = {one["name"]: one for one in json.loads(digilog("connections", "--json"))}
    assert (told["till"]["health"], told["till"]["used_for"]) == ("well", ["visit: shout at call"])
    assert told["sent"]["missing"][0]["variable"] == "DIGILOG_CONNECTIONS__SENT__SIGNING_SECRETS"


def test_two_accounts_of_one_service_fare_each_for_itself(desk, till):
    del till
    one, other = (desk.world.connection(name) for name in ("till", "other-till"))
    assert type(one) is type(other)
    assert (one.name, other.name) == ("till", "other-till")
    with desk.store.write() as session:
        reconnect.pause(session, "other-till", NotConnected("refused"), desk.clock.now())
    desk.asks()
    desk.turns()
    assert (known(desk)["till"].health, known(desk)["other-till"].health) == ("well", "paused")


def test_what_is_missing_is_told_with_the_clicks(desk, digilog):
    with pytest.raises(Refused) as told:
        digilog("connect", "sent")
    lines = str(told.value).splitlines()
    assert lines[0] == "digilog: sent is not connected yet"
    assert lines[1].startswith("  DIGILOG_CONNECTIONS__SENT__SIGNING_SECRETS is not set; ")
    assert lines[2].startswith("  1. At the sender")


def test_the_clicks_hold_the_address_before_there_is_a_secret(desk, digilog):
    with pytest.raises(Refused) as told:
        digilog("connect", "sent")
    assert "http://127.0.0.1:4080/in/sent" in str(told.value)
    assert "digilog connect NAME" not in str(told.value)


def test_what_has_no_clicks_is_one_sentence(shop, digilog):
    shop.connect("numbers", connector="csv", file="ads.csv")
    shop.open([shop.person("call")])
    with pytest.raises(Refused, match=r"^numbers: ads\.csv is not there"):
        digilog("connect", "numbers")


def test_a_case_says_that_it_waits_for_a_paused_connection(desk, till, digilog):
    till.faults = [NotConnected("the key is refused", next_step="make a new key")]
    desk.asks()
    desk.turns()
    (case,) = desk.all(t.case)
    told = digilog("case", case["id"])
    assert "till.shout waits for its connection: digilog connect till" in told
    assert "is tried again" not in told


def test_help_says_what_each_option_is(desk, digilog):
    assert "as in company.yaml" in digilog("connect", "--help")
    assert "give back the room" in digilog("store", "--help")


def test_a_name_that_is_no_connection_is_answered_with_the_nearest(desk, digilog):
    with pytest.raises(Refused, match=r"tilt is no connection of company\.yaml; did you mean till"):
        digilog("connect", "tilt")


def test_a_sender_is_told_where_to_send(desk, digilog, monkeypatch):
    monkeypatch.setenv("DIGILOG_CONNECTIONS__SENT__SIGNING_SECRETS", "whsec_c2VjcmV0c2VjcmV0")
    told = digilog("connect", "sent")
    assert "http://127.0.0.1:4080/in/sent" in told
    assert "set DIGILOG_PUBLIC_URL" in told
    monkeypatch.setenv("DIGILOG_PUBLIC_URL", "https://onda.example")
    told = digilog("connect", "sent")
    assert "https://onda.example/in/sent" in told
    assert "set DIGILOG_PUBLIC_URL" not in told


def test_a_sender_that_does_not_sign_gets_a_door_of_its_own(shop, digilog, monkeypatch):
    monkeypatch.setenv("DIGILOG_CONNECTIONS__PAY__SECRET_KEY", "test_sk_x")
    with scripted({"GET /v1/transactions": (200, [])}) as service:
        shop.connect("pay", connector="toss", base_url=service.base_url, allow_loopback="true")
        shop.open([shop.person("call")])
        told = digilog("connect", "pay")
    assert f"/in/pay/{open_links(shop.home, '').door('pay')}" in told
    assert "keep it to yourself" in told


def test_a_connection_that_works_again_goes_on(desk, till, digilog):
    till.faults = [NotConnected("the key is refused")]
    desk.asks()
    desk.turns()
    assert desk.all(t.connection)[0]["paused"]
    assert "till was paused; what waited for it goes on" in digilog("connect", "till")
    desk.turns()
    assert (known(desk)["till"].health, till.calls[-1]) == ("well", "shout")


class Typing:
    """A person at the terminal, who pastes nothing until told to."""

    def __init__(self):
        self._line, self._there = "", threading.Event()

    def paste(self, line):
        self._line = line
        self._there.set()

    def __iter__(self):
        self._there.wait(20)
        return iter([self._line + "\n"])


@pytest.fixture
def asked(shop, diary, monkeypatch, capsys):
    """Starts `digilog connect diary`, and brings the page that the person is to open."""
    del diary
    person = Typing()
    monkeypatch.setattr(sys, "stdin", person)
    monkeypatch.setenv("DIGILOG_CONNECTIONS__DIARY__CLIENT_SECRET", "app-secret")
    ended = []

    def start(service, *more):
        shop.connect("diary", connector="diary", base_url=service.base_url, allow_loopback="true", client_id="app")
        shop.open([shop.person("call")])
        shop.world.secrets = {"DIGILOG_CONNECTIONS__DIARY__CLIENT_SECRET": "app-secret"}

        def run():
            try:
                app(["connect", "diary", *more, "--home", str(shop.home), "--playbooks", str(shop.folder)],
                    exit_on_error=False)  # fmt: skip
                ended.append(None)
            except Refused as error:
                ended.append(str(error))

        thread = threading.Thread(target=run, daemon=True)  # a test that fails leaves it waiting
        thread.start()
        until = time.monotonic() + 20
        said = ""
        while "paste" not in said and time.monotonic() < until and thread.is_alive():
            said += capsys.readouterr().out
            time.sleep(0.01)
        page = next(line for line in said.splitlines() if "authorize" in line).strip()
        return page, person, lambda: (thread.join(20), ended)[1]

    return start


def back(page, **more):
    """The address that the service sends the browser to."""
    told = {name: value[0] for name, value in parse_qs(urlsplit(page).query).items()}
    answer = {"state": told["state"], "code": "the-code", **more}
    return told["redirect_uri"] + "?" + "&".join(f"{name}={value}" for name, value in answer.items())


TOKEN = {"access_token": "first", "refresh_token": "back-1", "expires_in": 3600}


def test_consent_comes_back_to_this_computer(shop, asked):
    with scripted({"POST /token": (200, TOKEN), "GET /me": (200, {"who": "han"})}) as service:
        page, _, end = asked(service)
        assert (known(shop)["diary"].health, known(shop)["diary"].unconsented) == ("not connected", True)
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(back(page).replace("/callback", "/other"), timeout=5)
        assert b"close this page" in urllib.request.urlopen(back(page), timeout=5).read()
        assert end() == [None]
    sent = parse_qs(service.asked[0].body.decode())
    assert (sent["code"], sent["client_secret"]) == (["the-code"], ["app-secret"])
    assert service.asked[1].headers["authorization"] == "Bearer first"
    assert (known(shop)["diary"].health, known(shop)["diary"].unconsented) == ("not tried yet", False)
    if shop.store.shared:
        assert len(shop.all(t.token)) == 1
    else:
        assert (shop.home / "secrets" / "diary.token.json").stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_browser_opens_ahead_and_says_nothing_on_keeps_no_consent_waiting(asked):
    with scripted({"POST /token": (200, TOKEN), "GET /me": (200, {"who": "han"})}) as service:
        page, _, end = asked(service)
        with socket.create_connection(("127.0.0.1", urlsplit(parse_qs(urlsplit(page).query)["redirect_uri"][0]).port)):
            assert b"close this page" in urllib.request.urlopen(back(page), timeout=5).read()
            assert end() == [None]


def test_consent_can_be_pasted_where_there_is_no_browser(asked):
    with scripted({"POST /token": (200, TOKEN), "GET /me": (200, {"who": "han"})}) as service:
        page, person, end = asked(service)
        person.paste(back(page))
        assert end() == [None]


def test_an_answer_to_another_question_is_left_aside(asked):
    with scripted({"POST /token": (200, TOKEN), "GET /me": (200, {"who": "han"})}) as service:
        page, person, end = asked(service)
        urllib.request.urlopen(back(page, state="stolen", code="evil"), timeout=5).read()
        person.paste(back(page))
        assert end() == [None]
    assert [parse_qs(one.body.decode()).get("code") for one in service.asked] == [["the-code"], None]


def test_a_consent_that_is_refused_is_told(asked):
    with scripted({}) as service:
        page, person, end = asked(service)
        person.paste(back(page, error="access_denied").replace("code=the-code", "x=y"))
        (told,) = end()
    assert "the consent was refused" in told


def test_a_consent_that_ended_is_told_with_what_to_run(asked, shop):
    with scripted({"POST /token": [(200, {**TOKEN, "expires_in": 1}), (400, {"error": "invalid_grant"})]}) as service:
        page, person, end = asked(service)
        person.paste(back(page))
        (told,) = end()
    assert "digilog connect diary" in told
    assert shop.world.connection("diary").consented_before


def test_a_key_that_is_refused_is_told_with_the_clicks(shop, digilog, monkeypatch):
    monkeypatch.setenv("DIGILOG_CONNECTIONS__PAY__SECRET_KEY", "test_sk_x")
    with scripted({"GET /v1/transactions": (401, {})}) as service:
        shop.connect("pay", connector="toss", base_url=service.base_url, allow_loopback="true")
        shop.open([shop.person("call")])
        with pytest.raises(Refused) as told:
            digilog("connect", "pay")
    assert str(told.value).startswith("digilog: pay: the service refused the credentials (401)")
    assert "  1. Open developers.tosspayments.com" in str(told.value)
    assert "test_sk_x" not in str(told.value)
