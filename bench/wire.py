"""HTTP/1.1 at its barest, so that the measuring costs little: a client that keeps connections, and a server."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httptools

Answer = tuple[int, bytes] | None  # none: the connection is reset instead
Handler = Callable[[str, Mapping[str, str], bytes], Awaitable[Answer]]


class Pool:
    """Connections to one port, kept open; a request that finds none free opens another."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, path: str, headers: Mapping[str, str], body: bytes, *, strict: bool = False) -> int:
        """The status; 0 where the connection was refused or lost, which is raised if `strict`."""
        try:
            reader, writer = self._free.pop() if self._free else await asyncio.open_connection("127.0.0.1", self._port)
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{lines}content-length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            size = next(
                (int(line[15:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
            )
            if size:
                await reader.readexactly(size)
        except (OSError, asyncio.IncompleteReadError):
            if strict:
                raise
            return 0
        self._free.append((reader, writer))
        return int(answer[9:12])

    def close(self) -> None:
        for _, writer in self._free:
            writer.close()


class _Protocol(asyncio.Protocol):
    def __init__(self, handle: Handler) -> None:
        self._handle = handle
        self._parser: Any = httptools.HttpRequestParser(self)
        self._queue: asyncio.Queue[tuple[str, dict[str, str], bytes]] = asyncio.Queue()
        self._start()

    def _start(self) -> None:
        self._url, self._headers, self._body = b"", {}, b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._task = asyncio.create_task(self._serve())

    def connection_lost(self, _error: Exception | None) -> None:
        self._task.cancel()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode().lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self._queue.put_nowait((self._url.decode(), self._headers, self._body))
        self._start()

    async def _serve(self) -> None:
        while True:
            answer = await self._handle(*await self._queue.get())
            if answer is None:
                self._transport.abort()
                return
            status, body = answer
            head = f"HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            self._transport.write(head.encode() + body)


async def serve(port: int, handle: Handler) -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(lambda: _Protocol(handle), "127.0.0.1", port, backlog=4096)
