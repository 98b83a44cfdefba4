"""Health: what is wrong first, in sentences; then processes, store, disk, backlog and what is watched."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, func, select, text
from starlette.responses import Response

from flows.engine.retention import next_sweep
from flows.store import tables as t
from flows.store.backup import size
from flows.store.read import Row, rows
from flows.store.write import setting
from flows.web.board.ask import Ask
from flows.web.board.machines import troubles
from flows.web.board.words.health import HEALTH

_SILENT = timedelta(seconds=30)  # the engine says about every 5 s that it is there
_SPACE = 0.05  # of the disk
_OLD = timedelta(minutes=15)  # a call that could have left so long ago is stuck
_MANY = 100  # events that wait
_COUNTED = 1_000  # more are only said to be more
_PARTS = ("web", "engine", "prefect-server", "runs")
_ASIDE = text("state IN ('quarantined', 'discarded', 'unconfirmed')")
_NEW, _TO_DO = text("state = 'new'"), text("state IN ('open', 'claimed')")
_v, _e, _a, _x = t.event.c, t.effect.c, t.assignment.c, t.expected.c


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong, what to do, and the page where it is done."""

    sentence: str
    then: str
    page: str = ""


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits; `oldest` is the oldest call that could have left (aware)."""

    events: int
    calls: int
    unconfirmed: int
    quarantined: int
    late: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Watched:
    what: str
    by: datetime
    silent: bool


def get(ask: Ask, session: Connection) -> Response:
    words, home, store = ask.words(HEALTH), ask.context.world.home, ask.context.store
    seen = _moment(setting(session, "engine_seen"))
    waiting = _backlog(session, ask.now)
    disk = shutil.disk_usage(home)
    parts = _parts(home)
    watched = [_watched(row, words, ask) for row in rows(session, select(t.expected).order_by(_x.by).limit(100))]
    due, hands = next_sweep(session), len(troubles(session, ask.context.world))
    return ask.page(
        "health.html",
        HEALTH,
        wrong=list(_wrong(ask, words, seen, waiting, disk.free / disk.total, disk.free, parts, watched, hands)),
        parts=parts,
        seen=_here(seen, ask),
        bytes=_large(store.size() if store.shared else size(home)),
        shared=store.shared,
        free=words["of_whole"].format(_large(disk.free), round(100 * disk.free / disk.total)),
        sweep=due if due > ask.now else None,
        backlog=[
            ("to_read", waiting.events, ""),
            ("to_send", waiting.calls, "/outbox"),
            ("to_confirm", waiting.unconfirmed, "/quarantine?view=unconfirmed"),
            ("in_quarantine", waiting.quarantined, "/quarantine"),
            ("late_work", waiting.late, "/?who=all"),
        ],
        counted=_COUNTED,
        watched=watched,
    )


def _wrong(
    ask: Ask, w: dict[str, str], seen: datetime | None, waiting: Backlog, free: float, left: int,
    parts: list[tuple[str, bool]], watched: list[Watched], hands: int,
) -> Iterator[Wrong]:  # fmt: skip
    """The worst first."""
    if seen is None or datetime.now(UTC) - seen > _SILENT:
        yield Wrong(w["engine_gone"].format(ask.say.near(_here(seen, ask)) or "?"), w["engine_gone_do"])
    if free < _SPACE:
        yield Wrong(w["disk_full"].format(_large(left)), w["disk_full_do"])
    for name, alive in parts:
        if not alive and name != "engine":
            yield Wrong(w["part_gone"].format(name), w["part_gone_do"].format(name))
    if waiting.oldest and ask.now - waiting.oldest > _OLD:
        yield Wrong(w["backlog_old"].format(ask.say.near(waiting.oldest)), w["backlog_old_do"], "/connections")
    if waiting.events > _MANY:
        yield Wrong(w["events_wait"].format(_at_most(waiting.events)), w["events_wait_do"])
    if waiting.quarantined:
        said = w["quarantine_some"].format(_at_most(waiting.quarantined))
        yield Wrong(said, w["quarantine_do"], "/quarantine")
    if hands:
        yield Wrong(w["connections_wait"].format(hands), w["connections_do"], "/connections")
    for one in watched:
        if one.silent:
            yield Wrong(one.what, w["silent_by"].format(ask.say.near(one.by)))


def _backlog(session: Connection, now: datetime) -> Backlog:
    due = select(_e.id).where(_e.state == "due", _e.next_at <= now)
    oldest = select(_e.next_at).where(_e.state == "due", _e.next_at <= now).order_by(_e.next_at).limit(1)
    aside = select(_v.id).where(_ASIDE)
    return Backlog(
        events=_count(session, select(_v.id).where(_NEW)),
        calls=_count(session, due),
        unconfirmed=_count(session, aside.where(_v.state == "unconfirmed")),
        quarantined=_count(session, aside.where(_v.state == "quarantined")),
        late=_count(session, select(_a.id).where(_TO_DO, _a.due_at < now)),
        oldest=session.execute(oldest).scalar(),
    )


def _count(session: Connection, asked: Select[Any]) -> int:
    """How many there are, counted no further than needed."""
    some = asked.limit(_COUNTED + 1).subquery()
    found: int = session.execute(select(func.count()).select_from(some)).scalar_one()
    return found


def _at_most(count: int) -> str:
    return f"{_COUNTED:,}+" if count > _COUNTED else f"{count:,}"


def _parts(home: Path) -> list[tuple[str, bool]]:
    """The processes of `digilog up` on this computer, and whether each runs; empty where another started them."""
    try:
        told = json.loads((home / "up.json").read_text("utf-8"))
        parts = {str(name): int(pid) for name, pid in told["parts"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    wanted = _PARTS if "prefect" in told or "prefect-server" in parts else _PARTS[:2]
    return [(name, _runs(parts.get(name))) for name in wanted]


def _runs(pid: int | None) -> bool:
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _watched(row: Row, w: dict[str, str], ask: Ask) -> Watched:
    name, _, kind = row["subject"].rpartition("/")
    kind = kind if kind in {"cases", "period", "events"} else "engine"
    playbook = ask.context.world.book.playbooks.get(name)
    silent = row["by"] < ask.now
    said = w[f"silent_{kind}" if silent else f"watch_{kind}"]
    return Watched(said.format(playbook.title if playbook else name), row["by"], silent)


def _here(seen: datetime | None, ask: Ask) -> datetime | None:
    """A moment of the real clock as the company's clock had it."""
    return seen + (ask.now - datetime.now(UTC)) if seen else None


def _moment(written: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(written or "")
    except ValueError:
        return None
    return found if found.tzinfo else None


def _large(count: float) -> str:
    for unit, size_ in (("GB", 1e9), ("MB", 1e6)):
        if count >= size_:
            return f"{count / size_:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"
