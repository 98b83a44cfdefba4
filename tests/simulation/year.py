"""A year of daily pulls: the real engine, store and pull over a source with a known truth, while things go wrong.

Engine off for days, source away for hours or days, answers that are none, clocks that jump, days of 23 and 25 hours,
numbers that change late and days that come late. In the end the ledger must say what the source says.
"""

import json
import random
from collections import Counter as Tally
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from flows.engine.books import open_book
from flows.engine.calls import perform
from flows.engine.effects import Answer, Sending
from flows.engine.engine import Engine
from flows.engine.world import World
from flows.ledger.pull.planning import Wish
from flows.ledger.pull.pulling import Puller
from flows.ledger.readings import Key, current, current_of
from flows.ledger.series import days, series
from flows.people.links import Links
from flows.store import tables as t
from flows.store.read import rows
from flows.store.store import Store, open_store
from tests.simulation import company
from tests.simulation.world import Wrong
from tests.simulation.year_source import Counter, Service, State, Trouble, Truth

LOOKS = (time(0, 20), time(2, 10), time(3, 5), time(6, 33), time(8, 40), time(14), time(20), time(23, 40))
QUIET = 9  # days at the end on which nothing goes wrong, so that all of before is settled
STEP = {"do": "숫자를 모은다", "by": "machine", "by_hand": "9m", "expect": "적혀 있다",
        "fallback": {"by": "manager", "do": "손으로 적는다"}}  # fmt: skip
Known = Mapping[tuple[str, date], Decimal | None]


@dataclass(frozen=True, slots=True)
class Plan:
    """Where and when a year is played."""

    seed: int
    zone: str
    abroad: str  # the zone of the second source
    first: date
    length: int = 400  # days
    at: str = "06:30"


class Wall:
    """The clock on the machine's wall: the true time, and how far it is wrong."""

    def __init__(self, true: datetime) -> None:
        self.true, self.wrong = true, timedelta()

    def now(self) -> datetime:
        return self.true + self.wrong


class AtOnce:
    """A caller that makes each call when it is told to."""

    def __init__(self, world: World, store: Store) -> None:
        self._world, self._store, self._back = world, store, list[Answer]()
        self.free = 100

    def submit(self, sending: Sending) -> None:
        self._back.append(perform(self._world, self._store, sending))

    def answers(self) -> list[Answer]:
        back, self._back = self._back, []
        return back


@dataclass
class Year:
    """One year in one zone. `tally` says what it met."""

    plan: Plan
    folder: Path
    tally: Tally[str] = field(default_factory=Tally)

    def play(self) -> None:
        """Raises Wrong with a sentence when a promise is broken."""
        plan = self.plan
        self.zone = ZoneInfo(plan.zone)
        self.chance = random.Random(f"{plan.seed}/{plan.zone}")
        self.wall = Wall(datetime.combine(plan.first, time(0, 10), self.zone).astimezone(UTC))
        self.running: set[date] = set()  # days on which the engine ran through from before the pull is due
        self.latest = self.wall.now()  # that the clock has ever said
        self.shots: list[tuple[datetime, Known]] = []
        self._open()
        left = {"off": 0, "down": 0, "away": 0, "refused": 0, "jump": 0}
        for number, day in enumerate(days(plan.first, plan.first + timedelta(days=plan.length - 1))):
            quiet = number < 3 or number >= plan.length - QUIET
            self._fate(left, quiet=quiet)
            self._day(day, off=left["off"] > 0)
        self._judge()
        self.store.close()

    def _open(self) -> None:
        plan = self.plan
        home = ZoneInfo(plan.zone)
        self.state = State(lambda: self.wall.true)
        for name, zone, settles in (("here", home, 3), ("abroad", ZoneInfo(plan.abroad), 6)):
            truth = Truth(f"{plan.seed}/{plan.zone}/{name}", zone, settles)
            self.state.services[name] = Service(truth, Trouble(random.Random(f"{plan.seed}/{name}")))
        Counter.state = self.state
        self._write()
        self.store = open_store(self.folder / "home")
        links = Links("http://127.0.0.1", b"key")
        self.world = World(open_book(self.folder / "playbooks"), self.wall, links, self.folder / "home",
                           chance=random.Random(1))  # fmt: skip
        self._start()

    def _write(self) -> None:
        folder = self.folder / "playbooks"
        folder.mkdir(parents=True)
        pull = {**STEP, "id": "pull", "use": "metrics.pull"}
        fill = {**STEP, "id": "fill", "use": "metrics.pull", "with": {"holes": "yes"}}
        files = {
            "company": company.COMPANY | {
                "zone": self.plan.zone, "mediums": {},
                "connections": {name: {"connector": "counter"} for name in self.state.services},
            },
            "canvas": company.CANVAS,
            "metrics": {"metrics": {
                name: {"label": name, "on": "apply", "source": {"use": use}, "absent_day": absent,
                       "settle_days": settle}
                for name, use, absent, settle in (
                    ("clicks", "here.readings", "zero", 3), ("reach", "here.readings", "unknown", 3),
                    ("cost", "abroad.readings", "zero", 7), ("views", "abroad.readings", "unknown", 7),
                )
            }},
            "daily": {
                "playbook": "daily", "title": "매일", "state": "operate", "system": "revenue", "stage": "apply",
                "owner": "manager", "purpose": "적혀 있다", "start": {"schedule": f"daily {self.plan.at}",
                "missed": "newest"}, "case": "period", "steps": [pull, fill],
            },
        }  # fmt: skip
        for name, content in files.items():
            (folder / f"{name}.yaml").write_text(json.dumps(content, ensure_ascii=False))

    def _start(self) -> None:
        self.engine = Engine(self.store, self.world, AtOnce(self.world, self.store))
        self.engine.recover()

    def _fate(self, left: dict[str, int], *, quiet: bool) -> None:
        """What goes wrong today, and what is over."""
        for name in left:
            left[name] = max(0, left[name] - 1)
        if quiet:
            left |= dict.fromkeys(left, 0)
        chance, services = self.chance, self.state.services
        if not quiet:
            for name, likely, lengths in (("off", 0.05, (1, 2, 3, 6, 12)), ("down", 0.06, (1, 1, 2, 4)),
                                          ("away", 0.05, (1, 3, 9)), ("refused", 0.02, (1, 5))):  # fmt: skip
                if not left[name] and chance.random() < likely:
                    left[name] = chance.choice(lengths)
                    self.tally[f"{name} for {left[name]} days"] += 1
        services["here"].trouble.down = left["down"] > 0
        services["abroad"].trouble.down = left["away"] > 0
        services["here"].trouble.refused = left["refused"] > 0
        for service in services.values():
            service.trouble.odd = 0.0 if quiet else chance.choice((0.0, 0.05, 0.5))
        self._jump(quiet=quiet)

    def _jump(self, *, quiet: bool) -> None:
        wrong = timedelta()
        if not quiet and self.chance.random() < 0.06:
            wrong = timedelta(minutes=self.chance.choice((-600, -61, -5, 5, 90, 360)))
            self.tally["clock ahead" if wrong > timedelta() else "clock behind"] += 1
        if wrong < self.wall.wrong:  # what the clock says now, it has said before
            self.shots = [shot for shot in self.shots if shot[0] < self.wall.true + wrong]
        self.wall.wrong = wrong

    def _day(self, day: date, *, off: bool) -> None:
        through = not off and not self.wall.wrong
        for at in LOOKS:
            true = datetime.combine(day, at, self.zone).astimezone(UTC)
            self.wall.true = max(self.wall.true, true)
            if off:
                continue
            if self.chance.random() < 0.02:
                self.engine.claim.close()  # as a kill does
                self._start()
            self.latest = max(self.latest, self.wall.now())
            self._turns()
            self._between()
        if through:
            self.running.add(day)

    def _turns(self) -> None:
        for _ in range(30):
            if not self.engine.turn() and not self.engine.turn():
                return
        raise Wrong(f"at {self.wall.true} the engine never comes to rest")

    def _between(self) -> None:
        """Somebody pulls by hand, which changes nothing a second time; or looks, and remembers what was known."""
        if self.chance.random() < 0.03:
            puller = Puller(self.store, self.world.book, self.world.connection, self.wall)
            wish = Wish(self.chance.choice(("daily", "holes")))
            puller.pull(wish)
            before, troubled = self._count(), [one.trouble for one in self.state.services.values()]
            if not any(one.odd or one.down or one.refused for one in troubled):
                puller.pull(wish)
                self.tally["pulled twice"] += 1
                if self._count() != before:
                    raise Wrong(f"a second pull at {self.wall.true} changed {self._count() - before} rows")
        if self.chance.random() < 0.03 and self.wall.now() == self.latest:  # nothing is dated ahead of the clock
            self.shots.append((self.wall.now(), self._known()))

    def _count(self) -> int:
        with self.store.read() as session:
            return int(session.execute(select(func.count()).select_from(t.reading)).scalar_one())

    def _known(self, as_of: datetime | None = None) -> Known:
        first = self.plan.first - timedelta(days=30)
        last = self.plan.first + timedelta(days=self.plan.length + 30)
        names = list(self.world.book.metrics.metrics)
        with self.store.read() as session:
            found = series(session, self.world.book, names, first, last, self.wall.now(), as_of)
        return {(name, day): cell.value for name in names for day, cell in found[name].items()}

    def _judge(self) -> None:
        self._truth()
        self._periods()
        self._rows()
        for at, known in self.shots:
            if self._known(at) != known:
                raise Wrong(f"what was known at {at} is told otherwise later")
        self.tally["moments looked back at"] = len(self.shots)
        self.tally["calls"] = sum(one.trouble.calls for one in self.state.services.values())
        self.tally["calls that failed by themselves"] = sum(one.trouble.faults for one in self.state.services.values())

    def _truth(self) -> None:
        """Every settled day says what its source says, and no day between is forgotten."""
        known, metrics = self._known(), self.world.book.metrics.metrics
        today = self.wall.now().astimezone(self.zone).date()
        for name, metric in metrics.items():
            truth = self.state.services[(metric.source.use or "").partition(".")[0]].truth
            begun = min(day for (one, day), value in known.items() if one == name and value is not None)
            for day in days(begun, today - timedelta(days=metric.settle_days + 1)):
                said = truth.last(name, day)
                wanted = Decimal(0) if said is None and metric.absent_day == "zero" else said
                self.tally["days compared"] += 1
                if (name, day) not in known:
                    raise Wrong(f"{name} of {day} is in no row; the source says {wanted}")
                if known[name, day] != wanted:
                    raise Wrong(f"{name} of {day} is {known[name, day]}, the source says {wanted}")

    def _periods(self) -> None:
        """One set of rows a day: each period once, and one for each day on which the engine ran."""
        with self.store.read() as session:
            found = Tally(row["period"] for row in rows(session, select(t.case.c.period)))
        if twice := [period for period, count in found.items() if count > 1]:
            raise Wrong(f"the periods {twice} ran twice")
        if missing := [day for day in self.running if day.isoformat() not in found]:
            raise Wrong(f"no period on {sorted(missing)}, though the engine ran")
        self.tally["periods"] = len(found)

    def _rows(self) -> None:
        """Revisions have no gaps, none says what the one before says, and each was once the source's word."""
        metrics = self.world.book.metrics.metrics
        last = self.plan.first + timedelta(days=self.plan.length)
        with self.store.read() as session:
            found = current(session, metrics, self.plan.first - timedelta(days=30), last)
        for key, history in found.items():
            self.tally["rows"] += len(history)
            self.tally["restated"] += sum(row["revision"] > 1 and row["status"] != "missing" for row in history)
            if [row["revision"] for row in history] != list(range(1, len(history) + 1)):
                raise Wrong(f"revisions of {key} have gaps or twins")
            said = [(row["value"], row["status"], row["raw"] is None) for row in history]  # missing: not told, or none
            if any(one == then for one, then in pairwise(said)):
                raise Wrong(f"{key} was written again with the same number")
            self._once_said(key, {row["value"] for row in history if row["value"] is not None})
            if current_of(history) is not history[-1]:
                raise Wrong(f"the last word on {key} does not count")

    def _once_said(self, key: Key, values: set[Decimal]) -> None:
        metric = self.world.book.metrics.metrics[key.metric]
        truth = self.state.services[(metric.source.use or "").partition(".")[0]].truth
        ever = truth.ever(key.metric, date.fromisoformat(key.day)) | {Decimal(0)}
        if strange := values - ever:
            raise Wrong(f"{key} was {strange}, which the source never said")
