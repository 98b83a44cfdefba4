"""What should have happened by now and has not: told once, again each day, and when it is over.

The engine keeps the rows of `expected`; `look` needs no engine: it keeps them too, and sends its notices itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, and_, bindparam, delete, false, func, or_, select

from connectors.errors import NotConnected, Unavailable
from flows.engine import effects
from flows.engine.calls import perform
from flows.engine.each import Units
from flows.engine.scheduler import CONNECTION, RUNNING
from flows.engine.world import World
from flows.people.assignments import person_of
from flows.people.notices import notice
from flows.playbook.model import Playbook
from flows.playbook.schedule import Schedule
from flows.store import data as kept
from flows.store import tables as t
from flows.store.read import Row, first, rows
from flows.store.store import Store
from flows.store.write import add, change, setting

GRACE = timedelta(minutes=5)  # a period starts within a minute or two of its time, also without Prefect
ENGINE_GONE = timedelta(minutes=2)  # it signs every few seconds
AGAIN = timedelta(days=1)
_e, _x = t.effect.c, t.expected.c
_WORDS = {
    "ko": {
        "told": "조용함", "again": "아직 조용함", "over": "다시 움직임", "by": "기다린 시각",
        "cases": ("새 건이 없습니다", "새 건이 다시 들어옵니다", "양식과 연결이 살아 있는지 보십시오"),
        "period": ("예정된 일이 시작되지 않았습니다", "예정된 일이 다시 시작됩니다", "logs/engine.log를 보십시오"),
        "events": ("들어오는 것이 없습니다", "다시 들어옵니다", "보내는 쪽의 설정과 주소를 보십시오"),
        "engine": ("engine이 일하지 않습니다", "engine이 다시 일합니다", "digilog up과 logs/engine.log를 보십시오"),
    },
    "en": {
        "told": "Silent", "again": "Still silent", "over": "Moving again", "by": "expected by",
        "cases": ("no new case", "new cases come again", "see whether its form and connections are alive"),
        "period": ("what is scheduled did not start", "what is scheduled starts again", "look into logs/engine.log"),
        "events": ("nothing comes in", "something comes in again", "look at the sender's settings and its address"),
        "engine": ("the engine is not at work", "the engine is at work", "look at digilog up and logs/engine.log"),
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Expected:
    """One thing that should happen by a time (UTC), and the role that is told if it does not."""

    subject: str
    by: datetime
    role: str
    title: str

    @property
    def kind(self) -> str:
        return self.subject.rpartition("/")[2]


@dataclass(slots=True)
class Told:
    """What one look found: sentences of what is overdue, and why a notice could not be sent."""

    overdue: list[str] = field(default_factory=list)
    unsent: list[str] = field(default_factory=list)


def look(store: Store, world: World, ahead: timedelta = timedelta()) -> Told:
    """Tell what is overdue. One process at a time; `ahead` is how far the home's clock runs before the real one."""
    told, now, claim, was = Told(), world.clock.now(), store.claim(), world.claimer
    world.claimer = claim.id
    try:
        with store.write() as session:
            seen = setting(session, "engine_seen")
            signed = datetime.fromisoformat(seen) + ahead if seen else None
            dead = signed is not None and now > signed + ENGINE_GONE
            if dead:  # then nobody else sends, and what is left half sent is of an earlier look
                effects.recover(session, now, claim)
            new = _tell(session, world, now, signed, told)
            sending = _mark(session, world, now, new, left_over=dead)
        for one in sending:
            _send(store, world, one, told)
    finally:
        claim.close()
        world.claimer = was
    return told


def keep(session: Connection, world: World, now: datetime, signed: datetime | None) -> list[tuple[_Expected, Row]]:
    """Bring the rows up to date: what is expected by when. `signed` is the engine's last sign of life (UTC)."""
    known = {row["subject"]: row for row in rows(session, select(t.expected))}
    wanted = list(_wanted(session, world, now, known, signed))
    if gone := set(known) - {one.subject for one in wanted}:
        session.execute(delete(t.expected).where(_x.subject.in_(gone)))
    for one in wanted:
        if one.subject not in known:
            add(session, t.expected, subject=one.subject, since=now, by=one.by)
        elif one.by != known[one.subject]["by"]:
            change(session, t.expected, one.subject, by=one.by)
    return [(one, known.get(one.subject) or {"told_at": None, "daily_at": None}) for one in wanted]


def _tell(session: Connection, world: World, now: datetime, signed: datetime | None, told: Told) -> list[int]:
    """Make the notices that follow. Returns their effects."""
    made = []
    for one, row in keep(session, world, now, signed):
        if one.by < now:
            told.overdue.append(_sentence(world, one))
        if what := _due(one, row, now):
            made.append(_notice(session, world, one, what, now))
            change(session, t.expected, one.subject, **_marks(what, now))
    return made


def _due(one: _Expected, row: Row, now: datetime) -> Literal["told", "again", "over"] | None:
    """Which notice is due: `told`, `again` or `over`."""
    if one.by >= now:
        return "over" if row["told_at"] else None
    if row["told_at"] is None:
        return "told"
    return "again" if now - row["daily_at"] >= AGAIN else None


def _marks(what: Literal["told", "again", "over"], now: datetime) -> dict[str, datetime | None]:
    match what:
        case "told":
            return {"told_at": now, "daily_at": now, "over_at": None}
        case "again":
            return {"daily_at": now}
        case "over":
            return {"told_at": None, "daily_at": None, "over_at": now}


def _wanted(
    session: Connection, world: World, now: datetime, known: dict[str, Row], signed: datetime | None
) -> Iterator[_Expected]:
    if signed:
        yield _Expected("engine", signed + ENGINE_GONE, "owner", "digilog")
    yield from _connections(session, world, now, known)
    for name, playbook in world.book.playbooks.items():
        if world.state(name) not in RUNNING:
            continue
        if playbook.silent_after:
            subject = f"{name}/cases"
            since = known[subject]["since"] if subject in known else now
            newest = session.execute(_NEWEST, {"playbook": name}).scalar()
            begin = max(newest, since) if newest else since
            yield _Expected(subject, begin + playbook.silent_after.delta, playbook.owner, playbook.title)
        if playbook.start.schedule:
            yield _Expected(f"{name}/period", _starts_by(session, world, playbook, now), playbook.owner, playbook.title)


def _connections(session: Connection, world: World, now: datetime, known: dict[str, Row]) -> Iterator[_Expected]:
    """Connections that somebody should hear from. Business time is the company's opening hours."""
    for name, entry in world.book.company.connections.items():
        if entry.silent_after is None:
            continue
        before = known.get(f"{name}/events")
        newest = session.execute(_HEARD, {"connection": name}).scalar()
        begin = max(newest or now, before["since"]) if before else now
        by = entry.silent_after.resolve(begin, lambda _: None, world.book.company.calendar)
        if before and newest is None:  # long ago, or never: it stays as it was
            by = before["by"]
        if by:
            yield _Expected(f"{name}/events", by, "owner", name)


def _starts_by(session: Connection, world: World, playbook: Playbook, now: datetime) -> datetime:
    """When the oldest period that counts is to have started: the newest due one, or the next if that has."""
    zone, schedule = world.book.company.zone, Schedule.parse(playbook.start.schedule or "")
    period, due = schedule.latest(now, zone)
    seen = setting(session, f"seen/{playbook.playbook}")  # what was due up to then is settled
    settled = seen is None or due <= datetime.fromisoformat(seen)
    if settled or first(session, _STARTED, key=f"{playbook.playbook}/{period}"):
        due = schedule.after(now, zone)[1]
    return due + GRACE


_NEWEST = select(func.max(t.case.c.opened_at)).where(t.case.c.playbook == bindparam("playbook"))
_LOOKED_THROUGH = 10_000  # of the newest events: there is no index by connection and time
_HEARD = select(func.max(t.event.c.at)).where(
    t.event.c.id > select(func.max(t.event.c.id)).scalar_subquery() - _LOOKED_THROUGH,
    t.event.c.connection == bindparam("connection"),
)
_STARTED = select(t.event.c.id).where(t.event.c.connection == CONNECTION, t.event.c.key == bindparam("key"))


def _sentence(world: World, one: _Expected, *, over: bool = False) -> str:
    late, again, _ = _WORDS[world.book.company.language][one.kind]
    return f"{one.title}: {again if over else late}"


def _notice(session: Connection, world: World, one: _Expected, what: str, now: datetime) -> int:
    book = world.book
    words = _WORDS[book.company.language]
    lines = [f"[{words[what]}] {_sentence(world, one, over=what == 'over')}"]
    if what != "over":
        lines += [f"{words['by']}: {one.by.astimezone(book.company.zone):%Y-%m-%d %H:%M}", words[one.kind][2]]
    key = f"silence/{one.subject}/{what}/{now:%Y%m%dT%H%M%S}"
    return notice(session, book, now, "\n".join(lines), person_of(book, one.role), key=key)


# a range, since LIKE does not use the index
_OURS = and_(_e.key >= "silence/", _e.key < "silence0")


def _mark(
    session: Connection, world: World, now: datetime, new: list[int], *, left_over: bool
) -> list[effects.Sending]:
    """Mark our notices `sending`, so that an engine at work does not take them too."""
    again = and_(_OURS, _e.state == "due", _e.next_at <= now) if left_over else false()
    mine = or_(_e.id.in_(new), again)
    asked = select(t.effect, t.private_effect.c.arguments).join(t.private_effect).where(mine).order_by(_e.id)
    found = rows(session, asked)
    for row in found:
        values = {"attempt": row["attempt"] + 1, "started_at": now, "next_at": None, "claimer": world.claimer}
        change(session, t.effect, row["id"], state="sending", **values)
    return [
        effects.Sending(
            row["id"], row["key"], None, row["connection"], row["action"], arguments=kept.load(row["arguments"])
        )
        for row in found
    ]


def _send(store: Store, world: World, one: effects.Sending, told: Told) -> None:
    answer = perform(world, store, one)
    if answer.error:
        told.unsent.append(f"{one.connection}: {answer.error.reason}")
    if isinstance(answer.error, NotConnected):  # perhaps only here, where a secret is not set: the engine goes on
        answer = effects.Answer(one.effect, error=Unavailable(answer.error.reason))
    with store.write() as session:
        effects.take(Units(session), world, [answer], world.clock.now())
