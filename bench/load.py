"""Open-loop load: each event leaves at its moment whether or not the one before was answered."""

import asyncio
import itertools
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from bench.company import SECRET
from bench.wire import Pool
from connectors.signatures import sign_standard

_FILLER = "x" * 800  # an event of about 1 KB
PATIENCE = 10.0  # seconds for an answer
_numbers = itertools.count(1)  # of all events of this run


@dataclass
class Load:
    """What was sent and when; moments are seconds of the machine's monotonic clock."""

    due: dict[int, float] = field(default_factory=dict)
    answered: dict[int, float] = field(default_factory=dict)
    refused: int = 0  # answers that were no 2xx, or none

    def accepts(self) -> list[float]:
        """Milliseconds from the scheduled moment to the 2xx, in the order of events."""
        return [(at - self.due[n]) * 1000 for n, at in sorted(self.answered.items())]

    def arrivals(self, sink: Path) -> list[float]:
        """Milliseconds from the scheduled moment to the first arrival at the sink, in the order of events."""
        return [(at - self.due[n]) * 1000 for n, at in sorted(arrived(sink).items()) if n in self.due]


def arrived(sink: Path) -> dict[int, float]:
    """When each event came to the sink first."""
    first: dict[int, float] = {}
    for n, at, _ in _lines(sink):
        first.setdefault(n, at)
    return first


def keys(sink: Path) -> dict[int, list[str]]:
    """Under which keys each event came to the sink."""
    found: dict[int, list[str]] = {}
    for n, _, key in _lines(sink):
        found.setdefault(n, []).append(key)
    return found


def _lines(sink: Path) -> list[tuple[int, float, str]]:
    split = (line.split(" ") for line in sink.read_text("utf-8").splitlines())
    return [(int(n), float(at), key) for n, at, key in split]


def send(port: int, rate: float, seconds: float) -> Load:
    """`rate` events a second for `seconds`; rate 0 sends `seconds` events at once."""
    return uvloop.run(_send(port, rate, seconds))


async def _send(port: int, rate: float, seconds: float) -> Load:
    load, pool, tasks = Load(), Pool(port), []
    count = int(rate * seconds) if rate else int(seconds)
    made = [_event(next(_numbers)) for _ in range(count)]
    begin = time.monotonic() + 0.2
    for place, (n, headers, body) in enumerate(made):
        due = begin + (place / rate if rate else 0)
        if (pause := due - time.monotonic()) > 0:
            await asyncio.sleep(pause)
        load.due[n] = due
        tasks.append(asyncio.create_task(_one(pool, load, n, headers, body)))
    await asyncio.gather(*tasks)
    pool.close()
    return load


async def _one(pool: Pool, load: Load, n: int, headers: dict[str, str], body: bytes) -> None:
    for pause in (0.2, 0.5, 1, 2, 4, 8, 0):  # as real senders do
        if 200 <= await pool.post("/in/orders", headers, body) < 300:
            load.answered[n] = time.monotonic()
            return
        load.refused += 1
        await asyncio.sleep(pause)


@dataclass
class Knocks:
    """Events sent over a new connection each; moments as in `Load`."""

    sent: dict[int, float] = field(default_factory=dict)
    answered: dict[int, float] = field(default_factory=dict)
    refused: int = 0  # no connection
    cut: int = 0  # connected, and then no answer


def knock(port: int, seconds: float, each: float = 0.01) -> Knocks:
    """Try every `each` seconds, without a second try."""
    return uvloop.run(_knock(port, seconds, each))


async def _knock(port: int, seconds: float, each: float) -> Knocks:
    knocks, tasks = Knocks(), []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        tasks.append(asyncio.create_task(_try(port, knocks)))
        await asyncio.sleep(each)
    await asyncio.gather(*tasks)
    return knocks


async def _try(port: int, knocks: Knocks) -> None:
    n, headers, body = _event(next(_numbers))
    knocks.sent[n] = time.monotonic()
    pool = Pool(port)
    try:
        async with asyncio.timeout(PATIENCE):
            status = await pool.post("/in/orders", headers, body, strict=True)
    except ConnectionRefusedError:
        knocks.refused += 1
    except (OSError, EOFError, TimeoutError):
        knocks.cut += 1
    else:
        if 200 <= status < 300:
            knocks.answered[n] = time.monotonic()
    pool.close()


def _event(n: int) -> tuple[int, dict[str, str], bytes]:
    body = json.dumps(
        {"n": n, "email": f"c{n}@example.com", "amount": "12000", "city": "Seoul", "filler": _FILLER}
    ).encode()
    signed = sign_standard(SECRET, f"msg_{n}", datetime.now(UTC), body)
    return n, {"content-type": "application/json", **signed}, body
