"""A disk that fails at any one call, for a while, or is full: never a 2xx for what was not kept, and all goes on."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from tests.trouble import company
from tests.trouble.accounts import kept, settled, wrong
from tests.trouble.house import PARTS, House, open_house, post
from tests.trouble.tracer import NO_STRACE, strace

SOAK = bool(os.environ.get("DIGILOG_SOAK"))  # at length
LAST = 200 if SOAK else 60  # the soak lets each of the calls 1..200 fail once
APART = 20  # so many calls from one that fails to the next, in one life of a process: most turns come through
STARTS = range(1, APART + 1) if SOAK else (1, 8, 15)
LASTING = ("1+", "2+", "3+", "5+") if SOAK else ("3+",)
ERRORS = ("ENOSPC", "EIO", "EROFS")  # full, broken, turned read-only


needs_strace = pytest.mark.skipif(bool(NO_STRACE), reason=NO_STRACE or "-")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk")


@dataclass
class Shop:
    """A house and what its senders heard."""

    house: House
    ids: list[str] = field(default_factory=list)
    heard: Counter[int] = field(default_factory=Counter)
    false: list[str] = field(default_factory=list)

    def send(self, patience: float = 10) -> int:
        """One webhook more, sent once; a 2xx must stand in the store."""
        id = f"o{len(self.ids)}"
        self.ids.append(id)
        reply = post(self.house.port, id, timeout=patience)
        self.heard[reply.status] += 1
        if reply.status == 202 and id not in kept(self.house):
            self.false.append(f"{id} was answered 202 and is not in the store")
        if reply.status == 503 and not reply.retry_after:
            self.false.append(f"{id} was refused without Retry-After")
        return reply.status

    def _taken(self, id: str) -> bool:
        return post(self.house.port, id).status == 202

    def heals(self) -> list[str]:
        """The disk is back: senders repeat everything, and all of it comes to its end. Returns what is wrong."""
        self.house.start()
        for id in self.ids:
            self.house.wait(partial(self._taken, id), f"{id} to be taken", 10)
        self.house.wait(lambda: settled(self.house, len(self.ids)), "every case to end")
        said = ["a traceback"] if "Traceback" in self.house.said() else []
        return [*self.false, *wrong(self.house, self.ids), *said]


@pytest.fixture
def shop(tmp_path: Path, migrated: Path) -> Iterator[Shop]:
    with open_house(tmp_path / "home", migrated) as house:
        found = Shop(house)
        house.start()
        yield found


def _calls(log: Path) -> tuple[int, int]:
    """How many calls the busiest thread made, and how many of all failed as asked."""
    threads: Counter[str] = Counter()
    failed = 0
    for line in log.read_text("utf-8", "replace").splitlines():
        if found := re.match(r"(\d+) +\w+\(", line):
            threads[found[1]] += 1
        failed += "(INJECTED)" in line
    return max(threads.values(), default=0), failed


@needs_strace
@pytest.mark.parametrize("error", ERRORS[:2])
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
def test_no_write_or_sync_that_fails_gives_a_false_2xx(shop: Shop, call: str, error: str) -> None:
    points = 0
    for part in PARTS:
        for start in STARTS:
            log = shop.house.home / f"{part}-{start}.strace"
            when = f"{start}..{LAST}+{APART}"
            shop.house.start()
            with strace(
                shop.house.running[part].pid, f"trace={call}", f"inject={call}:error={error}:when={when}", log=log
            ):
                until = time.monotonic() + 120
                while _calls(log)[0] < LAST - APART + start and time.monotonic() < until:
                    shop.send()
                    time.sleep(0.02 if part == "engine" else 0)  # else events come faster than it works
            points += _calls(log)[1]
    assert shop.heals() == []
    assert set(shop.heard) == {202, 503}, shop.heard
    assert points >= len(PARTS) * len(STARTS) * LAST // APART * 0.9
    print(f"{call} {error}: {points} points, {dict(shop.heard)}")


@needs_strace
@pytest.mark.parametrize("error", ERRORS)
def test_a_disk_that_fails_until_it_is_back_is_outlasted(shop: Shop, error: str) -> None:
    for when in LASTING:
        for part in PARTS:
            faults = [f"inject={call}:error={error}:when={when}" for call in ("pwrite64", "fdatasync", "ftruncate")]
            shop.house.start()
            with strace(shop.house.running[part].pid, "trace=pwrite64,fdatasync,ftruncate", *faults):
                statuses = [shop.send() for _ in range(4)]
                time.sleep(0.3)
            assert part == "engine" or 503 in statuses, "no fault was ever met"
    assert shop.heals() == []
    assert set(shop.heard) == {202, 503}, shop.heard


@needs_strace
@pytest.mark.parametrize("part", PARTS)
def test_a_part_whose_other_writes_fail_harms_nobody(shop: Shop, part: str) -> None:
    """Logs, files and its own wakes: it may die of that, and is started again."""
    for error in ERRORS if SOAK else ERRORS[1:2]:
        shop.house.start()
        with strace(shop.house.running[part].pid, "trace=write,fsync", f"inject=write,fsync:error={error}:when=2+"):
            for _ in range(3):
                shop.send(0.5)
    assert shop.heals() == []
    assert set(shop.heard) <= {0, 202, 503}, shop.heard


@contextlib.contextmanager
def _disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("nothing may be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


@needs_root
def test_a_disk_that_is_full_refuses_and_goes_on_when_there_is_room(tmp_path: Path, migrated: Path) -> None:
    with _disk(tmp_path / "disk") as disk, open_house(disk / "home", migrated) as house:
        shop = Shop(house)
        shop.house.start()
        assert shop.send() == 202
        house.wait(lambda: settled(house, 1), "the first case to end")
        filler = disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        answered = [shop.send() for _ in range(30)]
        filler.unlink()
        assert shop.heals() == []
        assert 503 in answered


@needs_root
def test_a_home_that_may_not_be_written_is_a_sentence(tmp_path: Path, migrated: Path) -> None:
    with _disk(tmp_path / "disk") as disk:
        shutil.copy(migrated, disk / "digilog.db")
        company.write(tmp_path / "company", "http://127.0.0.1:9")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        for words in ("up --no-prefect --port 0", "exchange inquiry --party 010-1234-5678", "cases", "clock +1h"):
            code, said = _digilog(disk, tmp_path / "company", *words.split())
            assert code == 1, said
            assert re.search("may not be written; check|disk is read-only; check|Read-only file system; check", said), (
                said
            )
            assert "Traceback" not in said


def _digilog(home: Path, playbooks: Path, *words: str) -> tuple[int, str]:
    """How a command ends, and what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", *words, "--home", str(home), "--playbooks", str(playbooks)],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr
