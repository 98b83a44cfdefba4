"""The service called: `python -m bench.sink PORT FILE`. Writes down what comes; slow, down or forgetful on command."""

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import uvloop

from bench.wire import Answer, serve


class Sink:
    """`POST /set` says how it is from now on; whatever is not named is as usual.

    `latency`: seconds before each answer. `down`: answers 503 for so many seconds, beginning `after` seconds from now.
    `reset`: the same, but the work is done, and the connection reset in place of the answer.
    """

    def __init__(self, file: Path) -> None:
        self._file = file.open("a", buffering=1, encoding="utf-8")
        self._latency, self._trouble, self._from, self._until = 0.0, "", 0.0, 0.0

    async def handle(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if path == "/set":
            self._set(json.loads(body))
            return 200, b"{}"
        at = time.monotonic()
        trouble = self._trouble if self._from <= at < self._until else ""
        if trouble == "down":
            return 503, b"{}"
        self._file.write(f"{json.loads(body)['n']} {at:.6f} {headers.get('idempotency-key', '-')}\n")
        if trouble == "reset":
            return None
        if self._latency:
            await asyncio.sleep(self._latency)
        return 200, b'{"ok": true}'

    def _set(self, wanted: Mapping[str, float]) -> None:
        self._latency = wanted.get("latency", 0.0)
        self._trouble = next((name for name in ("down", "reset") if name in wanted), "")
        self._from = time.monotonic() + wanted.get("after", 0.0)
        self._until = self._from + wanted.get(self._trouble, 0.0)


async def main() -> None:
    server = await serve(int(sys.argv[1]), Sink(Path(sys.argv[2])).handle)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
