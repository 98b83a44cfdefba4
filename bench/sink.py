"""The service called: `python -m bench.sink PORT FILE`. Writes down each arrival; can be slow, or down, on command."""

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import uvloop

from bench.wire import Answer, serve


class Sink:
    """`POST /set {"latency": s, "down": s}` makes it slow, or answer 503 for a while; all else is counted."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("a", buffering=1, encoding="utf-8")
        self._latency, self._down_until = 0.0, 0.0

    async def handle(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if path == "/set":
            wanted = json.loads(body)
            self._latency = wanted.get("latency", 0.0)
            self._down_until = time.monotonic() + wanted.get("down", 0.0)
            return 200, b"{}"
        at = time.monotonic()
        if at < self._down_until:
            return 503, b"{}"
        self._file.write(f"{json.loads(body)['n']} {at:.6f} {headers.get('idempotency-key', '-')}\n")
        if self._latency:
            await asyncio.sleep(self._latency)
        return 200, b'{"ok": true}'


async def main() -> None:
    server = await serve(int(sys.argv[1]), Sink(Path(sys.argv[2])).handle)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
