"""A service on a free port of this machine that answers well, but for one request of an action."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Good:
    """What the service answers when all is well."""

    status: int
    content: bytes
    kind: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: "METHOD /path", and its body. `wrong`: it was answered by the fault."""

    what: str
    body: bytes
    headers: Mapping[str, str]
    wrong: bool = False
    at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Talk:
    """One connection whose request was read."""

    line: socket.socket
    good: Good
    over: threading.Event

    def send(self, content: bytes) -> None:
        self.line.sendall(content)

    def wait(self, seconds: float = 30) -> None:
        """Hold the line, at most until the test is over."""
        self.over.wait(seconds)

    def good_answer(self, *more: str) -> None:
        self.send(whole(f"{self.good.status} OK", self.good.content, self.good.kind, *more))


def whole(status: str, body: bytes, kind: str, *more: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"content-type: {kind}", f"content-length: {len(body)}", "connection: close", *more]
    if status.startswith("204"):
        del head[1:3]
        body = b""
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def drip(talk: Talk, content: bytes, before: bytes = b"") -> None:
    """A byte now and then."""
    talk.send(before)
    for byte in content:
        if talk.over.wait(0.03):
            return
        talk.send(bytes([byte]))


def endless(talk: Talk, content: bytes, before: bytes = b"", pause: float = 0.0) -> None:
    """The same again and again, until nobody listens."""
    talk.send(before)
    while not talk.over.wait(pause):
        talk.send(content)


@dataclass
class Service:
    """Answers by `answers` ("METHOD /path": (status, data or text), or a list of them, the last stays).

    The request number `at`, and from then on every one like it, is answered by `fault`.
    """

    answers: Mapping[str, Any]
    fault: Callable[[Talk], None] | None = None
    at: int = 0
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _wrong: str | None = None
    _given: dict[str, int] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, line: socket.socket) -> None:
        what, headers, body = _request(line)
        with self._lock:
            if self.fault and len(self.asked) == self.at:
                self._wrong = what
            wrong = what == self._wrong
            self.asked.append(Asked(what, body, headers, wrong))
            good = self._good(what, wrong=wrong)
        talk = Talk(line, good, self.over)
        if wrong and self.fault:
            self.fault(talk)
        else:
            talk.good_answer()

    def _good(self, what: str, *, wrong: bool) -> Good:
        found = self.answers.get(what, (404, {"message": "not in the script"}))
        if isinstance(found, list):
            turn = self._given.get(what, 0)
            found = found[min(turn, len(found) - 1)]
            self._given[what] = turn + (not wrong)
        status, data = found
        if isinstance(data, str):
            return Good(status, data.encode(), "text/plain")
        return Good(status, json.dumps(data, ensure_ascii=False, default=str).encode(), "application/json")


def _request(line: socket.socket) -> tuple[str, dict[str, str], bytes]:
    raw = b""
    while b"\r\n\r\n" not in raw:
        more = line.recv(65536)
        if not more:
            raise ConnectionError
        raw += more
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
    length = int(headers.get("content-length", 0))
    while len(body) < length:
        more = line.recv(65536)
        if not more:
            raise ConnectionError
        body += more
    return f"{method} {target.partition('?')[0]}", headers, body


@contextmanager
def serving(service: Service) -> Iterator[Service]:
    """The service on a free port; its threads end with it."""
    threads: list[threading.Thread] = []

    def talk(line: socket.socket) -> None:
        with line, suppress(OSError):
            line.settimeout(30)
            service.answer(line)

    def accept(door: socket.socket) -> None:
        while not service.over.is_set():
            try:
                line, _ = door.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=talk, args=(line,), daemon=True))
            threads[-1].start()

    with socket.create_server(("127.0.0.1", 0), backlog=64) as door:
        service.port = door.getsockname()[1]
        accepting = threading.Thread(target=accept, args=(door,), daemon=True)
        accepting.start()
        try:
            yield service
        finally:
            service.over.set()
            with suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)
            accepting.join(5)
            for one in threads:
                one.join(5)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])
