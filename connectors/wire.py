"""Bytes of one call under one deadline: where they go, whether any were sent, and how large they may unpack."""

import ssl
import time
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore

from connectors.addresses import resolve

_CONNECT = 8.0  # seconds for one address


class Late(Exception):  # noqa: N818
    """The deadline passed while an answer was coming in."""


class Wire(httpcore.NetworkBackend):
    """Connects to checked addresses only, and keeps the deadline of the call that uses it.

    httpx's timeouts count from byte to byte: a body that drips held a call of one second for twelve.
    """

    def __init__(self, *, loopback: bool, proxy: bool) -> None:
        self._loopback = loopback
        self._proxy = proxy  # whatever is connected to is the company's proxy, which may stand in the office
        self._backend = httpcore.SyncBackend()
        self._until = 0.0
        self._silence = 0.0
        self.sent = False
        self.received = False

    def begin(self, until: float, *, silence: float) -> None:
        """Start a call that ends at `until` (monotonic) and bears no pause longer than `silence` seconds."""
        self._until, self._silence = until, silence
        self.sent = self.received = False

    def left(self) -> float:
        """Seconds that the next read or write may take. Raises Late, or ReadTimeout if nothing came in yet."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise Late if self.received else httpcore.ReadTimeout
        return min(left, self._silence)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Resolve, check, and connect to what was checked, so a name that changes its mind wins nothing."""
        del timeout
        loopback = self._loopback or self._proxy
        addresses = resolve(host, port, loopback=loopback, office=self._proxy, timeout=self._time())
        lost: Exception = httpcore.ConnectError()
        for address in addresses:
            try:
                stream = self._backend.connect_tcp(
                    address, port, min(self._time(), _CONNECT), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                lost = error
            else:
                return _Stream(stream, self)
        raise lost

    def _time(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise httpcore.ConnectTimeout
        return left

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        del path, timeout, socket_options
        raise httpcore.ConnectError


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, wire: Wire) -> None:
        self._stream = stream
        self._wire = wire

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout
        try:
            data = self._stream.read(max_bytes, self._wire.left())
        except httpcore.ReadTimeout:
            self._wire.left()  # Late instead, if the deadline cut an answer that was coming
            raise
        self._wire.received = self._wire.received or bool(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        self._wire.sent = True
        self._stream.write(buffer, self._wire.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        del timeout
        stream = self._stream.start_tls(ssl_context, server_hostname, self._wire.left())
        self._wire.sent = self._wire.received = False  # what went before was the proxy's
        return _Stream(stream, self._wire)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def unpacked(raw: Iterator[bytes], coding: str, cap: int) -> bytes:
    """The body, counted while it unpacks: 292 kB of gzip can be 300 MB. Raises ValueError if longer than `cap`."""
    coding = coding.strip().lower()
    if coding in {"", "identity"}:
        return _counted(raw, cap)
    if coding not in {"gzip", "x-gzip"}:
        raise ValueError("an encoding that was not asked for")
    unzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
    body = _counted(_unzipped(unzip, raw, cap), cap)
    if not unzip.eof:
        raise ValueError("the packed body breaks off")
    return body


def _unzipped(unzip: "zlib._Decompress", raw: Iterator[bytes], cap: int) -> Iterator[bytes]:
    for chunk in raw:
        try:
            yield unzip.decompress(chunk, cap + 1)
        except zlib.error:
            raise ValueError("the packed body is broken") from None
        if unzip.unconsumed_tail or unzip.unused_data:
            raise ValueError("the packed body is too long")


def _counted(parts: Iterator[bytes], cap: int) -> bytes:
    body = bytearray()
    for part in parts:
        body += part
        if len(body) > cap:
            raise ValueError("the body is too long")
    return bytes(body)
