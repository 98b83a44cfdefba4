"""For tests of connectors: a service that answers by script, and the promises that every connector keeps."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic import SecretStr, ValidationError

from connectors.actions import EFFECTS
from connectors.base import Action, Connector

_CANARY = "a-secret-that-must-not-show"
_KEYED = frozenset({"keyed", "checkable", "once"})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that came in; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Script:
    """Answers by "METHOD /path" (without its query): (status, data or text), or a list of them, the last one stays."""

    answers: dict[str, Any]
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, path: str) -> tuple[int, Any]:
        found = self.answers.get(f"{method} {path.partition('?')[0]}", (404, {"message": "not in the script"}))
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        return found[0], found[1]


@contextmanager
def scripted(answers: dict[str, Any]) -> Iterator[Script]:
    """A service on a free port of 127.0.0.1; connect to it with `base_url` and `allow_loopback`."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or each answer waits 40 ms for the caller to acknowledge its head

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            names = {name.lower(): value for name, value in self.headers.items()}
            asked.append(Asked(self.command, self.path, names, body))
            status, data = script.answer(self.command, self.path)
            content = data.encode() if isinstance(data, str) else json.dumps(data, default=str).encode()
            self.send_response(status)
            self.send_header("content-type", "text/plain" if isinstance(data, str) else "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        script = Script(answers, asked, server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()


def promises(name: str, connector: type[Connector], settings: Mapping[str, object] | None = None) -> list[str]:
    """What a connector promises and breaks, one sentence each; `settings` as company.yaml would give them."""
    broken = []
    if not (connector.__doc__ or "").strip() or connector.__doc__ == Connector.__doc__:
        broken.append("the class has no docstring")
    if connector.service != name:
        broken.append(f"service is {connector.service!r}, registered is {name!r}")
    if not connector.room:
        broken.append("no room is named")
    broken += [f"{event}: an event's name is noun.verb" for event in connector.events if "." not in event]
    if connector.signed and not connector.secrets():
        broken.append("signed, yet there is no secret to verify with")
    broken += [
        f"{one.field}: no word where the vendor shows it" for one in connector.secrets().values() if not one.where
    ]
    for action in connector.actions().values():
        broken += [f"{action.name}: {wrong}" for wrong in _broken_by(action, connector)]
    return [f"{name}: {one}" for one in [*broken, *_leaks(connector, settings or {})]]


def _broken_by(action: Action, connector: type[Connector]) -> Iterator[str]:
    if not action.doc:
        yield "no docstring; shop people read it"
    if action.effect not in EFFECTS:
        yield f"{action.effect} is no effect class"
    if action.effect in _KEYED and not action.takes_key:
        yield "a write that cannot simply be repeated takes `key`"
    if action.effect == "checkable":
        found_by = connector.actions().get(action.found_by or "")
        if found_by is None or found_by.effect != "read":
            yield "checkable needs found_by, the name of a read"
    together = connector.actions().get(action.bulk or "")
    if action.bulk and (together is None or together.effect != "repeat" or len(together.parameters) != 1):
        yield "bulk names an action of effect repeat that takes one list"
    if action.result is Any and not action.takes_call:
        yield "the result has no type"


def _leaks(connector: type[Connector], settings: Mapping[str, object]) -> Iterator[str]:
    secrets = {
        one.field: [SecretStr(_CANARY)] if one.many else SecretStr(_CANARY) for one in connector.secrets().values()
    }
    try:
        made = connector(**{**settings, **secrets})  # type: ignore[arg-type]
    except ValidationError as error:
        yield f"cannot be made with these settings: {error.error_count()} wrong"
        return
    if any(_CANARY in shown for shown in (repr(made), str(made), str(made.model_dump()), made.model_dump_json())):
        yield "a secret shows"
