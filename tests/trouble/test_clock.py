"""A clock that jumps: waits end once, a period runs once, the engine rests, and nothing is late for good."""

import os
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from flows.store import tables as t
from tests.conftest import Shop
from tests.trouble import company
from tests.trouble.accounts import kept
from tests.trouble.house import House, open_house, post

ZONE = "America/New_York"
SOAK = bool(os.environ.get("DIGILOG_SOAK"))  # at length
_LIBRARY = next(iter(sorted(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"))), None)


class Jumping:
    """A clock that goes wherever it is set."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def set(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)


def _jumps(shop: Shop) -> None:
    """From now on the shop's clock can go back."""
    shop.clock = shop.world.clock = Jumping(shop.clock.now())  # type: ignore[assignment]
    shop.restart()


def _move(shop: Shop, **length: float) -> None:
    shop.clock.set(shop.clock.now() + timedelta(**length))
    shop.work()  # fails if the engine never comes to rest


@pytest.mark.parametrize(
    "moves",
    [
        [{"days": 1}], [{"days": 1}, {"hours": -1}, {"hours": 3}], [{"hours": -1}, {"hours": 4}],
        [{"minutes": 119}, {"hours": -1}, {"hours": 2}], [{"days": 1}, {"days": -1}, {"days": 1}],
        [{"days": -30}, {"days": 31}],
    ],
)  # fmt: skip
def test_a_wait_ends_once_however_the_clock_jumps(shop: Shop, moves: list[dict[str, float]]) -> None:
    remind = shop.machine("remind", "ledger.record", {"kind": "visit_trial"})
    shop.open([{"id": "pause", "do": "기다린다", "wait": "2h"}, remind, shop.person("call", due="1h")])
    _jumps(shop)
    shop.asks()
    shop.work()
    for move in moves:
        _move(shop, **move)
    assert shop.story().count("remind done") == 1
    assert len(shop.all(t.exchange)) == 1
    assert len(shop.asked(step="call")) == 1
    told = [one.key for one in shop.calls.sent if not one.case]
    assert len(set(told)) == len(told)


def _daily(shop: Shop, at: str, zone: str, schedule: str) -> None:
    shop.files["company"] |= {"zone": zone, "country": "US"}
    at = str(Shop.moment(at).replace(tzinfo=ZoneInfo(zone)).astimezone(Shop.moment(at).tzinfo))[:16]
    shop.open([shop.person("count")], at=at, start={"schedule": schedule}, case="period", fields=None, stage="circle")
    _jumps(shop)
    shop.work()


def _periods(shop: Shop) -> list[str]:
    return sorted(case["period"] for case in shop.all(t.case))


@pytest.mark.parametrize(
    ("zone", "schedule", "begun"),
    [
        (ZONE, "daily 01:30", "2026-10-27 12:00"),  # on the first of November it is 01:30 twice
        ("Australia/Lord_Howe", "daily 02:15", "2026-09-29 12:00"),  # on the fourth of October half an hour is missing
        ("America/Santiago", "daily 00:00", "2026-09-02 12:00"),  # the sixth of September begins at 01:00
    ],
)
def test_each_day_of_a_time_of_jumps_runs_once(shop: Shop, zone: str, schedule: str, begun: str) -> None:
    _daily(shop, begun, zone, schedule)
    chance = random.Random(schedule)
    since = shop.clock.now()
    end = since + timedelta(days=400 if SOAK else 10)
    while shop.clock.now() < end:
        _move(shop, hours=chance.choice([0.5, 1, 3, 5, 7, 9, -1, -0.25]))
    days = _periods(shop)
    first, last = date.fromisoformat(days[0]), date.fromisoformat(days[-1])
    assert first == since.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    assert last >= end.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
    assert days == [str(first + timedelta(days=number)) for number in range((last - first).days + 1)]


@dataclass
class Wound:
    """A house whose processes and commands live by a clock of their own, moved by a file."""

    house: House
    file: Path

    def at(self, moment: datetime) -> None:
        """It is now `moment`."""
        self.file.write_text(f"{(moment - datetime.now(UTC)).total_seconds():+.0f}", "utf-8")

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(self.file.read_text("utf-8")))

    def asked(self, step: str) -> list[str]:
        return [call.path for call in self.house.sink.calls if call.step == step]

    def rests(self) -> None:
        """Soon there are two seconds in which the engine hardly works; and nothing is called all the while."""
        before = len(self.house.sink.calls)
        self.house.wait(self._hardly_works, "the engine to rest")
        assert len(self.house.sink.calls) == before

    def _hardly_works(self) -> bool:
        engine = self.house.running["engine"].pid
        begun = _worked(engine)
        time.sleep(2)
        return _worked(engine) - begun < 1


def _worked(pid: int) -> float:
    """Seconds of processor time."""
    words = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def wind(tmp_path: Path, migrated: Path) -> Iterator[Callable[[str, datetime], Wound]]:
    """Opens a house at a moment, with a schedule."""
    opened = []

    def make(schedule: str, at: datetime) -> Wound:
        folder = tmp_path / "home"
        opening = open_house(folder, migrated, ZONE, visit=company.visit(), day=company.day(schedule))
        house = opening.__enter__()
        opened.append(opening)
        file = tmp_path / "clock"
        house.more = {
            "LD_PRELOAD": str(_LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
        }  # fmt: skip
        made = Wound(house, file)
        made.at(at)
        house.start()
        return made

    yield make
    for one in opened:
        one.__exit__(None, None, None)


def _changes(year: int) -> tuple[datetime, datetime]:
    """Ten in the morning on the two days of a year on which the zone's clocks are changed."""
    zone, found = ZoneInfo(ZONE), []
    for day in range(1, 366):
        noon = datetime(year, 1, 1, 10, tzinfo=zone) + timedelta(days=day)
        if noon.utcoffset() != (noon - timedelta(days=1)).utcoffset():
            found.append(noon)
    return found[0], found[1]


@pytest.mark.skipif(_LIBRARY is None, reason="faketime is not installed")
@pytest.mark.parametrize(("change", "schedule"), [(0, "daily 02:30"), (1, "daily 01:30")], ids=["spring", "autumn"])
def test_real_processes_outlast_a_clock_that_jumps(
    wind: Callable[[str, datetime], Wound], change: int, schedule: str
) -> None:
    morning = _changes(datetime.now(UTC).year + 1)[change]  # its 02:30 is not there, or its 01:30 is there twice
    before = morning - timedelta(days=1)
    wound = wind(schedule, before)
    house = wound.house
    assert post(house.port, "o1", wound.now()).status == 202
    house.wait(lambda: house.rows("SELECT 1 FROM \"case\" WHERE status = 'waiting'"), "the visit to wait")
    wound.rests()
    assert wound.asked("remind") == wound.asked("day") == []

    wound.at(morning)  # a day ahead
    house.wait(lambda: wound.asked("remind") and wound.asked("day"), "the wait to end and the day to be counted")
    house.wait(lambda: house.get("/readyz") == 200, "the engine to be seen")
    wound.at(morning - timedelta(hours=1))  # and an hour back
    assert post(house.port, "o2", wound.now()).status == 202
    house.wait(lambda: house.rows("SELECT 1 FROM \"case\" WHERE status = 'waiting'"), "the second visit to wait")
    wound.rests()
    assert house.get("/readyz") == 200
    wound.at(morning + timedelta(hours=2))
    house.wait(lambda: len(wound.asked("remind")) == 2, "the second wait to end")
    wound.at(morning + timedelta(days=1))
    house.wait(lambda: len(wound.asked("day")) == 2, "the next day to be counted")
    wound.rests()

    assert kept(house) == {"o1", "o2"}
    assert len(set(wound.asked("remind"))) == len(wound.asked("remind")) == 2
    assert len(set(wound.asked("day"))) == len(wound.asked("day")) == 2
    periods = [row[0] for row in house.rows("SELECT period FROM \"case\" WHERE playbook = 'day' ORDER BY period")]
    assert periods == [f"{morning:%Y-%m-%d}", f"{morning + timedelta(days=1):%Y-%m-%d}"]
    for words in ("cases", "work list"):
        code, said = house.digilog(*words.split())
        assert code == 0, said
        assert not re.search(r"(?<![\w-])-\d+ ?(s|m|h|d|min|hour|day)", said), said
    assert "Traceback" not in house.said()
