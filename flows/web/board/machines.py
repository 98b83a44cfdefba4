"""What the machines did since yesterday, in sentences; and which connections need a hand."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, literal_column, or_, select

from connectors.errors import NotConnected
from flows.engine.connections import consented
from flows.engine.world import World
from flows.playbook.model import Playbook
from flows.store import tables as t
from flows.store.read import Row, rows

_j = t.journal.c
_MACHINE = _j.by == literal_column("'machine'")  # none for what nobody does, such as waiting
_DONE, _HANDED = "done", frozenset({"handed", "failed"})
_SHOWN = 12  # steps
UNCONSENTED = "nobody has consented at the service yet"


@dataclass(frozen=True, slots=True)
class Done:
    """How often the machine did one step, and how often it had to leave it to a person."""

    playbook: str
    title: str
    do: str
    times: int
    handed: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """A connection that does nothing until somebody sets it right."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Counted:
    opened: int
    ended: int
    people: int  # steps that people did
    steps: tuple[Done, ...]

    @property
    def quiet(self) -> bool:
        return not (self.opened or self.ended or self.people or self.steps)


def since_yesterday(now: datetime, world: World) -> datetime:
    """Midnight of the company's yesterday."""
    midnight = now.astimezone(world.book.company.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=1)


def counted(session: Connection, world: World, since: datetime) -> Counted:
    wanted = or_(_j.step.is_not(None), _j.state.in_(("opened", "ended", "stopped")))
    asked = (
        select(_j.playbook, _j.step, _j.state, _MACHINE.label("machine"), func.count().label("times"))
        .where(_j.at >= since, wanted)
        .group_by(_j.playbook, _j.step, _j.state, _MACHINE)
    )
    return _summed(rows(session, asked), world.book.playbooks)


def _summed(found: Iterable[Row], playbooks: Mapping[str, Playbook]) -> Counted:
    cases: Counter[str] = Counter()
    done: Counter[tuple[str, str]] = Counter()
    handed: Counter[tuple[str, str]] = Counter()
    people = 0
    for row in found:
        step = (row["playbook"], row["step"])
        if row["step"] is None:
            cases[row["state"]] += row["times"]
        elif row["state"] == _DONE and row["machine"]:
            done[step] += row["times"]
        elif row["state"] == _DONE and row["machine"] is not None:
            people += row["times"]
        elif row["state"] in _HANDED and row["machine"]:
            handed[step] += row["times"]
    steps = [_told(playbooks.get(playbook), playbook, step, done[playbook, step], handed[playbook, step])
             for playbook, step in {**done, **handed}]  # fmt: skip
    steps.sort(key=lambda one: (-one.handed, -one.times))
    return Counted(cases["opened"], cases["ended"] + cases["stopped"], people, tuple(steps[:_SHOWN]))


def _told(playbook: Playbook | None, name: str, step: str, times: int, handed: int) -> Done:
    if playbook is None or step not in playbook.index:
        return Done(name, playbook.title if playbook else name, step, times, handed)
    return Done(name, playbook.title, playbook.steps[playbook.index[step]].do, times, handed)


def troubles(session: Connection, world: World) -> list[Trouble]:
    """Paused connections, and those that lack a setting, a secret or a consent; each once."""
    c = t.connection.c
    found = [
        Trouble(row["name"], row["paused"])
        for row in rows(session, select(c.name, c.paused).where(c.paused.is_not(None)).order_by(c.name))
    ]
    paused = {one.name for one in found}
    for name in world.book.company.connections:
        if name in paused:
            continue
        try:
            world.connection(name)
        except NotConnected as error:
            found.append(Trouble(name, error.reason))
        else:
            if not consented(world, name):
                found.append(Trouble(name, UNCONSENTED))
    return found
