"""One playbook: the process as people read it, where its cases stand, what went wrong, its tests and versions."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from markupsafe import Markup
from sqlalchemy import Connection, select
from starlette.responses import Response

from flows.engine import played
from flows.engine.publishing import PUBLISH, SHORT
from flows.playbook import labels
from flows.playbook.document import details, ends, fields, head
from flows.playbook.model import Playbook
from flows.playbook.page import inline
from flows.store import tables as t
from flows.store.read import rows
from flows.web.board.ask import Ask
from flows.web.board.case import prefect_runs
from flows.web.board.people import names
from flows.web.board.playbooks import WRONG, Wrong, by_whom, where, wronged
from flows.web.board.standing import Stand, open_by_version, standing
from flows.web.board.words.playbooks import PLAYBOOK
from flows.web.body import Refused
from flows.web.page import after

_WRONGS, _VERSIONS, _RUNS, _CASES = 8, 8, 5, 10
_ONE = threading.Lock()  # tests are played for one at a time
Said = tuple[str, Markup]


@dataclass(frozen=True, slots=True)
class Line:
    """One step: by whom, and what else is said of it."""

    id: str
    do: str
    by: Markup | None  # none: it waits
    machine: bool
    first: tuple[Said, ...]  # what tells when
    more: tuple[Said, ...]
    stand: Stand | None


@dataclass(frozen=True, slots=True)
class Kept:
    """One kept version."""

    short: str
    since: datetime
    who: str
    said: str
    open: int
    now: bool


def get(ask: Ask, session: Connection) -> Response:
    playbook = _found(ask)
    name, book = playbook.playbook, ask.context.world.book
    last = played.last(session, name)
    said = labels.words(book.company.language)
    stands = standing(session, ask.context.world, playbook)
    places = {one.step: one for one in stands}
    # who answers, where it stands and its state are said above
    told = {said[key] for key in ("owner", "place", "state")}
    return ask.page(
        "playbook.html",
        PLAYBOOK,
        playbook=playbook,
        place=where(playbook, ask),
        facts=[(label, _html(text)) for label, text in head(playbook, book, said) if label not in told],
        fields=[_html(one) for one in fields(playbook, said)],
        steps=list(_steps(playbook, ask, places)),
        ends=[(title, [_html(one) for one in lines]) for title, lines in ends(playbook, book, said)],
        share=_share(playbook),
        stands=stands,
        wrongs=_wrongs(session, ask, playbook),
        tests=[one.name for one in book.tests[name].cases] if name in book.tests else [],
        last=last,
        stale=last is not None and last.stamp != played.stamp(book, name),
        versions=_versions(session, ask, playbook),
        runs=_runs(session, ask, playbook),
        may_test=ask.user.may("admin"),
        told=ask.said("told") == "tested",
        busy=ask.said("told") == "busy",
    )


async def post(ask: Ask) -> Response:
    """Play its tests, beside the loop."""
    playbook = _found(ask)
    name, book = playbook.playbook, ask.context.world.book
    if ask.said("_press") != "test" or name not in book.tests:
        raise Refused(404, ask.words()["nothing"])
    if not _ONE.acquire(blocking=False):
        return after(f"/playbooks/{quote(name)}?told=busy#tests")
    try:
        done = await asyncio.to_thread(played.play, book, name, ask.user.name, ask.now)
    finally:
        _ONE.release()
    await ask.write(lambda session: played.keep(session, name, done))
    return after(f"/playbooks/{quote(name)}?told=tested#tests")


def _found(ask: Ask) -> Playbook:
    found = ask.context.world.book.playbooks.get(ask.request.path_params["id"])
    if found is None:
        raise Refused(404, ask.words(PLAYBOOK)["no_such"])
    return found


def _html(markdown: str) -> Markup:
    return Markup(inline(markdown))  # noqa: S704 - it lets no HTML through


def _steps(playbook: Playbook, ask: Ask, places: dict[str, Stand]) -> Iterator[Line]:
    book = ask.context.world.book
    said = labels.words(book.company.language)
    when = {said[key] for key in ("when", "wait", "due", "between", "valid_for", "or")}
    for step in playbook.steps:
        all_said = [(label, _html(text)) for label, text in details(step, playbook, book, said) if label != said["who"]]
        yield Line(
            step.id,
            step.do,
            _html(labels.who(step.by, playbook, book, said)) if step.by else None,
            step.by is not None and step.by.machine,
            tuple(one for one in all_said if one[0] in when),
            tuple(one for one in all_said if one[0] not in when),
            places.get(step.id),
        )


def _share(playbook: Playbook) -> tuple[int, int, int, int]:
    """Steps by the machine and by people; minutes that one case takes by hand, and those that the machine takes on."""
    told = [(step.by.machine, step.by_hand.delta) for step in playbook.steps if step.by and step.by_hand]
    every = sum((length for _, length in told), timedelta())
    taken = sum((length for machine, length in told if machine), timedelta())
    return *by_whom(playbook), every // timedelta(minutes=1), taken // timedelta(minutes=1)


def _wrongs(session: Connection, ask: Ask, playbook: Playbook) -> list[tuple[Wrong, str]]:
    """The newest steps that went wrong, each with its customer (private)."""
    j, c = t.journal.c, t.case.c
    asked = select(t.journal, c.party_id, c.period).join(t.case).where(WRONG, j.playbook == playbook.playbook)
    found = rows(session, asked.order_by(j.id.desc()).limit(_WRONGS))
    known = names(session, [row["party_id"] for row in found])
    return [(wronged(ask, row, playbook), known.get(row["party_id"], row["period"] or "")) for row in found]


def _versions(session: Connection, ask: Ask, playbook: Playbook) -> list[Kept]:
    """The kept ones, the newest first, and that of the file if no case has it yet."""
    v, a = t.version.c, t.audit.c
    name = playbook.playbook
    asked = select(v.hash, v.at).where(v.playbook == name).order_by(v.at.desc(), v.hash).limit(_VERSIONS)
    kept = rows(session, asked)
    subjects = {f"{name}@{row['hash']}": row["hash"] for row in kept}
    published = rows(session, select(a.subject, a.who).where(a.subject.in_(subjects), a.what == PUBLISH))
    who = {subjects[row["subject"]]: ask.say.who(row["who"]) for row in published}
    cases = open_by_version(session, name)
    return [
        Kept(
            row["hash"][:SHORT],
            row["at"],
            who.get(row["hash"], ""),
            _change(session, ask, row["hash"]),
            cases[row["hash"]],
            row["hash"] == playbook.version,
        )
        for row in kept
    ]


def _change(session: Connection, ask: Ask, version: str) -> str:
    """The newest line of its `revisions`; of a text that this digilog cannot read any more, nothing."""
    try:
        revisions = ask.context.world.pinned(session, version).revisions
    except ValueError:
        return ""
    newest = max(revisions, key=lambda one: one.revision, default=None)
    return f"{newest.revision}. {newest.change or newest.why}" if newest else ""


def _runs(session: Connection, ask: Ask, playbook: Playbook) -> list[tuple[str, datetime]]:
    """The runs of its newest cases."""
    if ask.prefect is None:
        return []
    newest = select(t.case.c.id).where(t.case.c.playbook == playbook.playbook)
    found = rows(session, newest.order_by(t.case.c.opened_at.desc()).limit(_CASES))
    return prefect_runs(session, ask, [row["id"] for row in found], _RUNS)
