"""`digilog pull`: ask the sources of the metrics by hand, for yesterday, for years, or for what is missing."""

import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from types import FrameType
from typing import Annotated

from cyclopts import Parameter
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from flows.cli.app import HERE, Where, app
from flows.engine.calls import credential
from flows.engine.world import World
from flows.ledger.pull import brought
from flows.ledger.pull.again import read_again
from flows.ledger.pull.planning import MOST_BACK, Kind, Wish
from flows.ledger.pull.pulling import Puller
from flows.ledger.pull.summary import Progress, Summary
from flows.screen import Misused, console, say

_BY = "digilog pull"
_MOST = timedelta(days=3_660)
_EACH = 10.0  # seconds between two lines where nobody looks on


@app.command
def pull(
    *metrics: str,
    since: Annotated[str | None, Parameter(name="--from")] = None,
    until: Annotated[str | None, Parameter(name="--to")] = None,
    holes: Annotated[bool, Parameter(negative=())] = False,
    all_: Annotated[bool, Parameter(name="--all", negative=())] = False,
    again: str | None = None,
    where: Where = HERE,
) -> None:
    """Ask the sources of the metrics and keep what differs; safe twice, and while digilog is up.

    Without a word it asks for the days that may still change, as the daily playbook does. Exit 1 if a source failed.

    Parameters
    ----------
    metrics
        only these metrics of metrics.yaml
    since
        the first day, like 2026-01-01; then only days are asked for that have no number yet
    until
        the last day; without it yesterday
    holes
        days that have no number yet, since the metric's first day in the ledger, at most 400 days back
    all_
        also days that are known; a number that is another now is a revision
    again
        read the kept answers of that pull anew (its id, or "last") and ask nobody

    """
    _refuse_both(holes, all_, "--holes are the days without a number, --all are all days; name one of them")
    others = metrics or since or until or holes or all_
    _refuse_both(again is not None, others, "--again reads all of that pull anew, and goes with no other word")
    first, last = _day(since), _day(until)
    world, store = where.world()
    _refuse_nothing(world, metrics, first, last)
    puller = Puller(store, world.book, world.connection, world.clock, fared=partial(credential, world))
    with _stoppable(puller), _watched(puller):
        if again is not None:
            found = read_again(puller, again, _BY)
        else:
            kind: Kind = "all" if all_ else "holes" if holes or first or last else "daily"
            found = puller.pull(Wish(kind, metrics, first, last, late=None), by=_BY)
    _tell(puller, found)
    store.close()
    if found.failed:
        sys.exit(1)


def _day(said: str | None) -> date | None:
    try:
        return date.fromisoformat(said) if said else None
    except ValueError:
        raise Misused(f"{said} is no day; write it as 2026-11-01") from None


def _refuse_both(one: object, other: object, said: str) -> None:
    if one and other:
        raise Misused(said)


def _refuse_nothing(world: World, metrics: Sequence[str], first: date | None, last: date | None) -> None:
    """Raises Misused for days that are not there, and for metrics that no source is asked for."""
    yesterday = world.clock.now().astimezone(world.book.company.zone).date() - timedelta(days=1)
    if first and last and first > last:
        raise Misused(f"--from {first} is after --to {last}")
    if first and first > yesterday:
        raise Misused(f"--from {first} is not over yet; the newest day that can be asked for is {yesterday}")
    if last and not first and last < yesterday - timedelta(days=MOST_BACK):
        raise Misused(f"--to {last} is more than {MOST_BACK} days ago; name the first day too, with --from")
    if first and (last or yesterday) - first > _MOST:
        raise Misused("that is more than ten years; name a later --from")
    known = world.book.metrics.metrics
    by_hand = [name for name in metrics if name in known and known[name].source.by]
    if metrics and len(by_hand) == len(metrics):
        is_ = "is" if len(by_hand) == 1 else "are"
        raise Misused(f"{', '.join(by_hand)} {is_} typed by a person; nothing to ask")


def _tell(puller: Puller, found: Summary) -> None:
    stopped = puller.stop.is_set() and found.left
    for number, line in enumerate(brought.lines(puller.book, found, "en")):
        say(line, style="red" if number and line.startswith("not brought") else "green" if not number else None)
    if stopped:
        say("stopped; the same command goes on with what is missing", style="yellow")
    say(f"pull {found.id}", style="dim")


@contextmanager
def _stoppable(puller: Puller) -> Iterator[None]:
    """Ctrl-C stops after the part that is being kept; a second one at once, which loses no more than that part."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        puller.stop.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _watched(puller: Puller) -> Iterator[None]:
    """A bar for who looks on, else a line now and then."""
    if not console.is_terminal:
        puller.watch = _lines()
        yield
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("asking", total=None)

        def show(now: Progress) -> None:
            bar.update(task, total=now.parts, completed=now.done, description=f"{now.kept} numbers")

        puller.watch = show
        yield


def _lines() -> Callable[[Progress], None]:
    told = time.monotonic()

    def tell(now: Progress) -> None:
        nonlocal told
        if time.monotonic() - told > _EACH:
            told = time.monotonic()
            say(f"{now.done} of {now.parts} questions, {now.kept} numbers, {now.failed} failed")

    return tell
