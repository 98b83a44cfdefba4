"""The measured systems: the bare limit, digilog, and the service that both call; each a process of its own."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from bench import company

ROOT = Path(__file__).parent.parent
TICK = os.sysconf("SC_CLK_TCK")
WORKING = ("bare limit", "supervisor", "web", "engine")  # whose processor time an event costs
PATIENCE = 120.0  # seconds for a start


class System(Protocol):
    """What takes events and calls the sink."""

    name: str
    port: int
    sink: "Sink"

    def processes(self) -> dict[str, list[int]]: ...


class Sink:
    """The service called; its file says what came to it."""

    def __init__(self, file: Path) -> None:
        self.port, self.file = free(), file
        file.touch()
        self._process = spawn([sys.executable, "-m", "bench.sink", str(self.port), str(file)])
        until_open(self.port)

    def set(self, **wanted: float) -> None:
        talk = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        talk.request("POST", "/set", json.dumps(wanted))
        talk.getresponse().read()
        talk.close()

    def close(self) -> None:
        end(self._process)


class Bare:
    """One handler that keeps the event and calls the sink, and no more."""

    name = "bare limit"

    def __init__(self, folder: Path) -> None:
        self.sink, self.port = Sink(folder / "bare.sink"), free()
        self._process = spawn(
            [sys.executable, "-m", "bench.bare", str(self.port), str(folder / "bare.db"), str(self.sink.port)]
        )
        until_open(self.port)

    def processes(self) -> dict[str, list[int]]:
        return {"bare limit": [self._process.pid]}

    def close(self) -> None:
        end(self._process)
        self.sink.close()


class Digilog:
    """`digilog up` on a home of its own; may be killed and started again."""

    def __init__(self, folder: Path, name: str = "digilog", *, prefect: bool = False) -> None:
        self.name = "digilog, Prefect on" if prefect else "digilog"
        self.home, self.port, self._prefect = folder / name, free(), prefect
        self.sink = Sink(folder / f"{name}.sink")
        company.write(folder / f"{name}-company", self.sink.port)
        self._command = [
            sys.executable, "-m", "flows.cli", "up", "--home", str(self.home), "--port", str(self.port),
            "--playbooks", str(folder / f"{name}-company"), "--prefect-port", str(free()),
            *([] if prefect else ["--no-prefect"]),
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> None:
        (self.home / "up.json").unlink(missing_ok=True)
        self._process = spawn(self._command, {company.VARIABLE: company.SECRET})
        if wait:
            self.until("prefect" if self._prefect else "ready")
            time.sleep(8 if self._prefect else 1)  # the first minute's one-time work

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def until(self, wanted: str) -> None:
        """Wait until `up` has said so. Raises RuntimeError."""
        until = time.monotonic() + PATIENCE
        while wanted not in self._told():
            if time.monotonic() > until or not self.alive():
                raise RuntimeError("digilog did not come up; try `digilog demo --throw-away` to see why")
            time.sleep(0.02)

    def processes(self) -> dict[str, list[int]]:
        if not self._process:
            return {}
        parts = self._told().get("parts", {})
        return {"supervisor": [self._process.pid]} | {name: [pid, *_children(pid)] for name, pid in parts.items()}

    def _told(self) -> dict[str, Any]:
        """What `up` says of itself to other commands."""
        told: dict[str, Any] = json.loads(_read(self.home / "up.json") or "{}")
        return told

    def kill(self, *kinds: str) -> None:
        """SIGKILL some of its processes; all without a name, the supervisor first."""
        for kind, pids in self.processes().items():
            for pid in pids if not kinds or kind in kinds else []:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if not kinds and self._process:
            self._process.wait()
            self._process = None

    def freeze(self, kind: str) -> None:
        os.kill(self.processes()[kind][0], signal.SIGSTOP)

    def thaw(self, kind: str) -> None:
        os.kill(self.processes()[kind][0], signal.SIGCONT)

    def stop(self) -> None:
        if self._process:
            end(self._process)
            self._process = None

    def close(self) -> None:
        self.stop()
        self.sink.close()


def cpu(system: System) -> float:
    """Seconds of processor time so far of the processes that work."""
    total = 0.0
    for kind, pids in system.processes().items():
        for pid in pids if kind in WORKING else []:
            with suppress(FileNotFoundError, ProcessLookupError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                total += (int(fields[11]) + int(fields[12])) / TICK
    return total


def memory(system: System) -> dict[str, float]:
    """Proportional set size of each kind of process, MB."""
    return {kind: sum(_pss(pid) for pid in pids) for kind, pids in system.processes().items()}


def _pss(pid: int) -> float:
    with suppress(OSError):
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1024
    return 0.0


def spawn(command: list[str], env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    whole = os.environ | (env or {})
    whole.pop("PYTHONDONTWRITEBYTECODE", None)  # where it is set, each start compiles everything anew
    return subprocess.Popen(command, env=whole, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=40)


def free() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        port: int = made.getsockname()[1]
        return port


def until_open(port: int) -> None:
    for _ in range(600):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)


def _children(pid: int) -> list[int]:
    return [int(child) for child in _read(Path(f"/proc/{pid}/task/{pid}/children")).split()]


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError:
        return ""
