"""A service that counts: `python -m bench.numbers PORT`. Three pages a question, and faults on command."""

import asyncio
import json
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import uvloop

from bench.wire import Answer, serve

PAGES = 3
RESTATED = 3  # newest days whose numbers `POST /set` with `restate` changes


class Counter:
    """`GET /CHANNEL/METRICS?since=&until=&cursor=`: that many metrics of each day.

    `POST /set`: `latency` in seconds before each answer; `fault`: each so-many-th call is answered 503; `restate`:
    what is added to the newest days' numbers.
    """

    def __init__(self) -> None:
        self._wanted: dict[str, float] = {}
        self._calls = 0

    async def handle(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        del headers
        if path == "/set":
            self._wanted = json.loads(body)
            return 200, b"{}"
        await asyncio.sleep(self._wanted.get("latency", 0.0))
        self._calls += 1
        fault = int(self._wanted.get("fault", 0))
        if fault and self._calls % fault == 0:
            return 503, b"{}"
        url = urlsplit(path)
        said = {name: values[0] for name, values in parse_qs(url.query).items()}
        channel, count = url.path.strip("/").split("/")
        return 200, self._page(channel, int(count), said)

    def _page(self, channel: str, count: int, said: Mapping[str, str]) -> bytes:
        since, until = date.fromisoformat(said["since"]), date.fromisoformat(said["until"])
        days = [since + timedelta(days=ahead) for ahead in range((until - since).days + 1)]
        each = -(-len(days) // PAGES)
        at = int(said.get("cursor", 0))
        rows = [
            {"day": day.isoformat()} | {f"m{one}": self._number(channel, day, one, until) for one in range(count)}
            for day in days[at : at + each]
        ]
        more = str(at + each) if at + each < len(days) else None
        return json.dumps({"rows": rows, "next": more}).encode()

    def _number(self, channel: str, day: date, metric: int, until: date) -> int:
        late = int(self._wanted.get("restate", 0)) if until - day < timedelta(days=RESTATED) else 0
        return 1000 + day.toordinal() % 97 * 7 + metric + len(channel) + late


async def main() -> None:
    server = await serve(int(sys.argv[1]), Counter().handle)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
