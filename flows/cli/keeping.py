"""Commands that keep a home in order: silence, store, backup, restore."""

import fcntl
import os
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from sqlalchemy import func, select

from flows.cli.app import HERE, Where, app
from flows.engine import silence as silent
from flows.engine.__main__ import clock, offset
from flows.engine.retention import kept_for, next_sweep
from flows.ledger.pull.parts import ANSWERS_KEPT
from flows.process import begin
from flows.screen import Refused, say, table
from flows.store import backup as copies
from flows.store import tables as t


@app.command
def silence(*, where: Where = HERE) -> None:
    """Tell the team what should have happened and has not; `digilog up` does so by itself.

    It works without the engine, so a timer of this computer may run it too. Exit 1 if a notice cannot be sent.
    """
    world, store = where.world()
    begin("silence", world.home)
    if not _alone(world.home):
        say("another look is under way; it tells what there is")
        return
    told = silent.look(store, world, offset(store))
    store.close()
    for line in told.overdue:
        say(line)
    if not told.overdue:
        say("nothing is overdue")
    for line in told.unsent:
        say(f"a notice was not sent: {line}", style="red")
    if told.unsent:
        sys.exit(1)


_WITH_CASES = {"case", "journal", "effect", "assignment", "event", "run", "run_case"}


@app.command
def store(*, vacuum: bool = False, where: Where = HERE) -> None:
    """Show how large the store is, how many rows each table has, and how long they are kept.

    Parameters
    ----------
    vacuum
        give back the room of what was erased; better at a quiet time

    """
    settings, opened = where.open()
    kept = kept_for(settings)
    if vacuum and opened.shared:
        raise Refused("PostgreSQL gives room back by itself; to do it at once: vacuumdb --full, at a quiet time")
    if vacuum:
        copies.vacuum(settings.home)
    with opened.read() as session:
        counts = [
            (one.name, session.execute(select(func.count()).select_from(one)).scalar_one())
            for one in t.metadata.sorted_tables
        ]
        due, now = next_sweep(session), clock(opened).now()
    lines = [(name, count, _kept(name, kept.words.days, kept.cases.days)) for name, count in counts if count]
    table(("table", "rows", "kept"), lines, "the store is empty")
    minutes = max(0, round((due - now).total_seconds() / 60))
    sweep = f"in {minutes} minutes" if minutes else "as soon as the engine has nothing else to do"
    size = opened.size() if opened.shared else copies.size(settings.home)
    say(f"\n{size / 1e6:.1f} MB; what is kept no longer is erased {sweep}")


def _kept(table: str, words: int, cases: int) -> str:
    """How long the rows of a table are kept, in words."""
    if table == "private_contact":
        return "for good"
    if table == "private_answer":
        return f"{ANSWERS_KEPT.days} days"
    if table.startswith("private_"):
        return f"{words} days after the end of the case"
    return f"{cases} days after the end of the case" if table in _WITH_CASES else "for good"


@app.command
def backup(file: Path, /, *, where: Where = HERE) -> None:
    """Copy the home into one file, FILE.tar.gz, also while digilog is up; nothing is overwritten.

    Parameters
    ----------
    file
        where to; it holds customers' words and the key of the links

    """
    settings, opened = where.open()
    opened.close()
    if opened.shared:
        raise Refused(
            "this store is a PostgreSQL database: copy it with pg_dump, and beside it the home's files"
            " (link-key, outbox, files); see docs/how-to/postgresql.md"
        )
    made = copies.backup(settings.home, file)
    say(f"copied {settings.home} to {file}, {made / 1e6:.1f} MB; keep it as you keep the home")


@app.command
def restore(file: Path, /, *, home: Annotated[Path, Parameter(help="the new home; it must not be there yet")]) -> None:
    """Make a new home out of a copy. Never start it beside the old one: both would do the same work.

    Parameters
    ----------
    file
        what `digilog backup` made

    """
    if not file.is_file():
        raise Refused(f"there is no file {file}; name what digilog backup made")
    copies.restore(file, home.absolute())
    say(f"made {home}; start it with: digilog up --home {home}")
    say("what was being sent, or had been tried, is repeated where that is harmless; else a person is asked")


def _alone(home: Path) -> bool:
    """Whether no other look is under way; the lock ends with this process."""
    (home / "locks").mkdir(exist_ok=True)
    handle = os.open(home / "locks" / "silence", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
