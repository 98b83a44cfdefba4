"""Versions of playbooks: which cases stand at which step of which version, and what happens to them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from flows.engine.world import BUILT_IN, OUTGOING_STATES, World
from flows.ledger.messages import OUTBOX
from flows.playbook.check import parse_version
from flows.playbook.model import Playbook, Step
from flows.store import tables as t
from flows.store.read import Row, rows
from flows.store.write import audit

SHORT = 8  # signs of a hash that people read
PUBLISH = "publish"


@dataclass(frozen=True, slots=True)
class Standing:
    """Open cases of one version at one step, and what happens to them. Behind the last step `step` is empty."""

    version: str
    step: str
    cases: int
    then: str


@dataclass(frozen=True, slots=True)
class Version:
    """One kept version: since when, its line in `revisions`, and how many cases it has had."""

    hash: str
    since: datetime
    said: str
    open: int
    all: int
    text: str


def standing(session: Connection, world: World, name: str) -> list[Standing]:
    """Where the open cases of a playbook stand, by version and step."""
    c = t.case.c
    held = c.held.is_not(None).label("is_held")
    found = rows(
        session,
        select(c.version, c.step, held, func.count().label("cases"))
        .where(c.playbook == name, c.status != "ended")
        .group_by(c.version, c.step, held)
        .order_by(c.version, c.step),
    )
    return [_standing(world, world.pinned(session, row["version"]), row) for row in found]


def _standing(world: World, pinned: Playbook, row: Row) -> Standing:
    left = pinned.steps[row["step"] :]
    said = left[0].do if left else ""
    if row["is_held"]:
        then = "held until they are resumed"
    elif lost := sorted(set(_lost(world, left))):
        then = f"go on as they began, but {', '.join(lost)} is gone: that step goes to a person or waits"
    else:
        then = _in_state(world, pinned)
    return Standing(row["version"], said, row["cases"], then)


def _in_state(world: World, pinned: Playbook) -> str:
    name = pinned.playbook
    live = world.book.playbooks.get(name)
    if live is None:
        return "the playbook is gone: what would leave goes to a person, all else goes on as it began"
    if world.state(name) not in OUTGOING_STATES:
        return f"go on; in state {live.state} what would leave goes to a person"
    return "go on with this version" if live.version == pinned.version else "go on to their end as they began"


def _lost(world: World, steps: list[Step]) -> Iterator[str]:
    """Connections and messages that steps still ahead use and that the company has no more."""
    company = world.book.company
    for step in steps:
        connection = (step.use or "").partition(".")[0]
        if connection and connection not in {*company.connections, *BUILT_IN, OUTBOX}:
            yield f"connection {connection}"
        message = str(getattr(step.arguments.get("message"), "source", ""))
        if step.use == "message.send" and "{" not in message and message not in world.book.messages:
            yield f"message {message}"


def versions(session: Connection, name: str) -> list[Version]:
    """All kept versions of a playbook, the oldest first."""
    v, c = t.version.c, t.case.c
    kept = rows(session, select(t.version).where(v.playbook == name).order_by(v.at, v.hash))
    counted = rows(
        session,
        select(c.version, (c.status != "ended").label("is_open"), func.count().label("cases"))
        .where(c.playbook == name)
        .group_by(c.version, (c.status != "ended")),
    )
    had = {(row["version"], bool(row["is_open"])): row["cases"] for row in counted}
    return [
        Version(
            row["hash"],
            row["at"],
            _said(row["text"]),
            had.get((row["hash"], True), 0),
            had.get((row["hash"], True), 0) + had.get((row["hash"], False), 0),
            row["text"],
        )
        for row in kept
    ]


def _said(text: str) -> str:
    """The newest line of `revisions`; of a text that this digilog cannot read any more, nothing."""
    try:
        revisions = parse_version(text).revisions
    except ValueError:
        return ""
    newest = max(revisions, key=lambda one: one.revision, default=None)
    return f"{newest.revision}: {newest.change or newest.why}" if newest else ""


def publish(session: Connection, world: World, playbook: Playbook, who: str) -> bool:
    """Keep the text of a playbook as it stands. Says whether this version was not published before."""
    world.keep_version(session, playbook)
    subject, a = f"{playbook.playbook}@{playbook.version}", t.audit.c
    if session.execute(select(a.id).where(a.what == PUBLISH, a.subject == subject).limit(1)).first():
        return False
    audit(session, who, PUBLISH, subject, world.clock.now())
    return True


def published(session: Connection, name: str) -> dict[str, Row]:
    """Who published each version of a playbook, by hash."""
    a = t.audit.c
    found = rows(session, select(t.audit).where(a.what == PUBLISH, a.subject.startswith(f"{name}@", autoescape=True)))
    return {row["subject"].rpartition("@")[2]: row for row in found}
