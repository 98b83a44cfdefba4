"""A running system: bursts, kills, restarts, stops, and files that change under it."""

import asyncio
import http.client
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.signatures import sign_standard
from tests.system.conftest import ORDER, PATIENCE, SECRET, Up


def test_a_thousand_webhooks_at_once_are_all_accepted_and_all_done(shop: Up) -> None:
    shop.start()
    statuses = asyncio.run(burst(shop.port, 1_000))
    assert set(statuses) == {202}
    shop.wait(lambda: shop.ended() == 1_000, "a thousand cases to end", 40)
    assert shop.count("exchange") == 1_000
    assert len(list((shop.home / "outbox").glob("*.txt"))) == 1_000


async def burst(port: int, many: int) -> list[int]:
    return await asyncio.gather(*(_one(port, f"o{number}") for number in range(many)))


async def _one(port: int, id: str) -> int:
    raw = json.dumps({"email": f"{id}@example.com", "what": id}).encode()
    head = {"host": f"127.0.0.1:{port}", "content-length": len(raw), "connection": "close"}
    head |= sign_standard(SECRET, id, datetime.now(UTC), raw)
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST /in/orders HTTP/1.1\r\n{lines}\r\n".encode() + raw)
    answer = await reader.read()
    writer.close()
    return int(answer.split()[1])


def test_while_web_starts_again_nobody_is_refused(shop: Up) -> None:
    shop.start()
    assert shop.order("before") == 202
    was, since, took = shop.parts()["web"], time.monotonic(), 0.0
    shop.kill("web")
    number = 0
    while not took:
        number += 1
        assert time.monotonic() - since < PATIENCE, "web did not come back"
        try:
            if shop.order(f"during-{number}") == 202 and shop.parts().get("web") not in {None, was}:
                took = time.monotonic() - since
        except ConnectionRefusedError:
            pytest.fail("a connection was refused")
        except (http.client.HTTPException, ConnectionError):
            continue  # it was in flight when web died; a sender repeats
    assert took < 8
    shop.wait(lambda: shop.ended() == shop.count("event WHERE connection = 'orders'"), "all of them to end")


def test_a_killed_engine_is_started_again_and_goes_on(shop: Up) -> None:
    shop.start()
    shop.kill("engine")
    assert shop.order("while-away") == 202
    shop.wait(lambda: shop.ended() == 1, "the case to end")
    assert "engine stopped (killed by signal 9) and is started again" in shop.said()


def test_when_the_supervisor_is_killed_its_processes_end(shop: Up) -> None:
    shop.start()
    parts = list(shop.parts().values())
    assert len(parts) == 2
    shop.close()
    shop.wait(lambda: not any(map(_lives, parts)), "the parts to end", 5)
    shop.start()  # what was left behind does not hinder the next one
    assert shop.order("afterwards") == 202
    shop.wait(lambda: shop.ended() == 1, "the case to end")


def test_a_stopped_system_leaves_nothing_running_and_goes_on_where_it_stood(shop: Up) -> None:
    (shop.playbooks / "order.yaml").write_text(ORDER + _ASK, "utf-8")
    for number in (1, 2, 3):
        shop.start()
        parts = list(shop.parts().values())
        assert shop.order(f"o{number}") == 202
        shop.wait(lambda number=number: shop.count("assignment WHERE state = 'open'") == number, "an assignment")
        assert shop.stop() == 0
        assert not any(map(_lives, parts))
        assert not (shop.home / "up.json").exists()
    assert shop.count("exchange") == 3
    assert shop.count("\"case\" WHERE status = 'assigned'") == 3


_ASK = """\
  - {id: pack, do: Pack the tea, by: owner, due: 1d, by_hand: 5m, serves: [s1], expect: it is packed}
"""


def test_changed_files_are_loaded_and_broken_ones_are_not(shop: Up) -> None:
    shop.start()
    (shop.playbooks / "order.yaml").write_text(ORDER + _ASK, "utf-8")
    shop.wait(lambda: "the playbooks were loaded again" in shop.log("engine"), "the engine to load them", 6)
    assert shop.order("o1") == 202
    shop.wait(lambda: shop.count("assignment WHERE step = 'pack'") == 1, "the new step")

    (shop.playbooks / "order.yaml").write_text(ORDER.replace("ledger.record", "ledger.recrod"), "utf-8")
    shop.wait(lambda: "ledger.recrod: no such action" in shop.log("engine"), "the engine to say what is wrong", 6)
    assert "the last good ones stay" in shop.log("engine")
    assert shop.order("o2") == 202
    shop.wait(lambda: shop.count("assignment WHERE step = 'pack'") == 2, "the last good files to be used")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text("utf-8").split()[2] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
