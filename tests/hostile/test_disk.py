"""A disk that fails, fills up or is held: never a 2xx for what was not kept, and everything goes on afterwards."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sweep.audit import audit
from tests.sweep.house import House, open_house
from tests.sweep.points import strace

POINTS = int(os.environ.get("DIGILOG_SOAK_DISK", "6"))  # the soak takes 40 and more
# what fails, with which error, from which call on and how often: `when=3+` fails until the disk is back
FAULTS = [
    (part, call, error, when)
    for when in ("1+", "2", "1", "2+", "3", "5+", "4", "3+")
    for part, call in (("web", "pwrite64"), ("web", "fdatasync"), ("engine", "pwrite64"), ("engine", "fdatasync"),
                       ("web", "write"), ("engine", "write"))
    for error in ("ENOSPC", "EIO")
    if (call, error) != ("fdatasync", "ENOSPC")
]  # fmt: skip


def _traces() -> str:
    """Why no fault can be injected here; nothing if it can."""
    if not shutil.which("strace"):
        return "strace is not installed"
    done = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False)
    return "" if done.returncode == 0 else "strace may not watch processes here"


@pytest.fixture
def house(tmp_path: Path, migrated: Path) -> Iterator[House]:
    with open_house(tmp_path / "home", migrated) as found:
        yield found


def _answered(house: House, id: str, seconds: float) -> bool:
    return house.send(id, time.monotonic() + seconds)


def _kept(house: House, id: str) -> bool:
    return bool(house.rows("SELECT id FROM event WHERE key = ?", id))


def _alive(house: House) -> None:
    """What died is started again, as the supervisor does."""
    for part in ("web", "engine"):
        if house.dead(part):
            house.start(part)


def _goes_on(house: House, *ids: str) -> list[str]:
    """After the disk is back all ids come to their end, each step as often as its class promises."""
    _alive(house)
    for id in ids:
        assert _answered(house, id, 20), id
    house.wait(lambda: house.settled(len(ids)), "every case to end")
    return [wrong for id in ids for wrong in audit(house, id, answered=True).wrong]


def _said(house: House) -> str:
    return "".join(file.read_text("utf-8", "replace") for file in house.home.glob("*.out"))


@pytest.mark.skipif(bool(_traces()), reason=_traces() or "-")
def test_a_failing_disk_never_gives_a_false_2xx(house: House) -> None:
    house.start("web", "engine")
    ids = ["before"]
    assert _answered(house, "before", 10)
    wrong, refused = [], 0
    for number, (part, call, error, when) in enumerate(FAULTS[:POINTS]):
        id = f"during-{number}"
        _alive(house)
        with strace(house, part, f"trace={call}", f"inject={call}:error={error}:when={when}"):
            answered = _answered(house, id, 0.6)
            refused += not answered
            if answered and not _kept(house, id):
                wrong.append(f"{id}: {part} {call} {error} {when} was answered 2xx and is not in the store")
        ids.append(id)
    assert refused, "no fault was ever met"
    assert wrong + _goes_on(house, *ids) == []
    assert "Traceback" not in _said(house)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_is_full_refuses_and_goes_on_when_there_is_room(tmp_path: Path, migrated: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", disk], capture_output=True, check=False
    ).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        with open_house(disk / "home", migrated) as house:
            house.start("web", "engine")
            assert _answered(house, "before", 10)
            house.wait(house.settled, "the first case to end")
            filler = disk / "filler"
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                while True:
                    file.write(b"x" * 4096)
            answered = {f"full-{number}": _answered(house, f"full-{number}", 0.3) for number in range(8)}
            filler.unlink()
            ids = ["before", *answered]
            assert _goes_on(house, *ids) == []
            assert not all(answered.values())
            assert "Traceback" not in _said(house)
    finally:
        subprocess.run(["umount", "-l", disk], check=False)


def test_a_store_that_another_holds_is_waited_for(house: House) -> None:
    house.start("web", "engine")
    holder = sqlite3.connect(house.home / "digilog.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    assert not _answered(house, "held", 7)
    assert not _kept(house, "held")
    said = subprocess.run(
        [sys.executable, "-m", "flows.cli", "clock", "+1h", "--home", str(house.home)], capture_output=True, text=True,
        env=house.env(), check=False, timeout=30,
    )  # fmt: skip
    assert "Traceback" not in said.stderr
    time.sleep(max(0, 10 - (time.monotonic() - begun)))
    holder.rollback()
    holder.close()
    assert _goes_on(house, "held") == []
    assert not house.dead("web")
    assert not house.dead("engine")
    assert "Traceback" not in _said(house)


def test_a_command_on_a_held_store_is_a_sentence(house: House) -> None:
    words = ("exchange", "inquiry", "--party", "010-1234-5678")
    with contextlib.closing(sqlite3.connect(house.home / "digilog.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        said = subprocess.run(
            [sys.executable, "-m", "flows.cli", *words, "--home", str(house.home)], capture_output=True, text=True,
            env=house.env(), check=False, timeout=30,
        )  # fmt: skip
    assert said.returncode == 1
    assert "Traceback" not in said.stderr
    assert "another program holds it" in said.stderr
