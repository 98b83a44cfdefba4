"""Holds the listening socket and keeps the processes of `digilog up` alive.

Web and engine are forked from this process, which has imported all they need: they start in milliseconds and
share its memory. It has one thread and opens no store, so that there is little to fail and a fork is safe.
"""

import base64
import contextlib
import fcntl
import gc
import http.client
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from flows.process import LIFELINE

_FORK = multiprocessing.get_context("fork")

LONGEST_PAUSE = 30.0  # seconds between restarts
STEADY = 20.0  # a part that ran this long starts again at once
PATIENCE = 12.0  # seconds for a clean stop
EACH = 60.0  # seconds between two looks at what is silent
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class CannotStart(Exception):  # noqa: N818
    """`up` cannot start; the sentence says why and what to do."""


@dataclass
class Part:
    """One child process: a function is forked, a module's name starts a new interpreter."""

    name: str
    work: Callable[[], None] | str
    env: Mapping[str, str]
    pass_fds: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | BaseProcess | None = None
    failures: int = 0
    started: float = 0.0
    again_at: float = field(default=0.0)
    nice: int = 0  # how far it steps back for the others

    def start(self, log: Path, ours: Iterable[int]) -> None:
        """Begin, with a file for what it prints; `ours` are open files that a fork must not hold."""
        if isinstance(self.work, str):
            with log.open("ab") as out:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", self.work], env=dict(self.env), pass_fds=self.pass_fds,
                    stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                    preexec_fn=(lambda: os.nice(self.nice)) if self.nice else None,  # noqa: PLW1509 - we have no threads
                )  # fmt: skip
        else:
            not_mine = set(ours) - set(self.pass_fds)
            self.process = _FORK.Process(target=self._forked, args=(self.work, log, not_mine), daemon=True)
            self.process.start()
        self.started = time.monotonic()

    def _forked(self, work: Callable[[], None], log: Path, not_mine: Iterable[int]) -> None:
        os.setsid()  # Ctrl+C in the terminal is for the supervisor alone
        for name in _SIGNALS:
            signal.signal(name, signal.SIG_DFL)
        for fd in not_mine:
            os.close(fd)
        with log.open("ab") as out, Path(os.devnull).open("rb") as nothing:
            for fd, file in enumerate((nothing, out, out)):
                os.dup2(file.fileno(), fd)
        with contextlib.suppress(OSError):  # Linux alone: the name that `top` and `ps -e` show
            Path("/proc/self/comm").write_text(f"digilog-{self.name}", "utf-8")
        os.environ.update(self.env)
        work()

    def ended(self) -> int | None:
        if isinstance(self.process, BaseProcess):
            return self.process.exitcode
        return self.process.poll() if self.process else None

    def send(self, name: signal.Signals) -> None:
        if self.process and self.process.pid and self.ended() is None:
            os.kill(self.process.pid, name)


class Supervisor:
    """Starts the parts, restarts what dies, and stops them together.

    `web` and `engine` are those processes' main functions. `prefect`: its port, `auth`, and environment (as JSON
    under `env`); none: without it. Raises CannotStart if the home or a port is taken.
    """

    def __init__(
        self,
        home: Path,
        port: int,
        web: Callable[[], None],
        engine: Callable[[], None],
        prefect: Mapping[str, str] | None,
        host: str = "127.0.0.1",
    ) -> None:
        self.home, self.port, self.prefect, self.host = home, port, prefect, host
        self.web, self.engine = web, engine
        self.stopping = False
        self.parts: list[Part] = []
        self.told: dict[str, Any] = {}
        self.silence: Part | None = None
        self.lock = take_home(home)
        self.socket = _bind(port, host)
        self.port = self.socket.getsockname()[1]
        os.environ["DIGILOG_PORT"] = str(self.port)  # what was asked for may have been 0: any free one
        if prefect:
            _bind(int(prefect["port"])).close()  # says early that it is taken
        self.lifeline, self._held = os.pipe()

    def run(self) -> None:
        for name in _SIGNALS:
            signal.signal(name, self._stop)
        gc.collect()
        gc.freeze()  # what is here now is never looked at again, so its memory stays one with the children's
        web = self._part("web", self.web, {"DIGILOG_SOCKET_FD": str(self.socket.fileno())}, (self.socket.fileno(),))
        self._start(web, self._part("engine", self.engine))
        self.silence = self._silence()
        self._until(lambda: _answers(self.port, "/healthz", host=_dialled(self.host)))
        if not self.stopping:
            self._tell(ready=f"http://127.0.0.1:{self.port}")
        if self.prefect and not self.stopping:
            self._with_prefect(self.prefect)
        self._until(lambda: False)
        self._end()

    def _with_prefect(self, prefect: Mapping[str, str]) -> None:
        env = json.loads(prefect["env"])
        server = self._part("prefect-server", "flows.runs.server", env)
        self._start(server)
        login = "Basic " + base64.b64encode(prefect["auth"].encode()).decode()
        self._until(lambda: _answers(int(prefect["port"]), "/api/health", login))
        if not self.stopping:
            self._start(self._part("runs", "flows.runs", env))
            self._tell(prefect=f"http://127.0.0.1:{prefect['port']}")

    def _part(
        self, name: str, work: Callable[[], None] | str, env: Mapping[str, str] | None = None, fds: tuple[int, ...] = ()
    ) -> Part:
        whole = {**os.environ, **(env or {}), LIFELINE: str(self.lifeline)}
        return Part(name, work, whole, (*fds, self.lifeline))

    def _silence(self) -> Part:
        silence = self._part("silence", "flows.overdue")
        silence.again_at, silence.nice = time.monotonic() + EACH, 10
        return silence

    def _start(self, *parts: Part) -> None:
        for part in parts:
            self.parts.append(part)
            self._begin(part)

    def _begin(self, part: Part) -> None:
        part.start(self._log(part), (self.lock, self.socket.fileno(), self._held))
        if part.process and part is not self.silence:
            self._tell(parts={**self.told.get("parts", {}), part.name: part.process.pid})

    def _log(self, part: Part) -> Path:
        (self.home / "logs").mkdir(parents=True, exist_ok=True)
        return self.home / "logs" / f"{part.name}.out"

    def _until(self, done: object) -> None:
        """Watch the parts until `done()` or until stopped."""
        while not self.stopping and not (callable(done) and done()):
            for part in self.parts:
                self._watch(part)
            if self.silence:
                self._look(self.silence)
            time.sleep(0.05)

    def _watch(self, part: Part) -> None:
        now = time.monotonic()
        if part.process is None:
            if now >= part.again_at:
                self._begin(part)
            return
        code = part.ended()
        if code is None:
            return
        part.failures = 0 if now - part.started > STEADY else part.failures + 1
        pause = min(LONGEST_PAUSE, 0.05 * 4 ** (part.failures - 1)) if part.failures else 0.0
        part.process, part.again_at = None, now + pause
        self._tell(parts={name: pid for name, pid in self.told["parts"].items() if name != part.name})
        _say(f"{part.name} stopped ({_said(code)}) and is started again; see {self._log(part).with_suffix('.log')}")

    def _look(self, silence: Part) -> None:
        """Each minute: a short process that tells what did not happen; it needs no engine."""
        if silence.process and (code := silence.ended()) is not None:
            silence.process = None
            if code and not silence.failures:
                _say(f"silence cannot be told ({_said(code)}); see {self._log(silence)}")
            silence.failures = code
        if time.monotonic() < silence.again_at:
            return
        if isinstance(silence.process, subprocess.Popen):  # it hangs
            silence.process.kill()
            silence.process.wait()
        self._begin(silence)
        silence.again_at = time.monotonic() + EACH

    def _tell(self, **found: object) -> None:
        """Say it on screen, and keep it for the other commands: `ready`, `prefect`, `pid`, and the pids of `parts`."""
        self.told |= {"pid": os.getpid(), **found}
        if "ready" not in self.told:
            return
        file = self.home / "up.json"
        file.with_suffix(".tmp").write_text(json.dumps(self.told), "utf-8")
        file.with_suffix(".tmp").replace(file)
        for name, address in found.items():
            if isinstance(address, str):
                _say(f"{'Prefect ready' if name == 'prefect' else name} {address}")

    def _stop(self, *_: object) -> None:
        self.stopping = True

    def _end(self) -> None:
        for name in (signal.SIGTERM, signal.SIGKILL):
            for part in self._alive():
                part.send(name)
            until = time.monotonic() + PATIENCE
            while any(self._alive()) and time.monotonic() < until:
                time.sleep(0.05)
        (self.home / "up.json").unlink(missing_ok=True)
        _say("stopped")

    def _alive(self) -> Iterator[Part]:
        parts = [*self.parts, self.silence] if self.silence else self.parts
        return (part for part in parts if part.process and part.ended() is None)


def take_home(home: Path) -> int:
    """The home belongs to one `up`; the lock ends with its process, or when the number returned is closed.

    Raises CannotStart if it is taken.
    """
    (home / "locks").mkdir(parents=True, exist_ok=True)
    handle = os.open(home / "locks" / "up", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStart(
            f"digilog is already up on {home}; stop that one first, or give another folder with --home"
        ) from None
    return handle


def _bind(port: int, host: str = "127.0.0.1") -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError:
        if host != "127.0.0.1":
            raise CannotStart(f"{host} port {port} cannot be used: taken, or no address of this computer") from None
        raise CannotStart(
            f"port {port} is in use by another program; choose another with --port or --prefect-port"
        ) from None
    made.listen(1024)
    return made


def _answers(port: int, path: str, login: str = "", host: str = "127.0.0.1") -> bool:
    talk = http.client.HTTPConnection(host, port, timeout=2)
    try:
        here = {"Host": f"127.0.0.1:{port}"}  # a name that is served, whichever address is listened at
        talk.request("GET", path, headers=here | ({"Authorization": login} if login else {}))
        return talk.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        talk.close()


def _dialled(host: str) -> str:
    """The address at which this computer reaches what listens at `host`."""
    return "127.0.0.1" if host in {"0.0.0.0", "localhost"} else host  # noqa: S104 - it is compared, not bound


def _said(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit {code}"


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the terminal is where `up` talks
