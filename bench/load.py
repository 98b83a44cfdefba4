"""Open-loop load: each event leaves at its moment whether or not the one before was answered."""

import asyncio
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


@dataclass
class Load:
    """What was sent and when; moments are seconds of the machine's monotonic clock."""

    due: dict[int, float] = field(default_factory=dict)
    answered: dict[int, float] = field(default_factory=dict)
    refused: int = 0

    def accepts(self) -> list[float]:
        """Milliseconds from the scheduled moment to the 2xx."""
        return sorted((at - self.due[n]) * 1000 for n, at in self.answered.items())

    def arrivals(self, sink: Path) -> list[float]:
        """Milliseconds from the scheduled moment to the first arrival at the sink."""
        return sorted((at - self.due[n]) * 1000 for n, at in arrived(sink).items() if n in self.due)


def arrived(sink: Path) -> dict[int, float]:
    first: dict[int, float] = {}
    for line in sink.read_text("utf-8").splitlines():
        n, at, _ = line.split(" ")
        first.setdefault(int(n), float(at))
    return first


def send(port: int, rate: float, seconds: float, first: int = 0) -> Load:
    """`rate` events a second for `seconds`; rate 0 sends `seconds` events at once."""
    return uvloop.run(_send(port, rate, seconds, first))


async def _send(port: int, rate: float, seconds: float, first: int) -> Load:
    load, pool, tasks = Load(), Pool(port), []
    count = int(rate * seconds) if rate else int(seconds)
    made = [_event(n) for n in range(first, first + count)]
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


def _event(n: int) -> tuple[int, dict[str, str], bytes]:
    body = json.dumps(
        {"n": n, "email": f"c{n}@example.com", "amount": "12000", "city": "Seoul", "filler": _FILLER}
    ).encode()
    signed = sign_standard(SECRET, f"msg_{n}", datetime.now(UTC), body)
    return n, {"content-type": "application/json", **signed}, body
