"""Commands that try playbooks: test, and pin, which makes a test of a real case."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.cli.app import HERE, Where, app
from flows.cli.files import named
from flows.engine import pinning
from flows.engine.books import open_book
from flows.engine.coverage import Branch, branches
from flows.engine.simulate import Simulation
from flows.playbook.load import load
from flows.playbook.model import Book
from flows.screen import Refused, console, say


@app.command
def test(*playbooks: str, coverage: Annotated[bool, Parameter(negative=())] = False, where: Where = HERE) -> None:
    """Play the company's tests on a virtual clock with the real engine; exit 1 if one comes out otherwise.

    Parameters
    ----------
    coverage
        say which conditions, ends, stops, awaited events and fallbacks no test took both ways

    """
    book = open_book(where.settings().playbooks)
    for name in playbooks:
        named(book, name)
    asked = playbooks or tuple(book.playbooks if coverage else book.tests)
    played, failed, took = _play(book, asked)
    if not played and not coverage:
        raise Refused(
            f"there are no tests for {', '.join(asked) or 'any playbook'}; write some in tests/<playbook>.yaml"
        )
    say(f"{played} played, {failed} came out otherwise", style="red" if failed else "green")
    if coverage:
        for name in asked:
            _cover(book, name, took[name])
    if failed:
        sys.exit(1)


def _play(book: Book, asked: Sequence[str]) -> tuple[int, int, Mapping[str, set[Branch]]]:
    """How many were played, how many came out otherwise, and the branches taken by playbook."""
    played = failed = 0
    took: dict[str, set[Branch]] = {name: set() for name in asked}
    for name in asked:
        for case in book.tests[name].cases if name in book.tests else ():
            simulation = Simulation(book, book.playbooks[name], case)
            differences = simulation.play()
            took[name] |= simulation.taken
            played, failed = played + 1, failed + bool(differences)
            console.print(f"[{'red' if differences else 'green'}]{'✗' if differences else '✓'}[/] ", end="")
            say(f"{name}: {case.name}")
            for difference in differences:
                say(f"    {difference}", style="red")
    return played, failed, took


def _cover(book: Book, name: str, took: set[Branch]) -> None:
    every = list(branches(book.playbooks[name]))
    left = [one for one in every if one not in took]
    say(f"{name}: {len(every) - len(left)} of {len(every)} branches were taken", style="yellow" if left else "green")
    file = book.folder / f"{name}.yaml"
    document = load(file)
    for one in left:
        at = document.place(one.path)
        say(f"    {file.name}:{at.line}:{at.column} never taken: {one.asks} > {one.way}", style="yellow")


@app.command
def pin(
    id: str,
    *,
    name: str | None = None,
    write: Annotated[bool, Parameter(negative=())] = False,
    anyway: Annotated[bool, Parameter(negative=())] = False,
    where: Where = HERE,
) -> None:
    """Make a test of a real case, without personal data, and play it at once.

    Texts, telephone numbers and addresses are replaced by others; what conditions and times hang on stays. Dates
    are those of the case.

    Parameters
    ----------
    name
        what must come out, as a sentence; without it the case's own id
    write
        append it to tests/<playbook>.yaml, if it comes out as the case did; without it, it is shown
    anyway
        write it although today's playbook does otherwise

    """
    world, store = where.world()
    folder: Path = where.settings().playbooks
    book = open_book(folder)
    with store.read() as session:
        playbook, written, left = pinning.pin(session, world, id, name)
    differences = Simulation(book, named(book, playbook), pinning.test_of(written)).play()
    if not write:
        print(f"cases:\n{pinning.as_yaml(written)}", end="")
    for line in left:
        say(f"not in the test: {line}", style="yellow")
    if differences and write and not anyway:
        otherwise = "; ".join(differences)
        raise Refused(
            f"not written, since today's playbook does otherwise: {otherwise}; correct the playbook, or add --anyway"
        )
    for difference in differences:
        say(f"it comes out otherwise today: {difference}", style="red")
    if not differences:
        say("played: it comes out as the case did", style="green")
    if write:
        file = folder / "tests" / f"{playbook}.yaml"
        pinning.append(file, pinning.as_yaml(written))
        say(f"written at the end of {file}")
    elif differences:
        sys.exit(1)
