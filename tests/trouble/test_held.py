"""A store that another program holds: refused with a time to come again, and worked on when it lets go."""

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.trouble.accounts import kept, settled, wrong
from tests.trouble.house import House, open_house, post

HELD = 10  # seconds


@pytest.fixture
def house(tmp_path: Path, migrated: Path) -> Iterator[House]:
    with open_house(tmp_path / "home", migrated) as found:
        yield found


@contextmanager
def _holding(house: House) -> Iterator[None]:
    """Another program has begun to write, and does not end."""
    with closing(sqlite3.connect(house.home / "digilog.db", isolation_level=None, timeout=10)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()


def test_a_store_held_for_ten_seconds_refuses_and_loses_nothing(house: House) -> None:
    house.start()
    assert post(house.port, "before").status == 202
    ids = [f"held-{number}" for number in range(20)]
    with ThreadPoolExecutor(len(ids)) as pool:
        with _holding(house):
            begun = time.monotonic()
            replies = list(pool.map(partial(post, house.port), ids))
            assert {reply.status for reply in replies} == {503}
            assert all(reply.retry_after for reply in replies)
            assert kept(house) == {"before"}
            assert house.get("/healthz") == 200
            time.sleep(max(0, HELD - (time.monotonic() - begun)))
        for id in ids:
            house.wait(lambda one=id: post(house.port, one).status == 202, f"{id} to be taken", 10)
    house.wait(lambda: settled(house, len(ids) + 1), "every order to come to its end")
    assert wrong(house, ["before", *ids]) == []
    assert not house.dead("web")
    assert not house.dead("engine")
    assert "Traceback" not in house.said()


def test_a_command_on_a_held_store_is_a_sentence(house: House) -> None:
    with _holding(house):
        for words in (("exchange", "inquiry", "--party", "010-1234-5678"), ("clock", "+1h")):
            code, said = house.digilog(*words)
            assert code == 1
            assert "Traceback" not in said
            assert "another program holds it" in said or "real clock" in said, said
