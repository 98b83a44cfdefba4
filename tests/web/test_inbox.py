"""The inbox: kept before it is answered, and never a 500."""

import json
import socket
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from connectors.signatures import sign_standard
from flows.store import tables as t
from tests.web.conftest import GOOD, NEW, OLD, STRANGE, Door
from tests.web.test_form import FORM, key

RAW = b'{"id": "p-1", "data": {"phone": "010-1234-5678"}}'


def test_a_signed_event_is_kept_as_it_came_before_the_202(door: Door) -> None:
    assert door.send(RAW).status == 202
    with sqlite3.connect(door.home / "digilog.db") as store:
        found = store.execute("SELECT connection, key, name, state FROM event").fetchall()
    store.close()
    assert found == [("partner", "p-1", "inquiry.received", "new")]
    (kept,) = door.rows(t.private_event.select())
    assert kept["body"] == RAW
    assert set(json.loads(kept["headers"])) == {"content-type", "webhook-id", "webhook-timestamp"}


def test_a_repeated_key_is_accepted_and_nothing_happens(door: Door) -> None:
    statuses = [door.send(RAW, f"msg_{number}").status for number in range(3)]
    assert statuses == [202] * 3
    assert len(door.events()) == 1


@pytest.mark.parametrize(
    ("secret", "age", "altered", "status"),
    [
        (NEW, 0, False, 202),
        (OLD, 0, False, 202),  # rotated: both are active
        (STRANGE, 0, False, 401),
        (NEW, 301, False, 401),
        (NEW, -301, False, 401),
        (NEW, 0, True, 401),
    ],
)
def test_only_a_recent_signature_of_an_active_secret_comes_in(
    door: Door, secret: str, age: int, altered: bool, status: int
) -> None:
    at = datetime.now(UTC) - timedelta(seconds=age)
    headers = sign_standard(secret, "msg_1", at, RAW)
    reply = door.ask("POST", "/in/partner", RAW + b" " if altered else RAW, headers)
    assert reply.status == status
    assert len(door.events()) == (status == 202)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"webhook-id": "x"},
        {"webhook-id": "x", "webhook-timestamp": "no", "webhook-signature": "v1,AAAA"},
        {"webhook-id": "x", "webhook-timestamp": "9" * 400, "webhook-signature": "v1,AAAA"},
        {"webhook-id": "x", "webhook-timestamp": "1", "webhook-signature": "é" * 50},
        {"webhook-id": "x", "webhook-timestamp": "nan", "webhook-signature": "v1"},
        {"webhook-id": "", "webhook-timestamp": "", "webhook-signature": " , , "},
        {"webhook-signature": "v1," + "A" * 20_000},
        {"authorization": "Bearer x", "content-encoding": "gzip", "transfer-encoding": "identity"},
    ],
)
def test_odd_headers_are_a_401_or_400_and_never_a_500(house: Door, headers: dict[str, str]) -> None:
    assert house.ask("POST", "/in/partner", RAW, headers).status in {400, 401}
    assert house.events() == []


@pytest.mark.parametrize(
    "raw",
    [b"", b"null", b"[]", b"not json", b"{" * 5000, b'{"id": null}', b'{"id": {"a": 1}}', b'{"id": "\\ud800"}', b"{}"],
)
def test_signed_but_odd_goes_to_quarantine_once(door: Door, raw: bytes) -> None:
    assert [door.send(raw).status for _ in range(2)] == [202, 202]
    (event,) = door.events()
    assert event["state"] == "quarantined"
    assert event["reason"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/in/unset", 503), ("/in/trial-form", 404), ("/in/nobody", 404), ("/in/ledger", 404), ("/in/outbox", 404)],
)
def test_only_connected_signed_connections_receive(house: Door, path: str, status: int) -> None:
    reply = house.ask("POST", path, RAW, sign_standard(NEW, "m", datetime.now(UTC), RAW))
    assert reply.status == status
    assert "DIGILOG" not in reply.text


def test_300_kib_are_too_long(door: Door) -> None:
    assert door.send(b" " * (300 * 1024)).status == 413
    assert door.events() == []


def _raw(door: Door, *pieces: bytes, pause: float = 0.0) -> bytes:
    """What comes back when bytes are sent as they are."""
    with socket.create_connection(("127.0.0.1", door.port), timeout=10) as line:
        try:
            for piece in pieces:
                line.sendall(piece)
                time.sleep(pause)
            return line.recv(65_536)
        except ConnectionError:
            return b""


HEAD = b"POST /in/partner HTTP/1.1\r\nhost: localhost\r\n"


def test_a_body_that_drips_is_given_up(door: Door) -> None:
    door.context.patience = 0.3
    begun = time.monotonic()
    got = _raw(door, HEAD + b"content-length: 100\r\n\r\n", b"a", b"b", pause=0.05)
    assert got.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - begun < 2


def test_endless_chunks_are_cut_at_the_cap(door: Door) -> None:
    chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
    assert _raw(door, HEAD + b"transfer-encoding: chunked\r\n\r\n", *([chunk] * 60)).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "head",
    [
        b"content-length: 5\r\n\r\n{",  # and no more
        b"content-length: -1\r\n\r\n",
        b"content-length: x\r\n\r\n",
        b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\nzz\r\n",
        b"host: evil.example\r\ncontent-length: 0\r\n\r\n",
        b"\x00\xff\r\n\r\n",
    ],
)
def test_broken_requests_are_never_accepted(house: Door, head: bytes) -> None:
    house.context.patience = 0.3
    got = _raw(house, HEAD + head)
    assert got == b"" or got[9:12] in {b"400", b"401", b"408"}
    assert house.events() == []
    assert house.get("/healthz").status == 200


@contextmanager
def locked(door: Door) -> Iterator[None]:
    holder = sqlite3.connect(door.home / "digilog.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.close()


def test_a_locked_store_is_a_503_and_everything_comes_in_afterwards(door: Door) -> None:
    answers = {**GOOD, "_key": key(door)}
    with locked(door), ThreadPoolExecutor() as pool:
        hook = pool.submit(door.send, RAW)
        form = pool.submit(door.post, FORM, answers)
        ready = pool.submit(door.get, "/readyz")
        for reply in (hook.result(), form.result()):
            assert (reply.status, reply.headers["retry-after"]) == (503, "5")
        assert ready.result().status == 503
    assert door.events() == []
    assert door.send(RAW).status == 202
    assert door.post(FORM, answers).status == 303


def test_what_falls_together_shares_commits_and_all_is_kept(door: Door) -> None:
    raws = [json.dumps({"id": f"p-{number}"}).encode() for number in range(120)]
    with ThreadPoolExecutor(24) as pool:
        replies = list(pool.map(door.send, raws, (f"m{number}" for number in range(120))))
    assert {one.status for one in replies} == {202}
    assert {one["key"] for one in door.events()} == {f"p-{number}" for number in range(120)}
