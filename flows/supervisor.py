"""`python -m flows.supervisor`: holds the listening socket and keeps the processes of `digilog up` alive.

Standard library alone, so that it is small and has little to fail. Everything it needs stands in its environment,
set by `digilog up`.
"""

import base64
import contextlib
import fcntl
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flows.process import LIFELINE

LONGEST_PAUSE = 30.0  # seconds between restarts
STEADY = 20.0  # a part that ran this long starts again at once
PATIENCE = 12.0  # seconds for a clean stop
EACH = 60.0  # seconds between two looks at what is silent


class CannotStart(Exception):  # noqa: N818
    """`up` cannot start; the sentence says why and what to do."""


@dataclass
class Part:
    """One child process."""

    name: str
    command: list[str]
    env: Mapping[str, str]
    pass_fds: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started: float = 0.0
    again_at: float = field(default=0.0)
    nice: int = 0  # how far it steps back for the others

    def start(self, log: Path) -> None:
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command, env=dict(self.env), pass_fds=self.pass_fds, stdin=subprocess.DEVNULL, stdout=out,
                stderr=out, start_new_session=True,
                preexec_fn=(lambda: os.nice(self.nice)) if self.nice else None,  # noqa: PLW1509 - we have no threads
            )  # fmt: skip
        self.started = time.monotonic()

    def ended(self) -> int | None:
        return self.process.poll() if self.process else None


class Supervisor:
    """Starts the parts, restarts what dies, and stops them together."""

    def __init__(self, home: Path, port: int, prefect: Mapping[str, str] | None) -> None:
        self.home, self.port, self.prefect = home, port, prefect
        self.stopping = False
        self.parts: list[Part] = []
        self.silence: Part | None = None
        self.lock = take_home(home)
        self.socket = _bind(port)
        self.port = self.socket.getsockname()[1]
        os.environ["DIGILOG_PORT"] = str(self.port)  # what was asked for may have been 0: any free one
        if prefect:
            _bind(int(prefect["port"])).close()  # says early that it is taken
        self.lifeline, self._held = os.pipe()

    def run(self) -> None:
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(name, self._stop)
        web = self._part("web", {"DIGILOG_SOCKET_FD": str(self.socket.fileno())}, (self.socket.fileno(),))
        engine = self._part("engine", {})
        self._start(web, engine)
        self.silence = self._silence()
        self._until(lambda: _answers(self.port, "/healthz"))
        if not self.stopping:
            self._tell(ready=f"http://127.0.0.1:{self.port}")
        if self.prefect and not self.stopping:
            self._with_prefect(self.prefect)
        self._until(lambda: False)
        self._end()

    def _with_prefect(self, prefect: Mapping[str, str]) -> None:
        env = json.loads(prefect["env"])
        server = self._part("prefect-server", env, module="flows.runs.server")
        self._start(server)
        login = "Basic " + base64.b64encode(prefect["auth"].encode()).decode()
        self._until(lambda: _answers(int(prefect["port"]), "/api/health", login))
        if not self.stopping:
            self._start(self._part("runs", env))
            self._tell(prefect=f"http://127.0.0.1:{prefect['port']}")

    def _part(self, name: str, env: Mapping[str, str], fds: tuple[int, ...] = (), module: str | None = None) -> Part:
        command = [sys.executable, "-m", module or f"flows.{name}"]
        return Part(name, command, {**os.environ, **env, LIFELINE: str(self.lifeline)}, (*fds, self.lifeline))

    def _silence(self) -> Part:
        env = {**os.environ, LIFELINE: str(self.lifeline)}
        command = [sys.executable, "-m", "flows.overdue"]
        return Part("silence", command, env, (self.lifeline,), again_at=time.monotonic() + EACH, nice=10)

    def _start(self, *parts: Part) -> None:
        for part in parts:
            part.start(self._log(part))
            self.parts.append(part)

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
                part.start(self._log(part))
            return
        code = part.ended()
        if code is None:
            return
        part.failures = 0 if now - part.started > STEADY else part.failures + 1
        pause = min(LONGEST_PAUSE, 0.05 * 4 ** (part.failures - 1)) if part.failures else 0.0
        part.process, part.again_at = None, now + pause
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
        if silence.process:  # it hangs
            silence.process.kill()
            silence.process.wait()
        silence.start(self._log(silence))
        silence.again_at = time.monotonic() + EACH

    def _tell(self, **found: str) -> None:
        """Say it on screen, and keep it for the other commands."""
        file = self.home / "up.json"
        known = json.loads(file.read_text("utf-8")) if file.exists() and "ready" not in found else {}
        known |= {"pid": os.getpid(), **found}
        file.with_suffix(".tmp").write_text(json.dumps(known), "utf-8")
        file.with_suffix(".tmp").replace(file)
        for name, address in found.items():
            _say(f"{'Prefect ready' if name == 'prefect' else name} {address}")

    def _stop(self, *_: object) -> None:
        self.stopping = True

    def _end(self) -> None:
        for name in (signal.SIGTERM, signal.SIGKILL):
            for part in self._alive():
                with contextlib.suppress(ProcessLookupError):
                    part.process.send_signal(name)  # type: ignore[union-attr]
            until = time.monotonic() + PATIENCE
            while any(self._alive()) and time.monotonic() < until:
                time.sleep(0.05)
        (self.home / "up.json").unlink(missing_ok=True)
        _say("stopped")

    def _alive(self) -> Iterator[Part]:
        parts = [*self.parts, self.silence] if self.silence else self.parts
        return (part for part in parts if part.process and part.process.poll() is None)


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


def _bind(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(("127.0.0.1", port))
    except OSError:
        raise CannotStart(
            f"port {port} is in use by another program; choose another with --port or --prefect-port"
        ) from None
    made.listen(1024)
    return made


def _answers(port: int, path: str, login: str = "") -> bool:
    talk = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        talk.request("GET", path, headers={"Authorization": login} if login else {})
        return talk.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        talk.close()


def _said(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit {code}"


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the terminal is where `up` talks


def main() -> None:
    env = os.environ
    prefect = json.loads(env.pop("DIGILOG_PREFECT", "null"))
    try:
        Supervisor(Path(env["DIGILOG_HOME"]), int(env["DIGILOG_PORT"]), prefect).run()
    except CannotStart as error:
        _say(f"digilog: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main()
