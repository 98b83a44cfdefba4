"""Consent becomes tokens; a token is renewed once, kept before it is used, and its end is told in words."""

import stat
import threading
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.errors import NotConnected, Rejected, Unavailable
from connectors.oauth import OAuth
from connectors.testing import scripted
from connectors.tokens import FileVault

SECRET = "app-secret-77"
FIRST = {"access_token": "first", "refresh_token": "back-1", "expires_in": 3600}
SECOND = {"access_token": "second", "refresh_token": "back-2", "expires_in": 3600}
OLD = {"access_token": "old", "refresh_token": "back-0", "until": "2020-01-01T00:00:00+00:00"}


class Diary(OAuth):
    """A diary."""

    service: ClassVar[str] = "diary"
    room: ClassVar[str] = "spreadsheets"
    authorize_url: ClassVar[str] = "https://diary.example/authorize"
    token_url: ClassVar[str] = "https://diary.example/token"
    scopes: ClassVar[tuple[str, ...]] = ("read", "write")


@pytest.fixture
def diary(tmp_path):
    """Makes a connection to a service that answers its token endpoint by script; `many` share one vault."""
    made = []

    def connect(service, name="diary"):
        settings = {"base_url": service.base_url, "allow_loopback": True, "client_id": "app-1"}
        environ = {f"DIGILOG_CONNECTIONS__{name.upper()}__CLIENT_SECRET": SECRET}
        made.append(Diary.connect(name, settings, environ=environ, home=tmp_path))
        return made[-1]

    yield connect
    for one in made:
        one.close()


@pytest.fixture
def vault(tmp_path):
    return FileVault(tmp_path / "secrets")


def asked(service):
    return [{name: value[0] for name, value in parse_qs(one.body.decode()).items()} for one in service.asked]


def test_consent_is_asked_with_state_and_proof_and_its_code_becomes_kept_tokens(diary, vault):
    with scripted({"POST /token": (200, FIRST)}) as service:
        connection = diary(service)
        consent = connection.consent("http://127.0.0.1:9/callback")
        told = {name: value[0] for name, value in parse_qs(urlsplit(consent.url).query).items()}
        assert (told["client_id"], told["scope"], told["state"]) == ("app-1", "read write", consent.state)
        assert (told["code_challenge_method"], len(told["code_challenge"])) == ("S256", 43)
        assert consent.verifier not in consent.url
        assert SECRET not in consent.url
        connection.consented(consent, "the-code")
        assert connection.access_token() == "first"
    (sent,) = asked(service)
    assert (sent["code"], sent["code_verifier"], sent["client_secret"]) == ("the-code", consent.verifier, SECRET)
    assert vault.load("diary")["refresh_token"] == "back-1"


def test_a_consent_that_brings_no_way_back_is_refused(diary):
    with scripted({"POST /token": (200, {"access_token": "first"})}) as service:
        connection = diary(service)
        with pytest.raises(Rejected, match="no token to come back with"):
            connection.consented(connection.consent("http://127.0.0.1:9/callback"), "the-code")


def test_a_token_that_ends_is_renewed_before_and_the_new_way_back_is_kept(diary, vault):
    vault.save("diary", OLD)
    with scripted({"POST /token": [(200, {**FIRST, "expires_in": 59}), (200, SECOND)]}) as service:
        connection = diary(service)
        assert connection.access_token() == "first"
        assert connection.access_token() == "second"  # less than a minute is not begun with
        assert connection.access_token() == "second"
    assert [one["refresh_token"] for one in asked(service)] == ["back-0", "back-1"]
    assert vault.load("diary")["refresh_token"] == "back-2"


def test_a_way_back_that_is_not_told_anew_stays(diary, vault):
    vault.save("diary", OLD)
    with scripted({"POST /token": (200, {"access_token": "first", "expires_in": "3600"})}) as service:
        assert diary(service).access_token() == "first"
    assert vault.load("diary")["refresh_token"] == "back-0"


def test_what_cannot_be_kept_is_not_used(diary, vault, tmp_path):
    vault.save("diary", OLD)

    class Full(FileVault):
        def save(self, name, token):
            del token
            raise Unavailable("no room", connection=name)

    with scripted({"POST /token": (200, FIRST)}) as service:
        connection = diary(service)
        connection._vault = Full(tmp_path / "secrets")
        with pytest.raises(Unavailable):
            connection.access_token()
        assert connection._token == {}


def test_many_threads_and_connections_renew_once(diary, vault):
    vault.save("diary", OLD)
    with scripted({"POST /token": (200, FIRST)}) as service:
        connections = [diary(service) for _ in range(3)]
        found = []
        threads = [threading.Thread(target=lambda one=one: found.append(one.access_token())) for one in connections * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == ["first"] * 12
    assert len(service.asked) == 1


def test_a_token_refused_before_its_time_is_renewed_once(diary, vault):
    with scripted({"POST /token": [(200, FIRST), (200, SECOND)]}) as service:
        vault.save("diary", OLD)
        one, other = diary(service), diary(service)
        assert (one.access_token(), other.access_token()) == ("first", "first")
        assert (one.access_token(fresh=True), other.access_token(fresh=True)) == ("second", "second")
    assert len(service.asked) == 2


@pytest.mark.parametrize(
    ("status", "data", "kind", "told"),
    [
        (400, {"error": "invalid_grant"}, NotConnected, r"withdrawn \(run: digilog connect diary\)"),
        (401, {"error": "invalid_client"}, NotConnected, "does not know this client_id"),
        (400, "<html>", NotConnected, "gives no token"),
        (404, {}, NotConnected, "refused .404."),  # nothing is wrong with what the step asks for
        (302, {}, NotConnected, "not followed"),
        (503, {}, Unavailable, "come later"),
        (500, {}, Unavailable, "failed"),  # the step's own call never left: it is not uncertain
        (200, "<html>", Unavailable, "no JSON"),
        (200, {}, Unavailable, "no token"),
        (200, {"access_token": "a\r\nb"}, Unavailable, "no token"),
    ],
)
def test_what_a_refused_renewal_means_is_told(diary, vault, status, data, kind, told):
    vault.save("diary", OLD)
    with scripted({"POST /token": (status, data)}) as service, pytest.raises(kind, match=told) as raised:
        diary(service).access_token()
    assert raised.value.connection == "diary"
    assert not any(secret in str(raised.value) for secret in (SECRET, "back-0", "127.0.0.1"))
    assert vault.load("diary") == OLD


def test_without_consent_the_next_step_is_named(diary):
    with scripted({}) as service, pytest.raises(NotConnected, match="nobody has given consent yet") as raised:
        diary(service).access_token()
    assert raised.value.next_step == "run: digilog connect diary"
    assert not service.asked


def test_tokens_lie_where_only_their_owner_can_read_them(vault, tmp_path):
    vault.save("diary", FIRST)
    (file,) = [one for one in (tmp_path / "secrets").iterdir() if not one.name.startswith(".")]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert (vault.load("diary"), vault.load("other")) == (FIRST, None)


def test_a_damaged_token_file_is_told(vault, tmp_path):
    vault.save("diary", FIRST)
    (tmp_path / "secrets" / "diary.token.json").write_text("{")
    with pytest.raises(NotConnected, match="connect again: digilog connect diary"):
        vault.load("diary")


def test_two_accounts_of_one_service_keep_apart(diary, vault):
    with scripted({"POST /token": [(200, FIRST), (200, SECOND)]}) as service:
        for name in ("seoul", "busan"):
            vault.save(name, OLD)
        assert [diary(service, name).access_token() for name in ("seoul", "busan")] == ["first", "second"]
    assert (vault.load("seoul")["access_token"], vault.load("busan")["access_token"]) == ("first", "second")
