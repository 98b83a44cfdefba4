"""A service that misbehaves on purpose, on a free port of this machine."""

import gzip
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n"


def _drip(line: socket.socket) -> None:
    line.sendall(OK + b"content-length: 1000\r\n\r\n")
    for _ in range(200):
        line.sendall(b" ")
        time.sleep(0.05)


def _reset(line: socket.socket) -> None:
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _slow_header(line: socket.socket) -> None:
    for letter in OK * 20:
        line.sendall(bytes([letter]))
        time.sleep(0.05)


def _whole(status: str, body: bytes = b"{}", *more: str) -> Callable[[socket.socket], None]:
    head = [
        f"HTTP/1.1 {status}",
        f"content-length: {len(body)}",
        "content-type: application/json",
        "connection: close",
        *more,
    ]
    return lambda line: line.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)


FAULTS: dict[str, Callable[[socket.socket], None]] = {
    "good": _whole("200 OK", b'{"a": 1.10}'),
    "401": _whole("401 Unauthorized"),
    "403": _whole("403 Forbidden", b"customer 010-1234-5678"),
    "404": _whole("404 Not Found"),
    "408": _whole("408 Request Timeout"),
    "425": _whole("425 Too Early"),
    "429": _whole("429 Too Many Requests", b"{}", "retry-after: 7"),
    "500": _whole("500 Internal Server Error"),
    "502": _whole("502 Bad Gateway"),
    "503": _whole("503 Service Unavailable", b"{}", "retry-after: 120"),
    "redirect": _whole("302 Found", b"", "location: http://169.254.169.254/"),
    "html": _whole("200 OK", b"<html>please log in</html>"),
    "nan": _whole("200 OK", b'{"a": NaN}'),
    "deep": _whole("200 OK", b"[" * 200_000),
    "long": _whole("200 OK", b'"' + b"a" * 300_000 + b'"'),
    "bomb": _whole("200 OK", gzip.compress(bytes(60_000_000)), "content-encoding: gzip"),
    "broken gzip": _whole("200 OK", b"\x1f\x8b\x08nothing", "content-encoding: gzip"),
    "half a gzip": _whole("200 OK", gzip.compress(b'{"a": 1}' + bytes(range(256)))[:60], "content-encoding: gzip"),
    "brotli": _whole("200 OK", b"xx", "content-encoding: br"),
    "short": lambda line: line.sendall(OK + b"content-length: 1000\r\n\r\n{}"),
    "reset": _reset,
    "half": lambda line: line.sendall(b"HTTP/1.1 200"),
    "noise": lambda line: line.sendall(b"\x00\x01\x02 what\r\n\r\n"),
    "drip": _drip,
    "slow header": _slow_header,
    "silent": lambda _: time.sleep(2.5),
}


@dataclass
class Faults:
    """Where the misbehaving service stands, and how often each fault was asked for."""

    port: int
    asked: list[str] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def _serve(line: socket.socket, faults: Faults) -> None:
    with line:
        try:
            head = b""
            while b"\r\n\r\n" not in head:
                more = line.recv(65536)
                if not more:
                    return
                head += more
            name = head.split(b" ")[1].decode().strip("/").replace("%20", " ")
            faults.asked.append(name)
            FAULTS[name](line)
        except OSError:
            return


@pytest.fixture(scope="session")
def faults() -> Iterator[Faults]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        service = Faults(door.getsockname()[1])

        def accept() -> None:
            while True:
                try:
                    line, _ = door.accept()
                except OSError:
                    return
                threading.Thread(target=_serve, args=(line, service), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield service
        door.shutdown(socket.SHUT_RDWR)
