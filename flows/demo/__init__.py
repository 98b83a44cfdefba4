"""`digilog demo`: the example company's Saturday night to its class day, through the front doors, judged at the end."""

import shutil
import signal
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from flows.demo.stage import Spoiled, Stage
from flows.demo.story import tell


def play(home: Path | None, playbooks: Path, *, throw_away: bool, stay: bool, prefect: bool) -> int:
    """Start the system in a new home, play the story, and say whether it came out: 0 or 1.

    `stay` keeps the system running until it is stopped; `throw_away` removes the home at the end.
    """
    if throw_away:
        home = Path(tempfile.mkdtemp(prefix="digilog-demo-"))
    elif home is None:
        home = Path(".digilog") / f"demo-{datetime.now().astimezone():%Y%m%d-%H%M%S}"
    home = home.absolute()
    if (home / "digilog.db").exists():
        sys.stderr.write(f"digilog: {home} is in use already; the demo wants a new folder\n")
        return 1
    stage = Stage(home, playbooks.absolute(), prefect=prefect)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends what was started, as Ctrl+C does
    try:
        stage.open()
        case = tell(stage)
        stage.say("\n✓ the story came out.")
        if not throw_away:
            stage.say(f"Read on: digilog case {case} --home {home}")
            stage.say(f"  messages that left: {home / 'outbox'}\n  the roster: {home / 'files' / 'roster.xlsx'}")
        if stay:
            name, password = stage.admin()
            stage.say(f"\nthe board: http://127.0.0.1:{stage.port}  log in as  {name}  with  {password}")
            stage.say(f"It keeps running. Stop it with Ctrl+C; start it again with: digilog up --home {home}")
            stage.wait_for_end()
    except Spoiled as error:
        stage.say(f"\n✗ the story did not come out: {error}\n  logs: {home / 'logs'}")
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        stage.close()
        if throw_away:
            shutil.rmtree(home, ignore_errors=True)
    return 0
