"""What the server itself leaves open: how long a request's head may be, and how long it may take to come."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST = 64 * 1024  # bytes that are neither a body nor the end of something: heads, trailers, chunks' extensions
PATIENCE = 10.0  # seconds from the first byte of a head to its last, and from a connection to its first


class BoundedHead(HttpToolsProtocol):
    """uvicorn's protocol, which would keep a head of any length (60 MB of it cost 700 MB) and wait for it forever."""

    _quiet = 0
    _moved = False
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._quiet = 0 if self._moved else self._quiet + len(data)
        self._moved = False
        if self._quiet > LONGEST and not self.transport.is_closing():
            self.send_400_response("the head of the request is too long")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect()

    def on_headers_complete(self) -> None:
        self._came()
        self._moved = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._moved = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._moved = True
        super().on_message_complete()

    def _expect(self) -> None:
        self._came()
        self._late = self.loop.call_later(PATIENCE, self.transport.close)

    def _came(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
