"""Tokens in the database: sealed, readable by all engines that have the key, and refreshed by one of them."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs

import pytest

from connectors.errors import NotConnected, Unavailable
from connectors.oauth import OAuth
from flows.store.store import open_store
from flows.store.tokens import DatabaseVault

KEY, NEXT = "k" * 32, "n" * 40
ENDED = {"access_token": "first", "refresh_token": "once-only-1", "until": "2020-01-01T00:00:00+00:00"}


@pytest.fixture
def engines(server, tmp_path):
    """The vaults of two engines on one database."""
    url = server.make("migrated")
    stores = [open_store(tmp_path / str(number), url) for number in range(2)]
    yield [DatabaseVault(store, KEY) for store in stores]
    for store in stores:
        store.close()
    server.drop(url)


@pytest.fixture
def issuer():
    """A token endpoint whose refresh tokens are good once."""

    class Issuer(BaseHTTPRequestHandler):
        asked: ClassVar[list[str]] = []

        def do_POST(self):
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            self.asked.append(form["refresh_token"][0])
            time.sleep(0.2)  # both engines are here by now, if they do not wait for one another
            number, good = len(self.asked) + 1, self.asked.count(self.asked[-1]) == 1
            told = {"access_token": f"token-{number}", "refresh_token": f"once-only-{number}", "expires_in": 3600}
            raw = json.dumps(told if good else {"error": "invalid_grant"}).encode()
            self.send_response(200 if good else 400)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_):
            pass

    served = ThreadingHTTPServer(("127.0.0.1", 0), Issuer)
    threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield served.server_address[1], Issuer.asked
    served.shutdown()
    served.server_close()


def connection(vault, port):
    class Consented(OAuth):
        """A service that wants consent."""

        service = "consented"
        token_url = f"http://127.0.0.1:{port}/token"

        def _tokens_at(self):
            return self.token_url

    settings = {"client_id": "app", "allow_loopback": "true"}
    secret = {"DIGILOG_CONNECTIONS__ALBUM__CLIENT_SECRET": "hush"}
    return Consented.connect("album", settings, environ=secret, vault=vault)


def test_two_engines_refresh_once_and_both_have_the_new_token(engines, issuer):
    port, asked = issuer
    engines[0].save("album", ENDED)
    made, found = [connection(vault, port) for vault in engines], []
    threads = [threading.Thread(target=lambda one=one: found.append(one.access_token())) for one in made * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (asked, found) == (["once-only-1"], ["token-2"] * 4)
    assert engines[1].load("album")["refresh_token"] == "once-only-2"


def test_what_is_kept_is_sealed(engines):
    engines[0].save("album", {"access_token": "canary-of-a-token"})
    with engines[0]._store.line() as line:
        ((sealed,),) = line.execute("SELECT sealed FROM token").fetchall()
    assert b"canary" not in bytes(sealed)
    assert engines[1].load("album") == {"access_token": "canary-of-a-token"}
    assert engines[1].load("other") is None


def test_a_new_key_opens_what_the_old_one_sealed_while_both_are_named(engines):
    engines[0].save("album", {"n": 1})
    both = DatabaseVault(engines[1]._store, f"{NEXT},{KEY}")
    assert both.load("album") == {"n": 1}
    both.save("album", {"n": 2})
    assert DatabaseVault(engines[1]._store, NEXT).load("album") == {"n": 2}
    with pytest.raises(NotConnected, match="sealed with another DIGILOG_SECRET_KEY"):
        engines[0].load("album")


@pytest.mark.parametrize(("key", "said"), [("", "is not set"), (" , ", "is not set"), ("short", "is shorter than 32")])
def test_a_key_that_is_missing_or_weak_is_told_before_anything_is_kept(engines, key, said):
    vault = DatabaseVault(engines[0]._store, key)
    for what in (
        lambda: vault.save("album", {}),
        lambda: vault.load("album"),
        lambda: vault.locked("album").__enter__(),
    ):
        with pytest.raises(NotConnected, match=f"DIGILOG_SECRET_KEY {said}"):
            what()


def test_a_lock_ends_with_who_holds_it_and_is_of_one_connection_alone(engines):
    one, two = engines
    began = time.monotonic()
    with one.locked("album"), two.locked("other"):
        waits = threading.Thread(target=lambda: two.locked("album").__enter__())
        waits.start()
        waits.join(0.3)
        assert waits.is_alive()
        with one._store.line() as line:  # as when its computer is gone
            line.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                " AND classid = 1684632430 AND pid <> pg_backend_pid()"
            )
        waits.join(10)
        assert not waits.is_alive()
    assert time.monotonic() - began < 15


def test_a_database_that_is_away_makes_a_call_wait_and_is_no_doubt(engines, server):
    vault = engines[0]
    server.drop(vault._store._url.render_as_string())
    for what in (lambda: vault.save("a", {}), lambda: vault.load("a"), lambda: vault.locked("a").__enter__()):
        with pytest.raises(Unavailable, match="the database that keeps the tokens does not answer"):
            what()
