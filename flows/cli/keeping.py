"""Commands that keep a home in order: silence, store, backup, restore."""

import fcntl
import os
import sys
from pathlib import Path

from flows.cli.app import HERE, Where, app
from flows.engine import silence as silent
from flows.engine.__main__ import offset
from flows.process import begin
from flows.screen import say


@app.command
def silence(*, where: Where = HERE) -> None:
    """Tell the team what should have happened and has not; `digilog up` runs it each minute.

    It works without the engine, so a timer of this computer may run it too. Exit 1 if a notice cannot be sent.
    """
    world, store = where.world()
    begin("silence", world.home)
    if not _alone(world.home):  # another look is under way
        return
    told = silent.look(store, world, offset(store))
    store.close()
    for line in told.overdue:
        say(line)
    for line in told.unsent:
        say(f"a notice was not sent: {line}", style="red")
    if told.unsent:
        sys.exit(1)


def _alone(home: Path) -> bool:
    """Whether no other look is under way; the lock ends with this process."""
    (home / "locks").mkdir(exist_ok=True)
    handle = os.open(home / "locks" / "silence", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
