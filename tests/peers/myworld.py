"""myworld: Google's services on their real host names, behind a gateway that shows a certificate of its own."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.peers.start import Peer, free_port, started

VERSION = "myworld 0.2.1"
OWNER = "desk@onda.example"
BOOK = "members-of-onda-pilates"
HEADER = "id,이름,연락처,상태\n"


@dataclass(frozen=True, slots=True)
class Run:
    """One company's drive: a spreadsheet `BOOK`, a token that opens it, and where faults are ordered."""

    world: "World"
    instance: str
    token: str

    def faults(self, *wanted: Mapping[str, Any]) -> None:
        """What goes wrong from now on, instead of what was ordered before."""
        self.world.call("PUT", f"/instances/{self.instance}/faults", list(wanted))

    def calls(self, tool: str) -> list[Any]:
        """The calls of one of Google's methods so far."""
        found = self.world.call("GET", f"/instances/{self.instance}/calls")
        return [one for one in found["calls"] if one["tool"] == tool]


@dataclass(frozen=True, slots=True)
class World:
    """A running myworld."""

    peer: Peer
    gateway: int

    @property
    def proxy(self) -> str:
        return f"http://127.0.0.1:{self.gateway}"

    @property
    def certificate(self) -> Path:
        return self.peer.folder / "ca" / "myworld-ca.pem"

    def call(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        with urlopen(Request(self.peer.base_url + path, data, headers, method=method), timeout=30) as answer:
            return json.load(answer)

    def run(self, sheets: Mapping[str, str]) -> Run:
        """A fresh company; `sheets` as CSV by title."""
        file = {
            "id": BOOK,
            "name": "회원",
            "mimeType": "application/vnd.google-apps.spreadsheet",
            "owners": [OWNER],
            "permissions": [{"emailAddress": OWNER, "role": "writer"}],
            "sheets": dict(sheets),
        }
        seed = {"user": {"email": OWNER, "name": "온다"}, "files": [file]}
        spec = {"name": "onda", "task": "keep the list", "servers": {"drive": {"seed": seed}}}
        made = self.call("POST", "/envs", {"spec": spec})
        (login,) = made["credentials"].values()
        return Run(self, made["servers"]["drive"]["instance"], login["google_access_token"])


@contextmanager
def myworld() -> Iterator[World]:
    """Start it on free ports; what it does not know it refuses."""
    port, gateway = free_port(), free_port()
    command = [
        str(Path(sys.executable).with_name("myworld")), "serve", "--port", str(port), "--gateway", str(gateway),
        "--no-passthrough", "--ca-dir", "ca",
    ]  # fmt: skip
    with started(command, port) as peer:
        yield World(peer, gateway)
