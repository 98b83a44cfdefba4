"""A warm parent: it has imported what the parts need and has one thread, so that its children start at once."""

import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MOST = 100_000  # bytes of a wish: a module, its words and its environment
_FDS = 8


@dataclass(frozen=True)
class Child:
    """A process that somebody else started; what it needs of `subprocess.Popen`. `handle`: a pidfd, ours to close."""

    pid: int
    handle: int

    def poll(self) -> int | None:
        """None while it runs. How it ended only its parent knows."""
        return 0 if self._ended(0) else None

    def send_signal(self, number: int) -> None:
        signal.pidfd_send_signal(self.handle, number)

    def wait(self, timeout: float | None = None) -> int:
        if not self._ended(timeout):
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return 0

    def _ended(self, timeout: float | None) -> bool:
        look = select.poll()  # `select` takes no number above 1023
        look.register(self.handle, select.POLLIN)
        return bool(look.poll(None if timeout is None else timeout * 1000))

    def __del__(self) -> None:
        os.close(self.handle)


class Nursery:
    """Starts a module's `main` in a fork of a process that has imported it. Any thread may ask."""

    def __init__(self, env: Mapping[str, str], *modules: str) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._asking = threading.Lock()
        command = [sys.executable, "-m", "tests.sweep.warm", str(theirs.fileno()), *modules]
        with theirs:
            self._process = subprocess.Popen(command, env=env, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)

    def start(
        self, module: str, env: Mapping[str, str], out: int, fds: Mapping[str, int], words: Sequence[str] = ()
    ) -> Child:
        """`fds`: numbers of open files by the variable that tells the child its own number of it."""
        wish = json.dumps({"module": module, "env": dict(env), "words": list(words), "fds": list(fds)}).encode()
        with self._asking:
            socket.send_fds(self._line, [wish], [out, *fds.values()])
            pid = int(self._line.recv(32))
            return Child(pid, os.pidfd_open(pid))  # before it can be reaped: the parent waits for our next wish

    def close(self) -> None:
        self._line.close()
        self._process.wait(10)


def main() -> None:
    """Import, then fork a child for each wish until whoever wishes is gone."""
    line = socket.socket(fileno=int(sys.argv[1]))
    for module in sys.argv[2:]:
        importlib.import_module(module)
    while True:
        wish, fds, _, _ = socket.recv_fds(line, _MOST, _FDS)
        if not wish:
            return
        _reap()
        if len(list(Path("/proc/self/task").iterdir())) != 1:
            sys.exit("an import has started a thread: children would be born without it")
        pid = os.fork()
        if pid == 0:
            line.close()
            _live(json.loads(wish), fds)
        line.send(str(pid).encode())
        for one in fds:
            os.close(one)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _live(wish: Mapping[str, Any], fds: Sequence[int]) -> None:
    """Be the module, as `python -m` would start it."""
    code = 1
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, one in enumerate((nothing, fds[0], fds[0])):
            os.dup2(one, number)
        os.environ.clear()
        os.environ.update(wish["env"])
        os.environ.update(zip(wish["fds"], map(str, fds[1:]), strict=True))
        module = str(wish["module"])
        sys.argv = [str(Path(sys.modules[module].__file__ or module)), *wish["words"]]
        sys.modules[module].main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:  # noqa: BLE001 - the interpreter would print it too
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
