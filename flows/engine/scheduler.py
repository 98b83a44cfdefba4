"""Starts the periods that are due and that nobody else has started; each period is one event, whoever is first."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from flows.engine.world import World
from flows.playbook.model import Playbook
from flows.playbook.schedule import Due, Schedule
from flows.store import tables as t
from flows.store.write import emit, set_setting, setting

GRACE = timedelta(seconds=60)  # so long Prefect's own schedule goes first
RUNNING = frozenset({"trial", "operate", "complete", "expand"})
CONNECTION = "schedule"
_MISSED_AT_MOST = 400  # periods started at once after a long stop


def start_due(session: Connection, world: World, now: datetime, grace: timedelta = GRACE) -> int:
    """Emit the periods that have been due for `grace`, as `missed:` says. Returns how many were new."""
    count = 0
    for playbook in world.book.playbooks.values():
        if playbook.start.schedule and world.state(playbook.playbook) in RUNNING:
            count += _start_due(session, world, playbook, now, grace)
    return count


def anything(session: Connection, world: World, now: datetime, grace: timedelta = GRACE) -> bool:
    """Whether a period is due, or a scheduled playbook was never seen before; writes nothing."""
    for playbook in world.book.playbooks.values():
        if playbook.start.schedule and world.state(playbook.playbook) in RUNNING:
            seen = setting(session, f"seen/{playbook.playbook}")
            if seen is None or any(now >= due + grace for _, due in _missing(session, world, playbook, now, seen)):
                return True
    return False


def start(session: Connection, playbook: str, period: str, now: datetime) -> bool:
    """Emit one period of a playbook. Says whether it was new."""
    key = f"{playbook}/{period}"
    return emit(session, CONNECTION, key, "schedule.due", now, subject=key) is not None


def _start_due(session: Connection, world: World, playbook: Playbook, now: datetime, grace: timedelta) -> int:
    """Start what is overdue; when nothing is left open, remember up to where all periods are settled."""
    name = f"seen/{playbook.playbook}"
    seen = setting(session, name)
    if seen is None:
        set_setting(session, name, now.isoformat())
        return 0
    missing = _missing(session, world, playbook, now, seen)
    overdue = [period for period, due in missing if now >= due + grace]
    _, newest = Schedule.parse(playbook.start.schedule or "").latest(now, world.book.company.zone)
    if len(overdue) == len(missing) and newest > datetime.fromisoformat(seen):
        set_setting(session, name, newest.isoformat())
    return sum(start(session, playbook.playbook, period, now) for period in overdue)


def _missing(session: Connection, world: World, playbook: Playbook, now: datetime, seen: str) -> list[Due]:
    """Periods not started yet, oldest first. What was due up to `seen` is settled, or was before our time."""
    zone, first = world.book.company.zone, datetime.fromisoformat(seen)
    schedule = Schedule.parse(playbook.start.schedule or "")
    found: list[Due] = []
    at = now
    while len(found) < _MISSED_AT_MOST:
        period, due = schedule.latest(at, zone)
        if due <= first:
            break
        if not _known(session, playbook.playbook, period):  # Prefect may have started the newest of several
            found.append((period, due))
        if playbook.start.missed != "all":
            break
        at = due - timedelta(seconds=1)
    if playbook.start.missed == "none":
        found = [(period, due) for period, due in found if now - due <= timedelta(hours=1)]
    return found[::-1]


def _known(session: Connection, playbook: str, period: str) -> bool:
    e = t.event.c
    found = select(e.id).where(e.connection == CONNECTION, e.key == f"{playbook}/{period}")
    return session.execute(found).first() is not None
