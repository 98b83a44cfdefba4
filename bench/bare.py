"""The bare limit: `python -m bench.bare PORT STORE SINK`. What any engine must do at least, tuned.

One handler verifies the signature, commits the event with `synchronous=FULL` (grouped with what fell together),
answers 202, and calls the sink once from a thread with a client of its own. It survives nothing else.
"""

import asyncio
import http.client
import json
import queue
import sqlite3
import sys
import threading
from collections.abc import Mapping

import uvloop
from standardwebhooks import Webhook

from bench.company import SECRET
from bench.wire import Answer, serve

THREADS = 16


class Bare:
    def __init__(self, store: str, sink: int) -> None:
        self._sink = sink
        self._verify = Webhook(SECRET).verify
        self._loop = asyncio.get_running_loop()
        self._events: queue.SimpleQueue[tuple[str, bytes, asyncio.Future[None]]] = queue.SimpleQueue()
        self._calls: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._commit, args=(store,), daemon=True).start()
        for _ in range(THREADS):
            threading.Thread(target=self._call, daemon=True).start()

    async def handle(self, _path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self._verify(body, dict(headers))
        kept = self._loop.create_future()
        self._events.put((headers["webhook-id"], body, kept))
        await kept
        return 202, b""

    def _commit(self, store: str) -> None:
        base = sqlite3.connect(store, isolation_level=None)
        base.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE event (key PRIMARY KEY, body)"
        )
        while True:
            jobs = [self._events.get()]
            while not self._events.empty() and len(jobs) < 200:
                jobs.append(self._events.get())
            base.execute("BEGIN IMMEDIATE")
            base.executemany("INSERT OR IGNORE INTO event VALUES (?, ?)", [(key, body) for key, body, _ in jobs])
            base.execute("COMMIT")
            self._loop.call_soon_threadsafe(self._answer, [kept for _, _, kept in jobs])
            for _, body, _ in jobs:
                self._calls.put(body)

    def _answer(self, all_kept: list[asyncio.Future[None]]) -> None:
        for kept in all_kept:
            if not kept.done():
                kept.set_result(None)

    def _call(self) -> None:
        client = http.client.HTTPConnection("127.0.0.1", self._sink)
        while True:
            event = json.loads(self._calls.get())
            client.request("POST", "/sink", json.dumps({"n": event["n"]}), {"content-type": "application/json"})
            client.getresponse().read()


async def main() -> None:
    bare = Bare(sys.argv[2], int(sys.argv[3]))
    server = await serve(int(sys.argv[1]), bare.handle)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
