"""Commands on versions and beginnings: publish, history, start, replay."""

import difflib
import re
from collections.abc import Mapping
from typing import Annotated

from cyclopts import Parameter
from sqlalchemy import Connection

from flows.cli.app import HERE, Where, app
from flows.cli.cases import me
from flows.cli.files import named
from flows.cli.work import _pair
from flows.engine import publishing, starting
from flows.engine.books import open_book
from flows.engine.publishing import SHORT, Version
from flows.engine.world import World
from flows.playbook.model import Playbook
from flows.playbook.problem import nearest
from flows.screen import Refused, console, say, table, when
from flows.store.read import Row
from flows.store.wake import Wake

_NUMBER = re.compile("[0-9]{1,18}")  # more is no number of a row


@app.command
def publish(*playbooks: str, show: Annotated[bool, Parameter(negative=())] = False, where: Where = HERE) -> None:
    """Publish the playbooks as they stand in the files: their versions are kept, and open cases stay with theirs.

    First it shows, for each version, how many open cases stand at which step, and what happens to them.

    Parameters
    ----------
    playbooks
        only these; none: all
    show
        change nothing

    """
    world, store = where.world()
    world.book = open_book(where.settings().playbooks)
    chosen = [named(world.book, name) for name in playbooks] or list(world.book.playbooks.values())
    with store.read() as session:
        for playbook in chosen:
            _show(session, world, playbook)
    if show:
        return
    with store.write() as session:
        fresh = [one for one in chosen if publishing.publish(session, world, one, me())]
    for one in fresh:
        say(f"published {one.playbook} {one.version[:SHORT]}; cases that begin from now on have it", style="green")
    if not fresh:
        say("nothing new: these versions were published before")


def _show(session: Connection, world: World, playbook: Playbook) -> None:
    name = playbook.playbook
    begun = _begun(publishing.versions(session, name), publishing.published(session, name))
    known = any(one.hash == playbook.version for one in begun)
    newest = f" (before: {begun[-1].hash[:SHORT]})" if begun and not known else ""
    what = "version" if known else "new version"
    say(f"{name}: {what} {playbook.version[:SHORT]}{newest}, state {playbook.state}", style="bold")
    lines = [
        (one.version[:SHORT], one.step or "behind its last step", one.cases, one.then)
        for one in publishing.standing(session, world, name)
    ]
    table(("version", "step", "cases", "what happens to them"), lines, "no open cases")


@app.command
def history(playbook: str, *, text: str | None = None, diff: str | None = None, where: Where = HERE) -> None:
    """List all kept versions of a playbook: since when, who published it, what changed, how many cases.

    Parameters
    ----------
    text
        show the whole text of this version
    diff
        show what is otherwise in the files than in this version

    """
    world, store = where.world()
    with store.read() as session:
        found = publishing.versions(session, playbook)
        by = publishing.published(session, playbook)
    now = world.book.playbooks.get(playbook)
    if not found and now is None:
        raise Refused(f"there is no playbook {playbook}{nearest(playbook, world.book.playbooks)}")
    if text is not None:
        print(_version(found, text).text, end="")
    elif diff is not None:
        _diff(_version(found, diff), now)
    else:
        lines = [
            (
                one.hash[:SHORT] + (" (now)" if now and one.hash == now.version else ""),
                when(one.since, world.book.company.zone),
                by[one.hash]["who"] if one.hash in by else "",
                one.said,
                one.open,
                one.all,
            )
            for one in found
        ]
        table(
            ("version", "since", "published by", "what changed", "open", "all cases"), lines, "no version is kept yet"
        )
        if now and all(one.hash != now.version for one in _begun(found, by)):
            say(f"the files hold another one, {now.version[:SHORT]}, which no case has yet: digilog publish {playbook}")


def _begun(found: list[Version], by: Mapping[str, Row]) -> list[Version]:
    """Those that were published or have had a case; the others stood in the files, and that is all."""
    return [one for one in found if one.all or one.hash in by]


def _version(found: list[Version], short: str) -> Version:
    fits = [one for one in found if one.hash.startswith(short)]
    if len(fits) != 1 or not short:
        known = ", ".join(one.hash[:SHORT] for one in found) or "none"
        raise Refused(f"{short} is not one version of this playbook; kept are: {known}")
    return fits[0]


def _diff(old: Version, now: Playbook | None) -> None:
    new = now.text if now else ""
    lines = difflib.unified_diff(
        old.text.splitlines(), new.splitlines(), old.hash[:SHORT], "the file as it stands", lineterm="", n=2
    )
    told = list(lines)
    for line in told:
        say(line, style={"+": "green", "-": "red"}.get(line[:1]))
    if not told:
        console.print("no difference")


@app.command
def start(
    playbook: str,
    *answers: Annotated[str, Parameter(help="name=value for each field it asks")],
    waiting: Annotated[bool, Parameter(negative=())] = False,
    where: Where = HERE,
) -> None:
    """Start a case by hand, as the form or schedule of the playbook would; or let those go that wait for it.

    In state complete each start waits in a list until a person lets it go; what is started here goes at once.
    A period of a schedule is started once. `digilog resume CASE` lets one waiting case go.

    Parameters
    ----------
    waiting
        start nothing new, but let all go that wait (state complete)

    """
    world, store = where.world()
    known = named(world.book, playbook)
    if waiting:
        with store.write() as session:
            gone = starting.let_go(session, playbook, me(), world.clock.now())
        _wake(world)
        say(f"let go: {', '.join(gone)}" if gone else f"no case of {playbook} waits to be let go")
        return
    with store.write() as session:
        begun = starting.start(session, world, known, dict(_pair(one) for one in answers), me())
    _wake(world)
    _told(begun)


@app.command
def replay(id: str, *, where: Where = HERE) -> None:
    """Decide an event once more, by the playbooks as they are now: one in quarantine, or one of the past.

    Nothing is done twice: each playbook has one case of an event, and the effects of a case have its keys. Where a
    case of the event stands, it stays the only one and nothing is called again (for a failed step there is
    `digilog retry`). Where none stands, because nobody could act on the event or no playbook began by it, a case is
    opened now. Recorded exchanges that were decided are not replayed: they would end cases that began since.
    """
    if not _NUMBER.fullmatch(id):
        raise Refused(f"{id} is not the number of an event; see the numbers with: digilog events --all")
    world, store = where.world()
    with store.write() as session:
        begun = starting.replay(session, world, int(id), me())
    _wake(world)
    _told(begun)


def _told(begun: starting.Begun) -> None:
    for id in begun.opened:
        say(f"opened case {id}: digilog case {id}", style="green")
    for id in begun.noted:
        say(f"noted on case {id}, which is still open")
    if not begun.opened and not begun.noted:
        say(f"nothing was opened: {begun.reason or 'no playbook begins by it as it is'}")


def _wake(world: World) -> None:
    wake = Wake(world.home)
    wake()
    wake.close()
