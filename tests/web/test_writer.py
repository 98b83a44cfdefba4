"""Writes that fall together: each is kept or refused by itself, and none is answered before it is on disk."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection

from flows.store.store import Store, open_store
from flows.store.write import set_setting, setting
from flows.web.writer import StoreBusy, Writer


def _keep(name: str) -> Callable[[Connection], str]:
    def work(session: Connection) -> str:
        set_setting(session, name, "kept")
        if name == "bad":
            raise ValueError("poison")
        return name

    return work


def _kept(store: Store, name: str) -> bool:
    with store.read() as session:
        return setting(session, name) == "kept"


def test_a_poisoned_write_takes_back_its_own_rows_only(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    commits: list[int] = []
    writer = Writer(store, after=lambda: commits.append(1))
    gate = threading.Event()

    async def all_at_once() -> list[object]:
        first = asyncio.create_task(writer.write(lambda _: gate.wait(5)))  # holds the thread while the others queue
        rest = [asyncio.create_task(writer.write(_keep(name))) for name in ("a", "bad", "b")]
        await asyncio.sleep(0.1)
        gate.set()
        return [await first, *await asyncio.gather(*rest, return_exceptions=True)]

    held, a, bad, b = asyncio.run(all_at_once())
    assert (held, a, b) == (True, "a", "b")
    assert isinstance(bad, ValueError)
    assert [_kept(store, name) for name in ("a", "bad", "b")] == [True, False, True]
    writer.close()
    assert len(commits) <= 2  # the three that waited shared one
    store.close()


def test_a_write_that_waited_too_long_is_refused_and_never_done(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    writer = Writer(store)
    gate = threading.Event()

    async def impatient() -> None:
        first = asyncio.create_task(writer.write(lambda _: gate.wait(5)))
        await asyncio.sleep(0.05)
        with pytest.raises(StoreBusy):
            await writer.write(_keep("late"), patience=0.05)
        gate.set()
        await first

    asyncio.run(impatient())
    writer.close()
    assert not _kept(store, "late")
    store.close()
