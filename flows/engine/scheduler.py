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
            for period, due in _overdue(session, world, playbook, now):
                if now >= due + grace:
                    count += start(session, playbook.playbook, period, now)
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


def _overdue(session: Connection, world: World, playbook: Playbook, now: datetime) -> list[Due]:
    seen = setting(session, f"seen/{playbook.playbook}")
    if seen is None:
        set_setting(session, f"seen/{playbook.playbook}", now.isoformat())
        return []
    return _missing(session, world, playbook, now, seen)


def _missing(session: Connection, world: World, playbook: Playbook, now: datetime, seen: str) -> list[Due]:
    """Periods not started yet, oldest first. Those due before the playbook was first seen are not missed."""
    zone, first = world.book.company.zone, datetime.fromisoformat(seen)
    schedule = Schedule.parse(playbook.start.schedule or "")
    found: list[Due] = []
    at = now
    while len(found) < _MISSED_AT_MOST:
        period, due = schedule.latest(at, zone)
        if due < first or _known(session, playbook.playbook, period):
            break
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
