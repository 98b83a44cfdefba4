"""strace on a process that works already: what it did to start is not counted."""

import contextlib
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path


def _missing() -> str:
    """Why no fault can be injected here; nothing if it can."""
    if not shutil.which("strace"):
        return "strace is not installed"
    done = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False)
    return "" if done.returncode == 0 else "strace may not watch processes here"


NO_STRACE = _missing()


@contextlib.contextmanager
def strace(pid: int, *expressions: str, log: Path | None = None) -> Iterator[None]:
    """Trace and inject as the expressions say (`-e`), until this is left; every thread counts for itself."""
    command = ["strace", "-f", "-p", str(pid), "-o", str(log or "/dev/null")]
    command += [word for one in expressions for word in ("-e", one)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True) as tracer:
        try:
            _attached(tracer)
            yield
        finally:
            if tracer.poll() is None:
                tracer.send_signal(signal.SIGINT)
            try:
                tracer.wait(3)
            except subprocess.TimeoutExpired:
                tracer.kill()


def _attached(tracer: subprocess.Popen[bytes]) -> None:
    said, until = b"", time.monotonic() + 5
    while b"attached" not in said:
        assert tracer.stderr
        ready = select.select([tracer.stderr], [], [], max(0, until - time.monotonic()))[0]
        more = tracer.stderr.read1(4096) if ready else b""  # type: ignore[attr-defined]
        assert more, f"strace did not attach: {said.decode().strip()}"
        said += more
