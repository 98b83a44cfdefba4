"""A hostile sender against the door's real process: nothing forged comes in, nothing breaks, nobody waits for it."""

import contextlib
import json
import math
import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.signatures import sign_standard
from tests.trouble import company
from tests.trouble.house import House, open_house

SOAK = min(1.0, float(os.environ.get("DIGILOG_SOAK", "0")))  # 1 and more: at length; 0.1: a tenth of it
ROUNDS = int(200_000 * SOAK) or 1_500  # mutated requests; test_signatures takes many more past the door
IDLE = 500  # lines that begin a request and never end it
DRIPPING = 100  # senders of a byte now and then
MORE = 100  # megabytes that hostile senders may cost
STRANGE = "whsec_c3RyYW5nZXJzIG93biBzZWNyZXQsIG5vdCBvdXJz"


@pytest.fixture
def house(tmp_path: Path, migrated: Path) -> Iterator[House]:
    """The door alone; nobody works on what comes in."""
    with open_house(tmp_path / "home", migrated) as found:
        found.start("web")
        yield found


def _request(raw: bytes, id: str, secret: str = company.SECRET, at: datetime | None = None) -> bytes:
    signed = sign_standard(secret, id, at or datetime.now(UTC), raw)
    head = ["POST /in/orders HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(raw)}"]
    head += [f"{name}: {value}" for name, value in signed.items()]
    return "\r\n".join([*head, "connection: close", "", ""]).encode() + raw


def _status(house: House, *pieces: bytes, wait: float = 5.0) -> int:
    """The status that comes back; 0 when the line is closed or silent."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", house.port), timeout=wait) as line:
        for piece in pieces:
            line.sendall(piece)
        got = line.recv(64)
        return int(got[9:12]) if got.startswith(b"HTTP/1.1 ") else 0
    return 0


def _memory(house: House) -> float:
    """The most that the door ever held, in megabytes."""
    lines = Path(f"/proc/{house.running['web'].pid}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


WORDS = (
    b"\x00", b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b",", b"v1,", b"v1a,", b"v2,", b"=", b"%00", b"%2e%2e/", b"..",
    b"//", b"\xff\xfe", b"\xc3\xa9", b"0", b"-1", b"+1", b"1e9", b"nan", b"inf", b"_", b".", b"HTTP/2", b"HTTP/0.9",
    b"transfer-encoding: chunked\r\n", b"content-length: 0\r\n", b"content-length: 99999\r\n",
    b"expect: 100-continue\r\n",
    b"webhook-id: other\r\n", b"webhook-timestamp: 0\r\n", b"webhook-signature: v1,AAAA\r\n", b"x" * 9_000,
    b"host: evil.example\r\n", b"upgrade: websocket\r\nconnection: upgrade\r\n", b"content-encoding: gzip\r\n", b"\x80",
)  # fmt: skip
METHODS = (b"GET", b"PUT", b"HEAD", b"OPTIONS", b"post", b"POSTT", b"CONNECT", b"TRACE", b"\x16\x03\x01")


def _mutated(whole: bytes, chance: random.Random) -> bytes:
    raw = bytearray(whole)
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        at = chance.randrange(len(raw) or 1)
        match chance.randrange(8):
            case 0:
                raw[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                raw[at:at] = chance.choice(WORDS)
            case 2:
                del raw[at : at + chance.choice([1, 1, 5, 60])]
            case 3:  # a header more, somewhere between the others
                lines = bytes(raw).split(b"\r\n")
                lines.insert(chance.randrange(1, len(lines) + 1), chance.choice(WORDS).strip())
                raw[:] = b"\r\n".join(lines)
            case 4:  # a line twice, or two lines exchanged
                lines = bytes(raw).split(b"\r\n")
                lines.insert(chance.randrange(len(lines)), chance.choice(lines))
                raw[:] = b"\r\n".join(lines)
            case 5:
                raw[:] = raw.replace(b"POST", chance.choice(METHODS), 1)
            case 6:
                raw[: raw.find(b" HTTP")] = (
                    b"POST /in/" + chance.choice(WORDS).strip() + chance.choice((b"", b"orders"))
                )
            case _:
                raw[:] = raw[: chance.randrange(len(raw) or 1)] if chance.random() < 0.3 else raw + raw[:at]
    return bytes(raw)


def _chunked(raw: bytes, id: str, chance: random.Random) -> bytes:
    """The same request in chunks, with a body that is not the one signed half of the time."""
    head, _, body = _request(raw, id).partition(b"\r\n\r\n")
    head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(b"content-length"))
    body = body if chance.random() < 0.5 else body + b" "
    cut = chance.randrange(1, len(body))
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:cut], body[cut:]) if part)
    return head + b"\r\ntransfer-encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"


def _made(number: int, signed: set[tuple[str, int, bytes]]) -> bytes:
    """One hostile request; what was rightly signed on the way is remembered."""
    chance = random.Random(number)
    body = json.dumps({"email": f"x{number}@example.com", "what": "x" * chance.choice([1, 50, 2_000])}).encode()
    at, id = datetime.now(UTC), f"bad-{number}"
    match chance.randrange(10):
        case 0:
            return _request(body, id, STRANGE)
        case 1:
            return _request(body, id, at=datetime.fromtimestamp(at.timestamp() + chance.choice([-400, 400]), UTC))
        case 2:
            signed.add((id, int(at.timestamp()), body))
            signed.add((id, int(at.timestamp()) + 1, body))
            return _chunked(body, id, chance)
        case _:
            signed.add((id, int(at.timestamp()), body))
            return _mutated(_request(body, id, at=at), chance)


def test_no_forged_request_comes_in_and_good_senders_are_all_served(house: House) -> None:
    signed: set[tuple[str, int, bytes]] = set()
    good: list[int] = []
    over = threading.Event()

    def sender() -> None:
        while not over.is_set():
            raw = json.dumps({"email": "good@example.com", "what": f"{len(good)}"}).encode()
            id, now = f"good-{len(good)}", datetime.now(UTC)
            signed.add((id, int(now.timestamp()), raw))
            good.append(_status(house, _request(raw, id, at=now)))
            over.wait(0.01)

    calm = threading.Thread(target=sender)
    calm.start()
    try:
        with ThreadPoolExecutor(32) as pool:
            seen = list(pool.map(lambda number: _status(house, _made(number, signed), wait=0.3), range(ROUNDS)))
    finally:
        over.set()
        calm.join()
    assert set(good) == {202}
    assert len(good) > 20
    assert {500, 502, 504}.isdisjoint(seen), [number for number, status in enumerate(seen) if status >= 500]
    assert {202, 401, 400, 404} <= set(seen)
    kept = house.rows("SELECT p.headers, p.body FROM private_event p JOIN event e ON e.id = p.event_id")
    assert len(kept) >= len(good)
    for row in kept:
        head = json.loads(row["headers"])
        assert (head["webhook-id"], math.floor(float(head["webhook-timestamp"])), row["body"]) in signed
    assert not house.dead("web")
    assert "Traceback" not in (house.home / "web.out").read_text("utf-8")
    assert " ERROR " not in (house.home / "logs" / "web.log").read_text("utf-8")


def _endless(house: House, head: bytes, piece: bytes, megabytes: int) -> int:
    """How many bytes one sender could push before it was cut off."""
    pushed = 0
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", house.port), timeout=5) as line:
        line.sendall(b"POST /in/orders HTTP/1.1\r\nhost: localhost\r\n" + head)
        while pushed < megabytes * 1024 * 1024:
            line.sendall(piece)
            pushed += len(piece)
    return pushed


def _drip(house: House, over: threading.Event) -> int:
    """One rightly signed webhook, byte by byte. Returns the status that comes back."""
    raw = json.dumps({"email": "slow@example.com", "what": "x" * 2_000}).encode()
    head, _, body = _request(raw, "slow").partition(b"\r\n\r\n")
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", house.port), timeout=5) as line:
        line.sendall(head + b"\r\n\r\n")
        line.settimeout(0.2)
        for byte in body:
            line.sendall(bytes([byte]))
            with contextlib.suppress(TimeoutError):
                got = line.recv(64)
                return int(got[9:12]) if got else 0
            if over.is_set():
                break
    return 0


def _served(house: House, number: int) -> float:
    """How long a good sender waits for its 202, in seconds."""
    begun = time.monotonic()
    assert _status(house, _request(b'{"email": "b@example.com", "what": "x"}', f"ok{number}")) == 202
    return time.monotonic() - begun


def test_slow_idle_and_endless_senders_cost_little_and_hold_nobody_up(house: House) -> None:
    before, over = _memory(house), threading.Event()
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    length = 100 * 1024 * 1024
    kinds = [(b"transfer-encoding: chunked\r\n\r\n", chunk), (b"content-length: %d\r\n\r\n" % length, chunk)]
    kinds += [(b"x-long: ", b"y" * 0x10000), (b"", b"x-many: y\r\n" * 4_000)]
    kinds += [(b"transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"x-trailer: y\r\n" * 4_000)]
    kinds += [(b"transfer-encoding: chunked\r\n\r\n1;", b"z" * 0x10000)]
    with contextlib.ExitStack() as held:
        lines = []
        for number in range(IDLE):
            line = held.enter_context(socket.create_connection(("127.0.0.1", house.port), timeout=5))
            line.sendall(_request(b'{"email": "a@example.com"}', "idle")[: 40 + number % 200])
            lines.append(line)
        with ThreadPoolExecutor(8 + DRIPPING) as pool:
            dripping = [pool.submit(_drip, house, over) for _ in range(DRIPPING)]
            pushing = [pool.submit(_endless, house, *kind, 100) for kind in kinds * 2]
            served: list[float] = []
            while not all(one.done() for one in pushing) or len(served) < 200:
                served.append(_served(house, len(served)))
            over.set()
        pushed, dripped = [one.result() for one in pushing], {one.result() for one in dripping}
        for line in lines:  # given up after ten seconds, those with a whole head by a 408
            line.settimeout(15)
            assert line.recv(64)[9:12] in {b"", b"408", b"400"}
    served.sort()
    p99, more = served[int(len(served) * 0.99)], _memory(house) - before
    print(f"good senders' p99 {p99 * 1000:.0f} ms of {len(served)}; {more:.0f} MB more, most pushed "
          f"{max(pushed) / 1e6:.1f} MB")  # fmt: skip
    assert max(pushed) < 30 * 1024 * 1024, pushed
    assert dripped <= {0, 408}
    assert p99 < (1 if SOAK else 2)
    assert more < MORE
