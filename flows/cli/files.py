"""Commands on the company's files: check, test, deploy."""

import sys
from pathlib import Path

from flows.cli.app import HERE, Where, app
from flows.engine.books import open_book
from flows.engine.simulate import Simulation
from flows.playbook.check import check as check_folder
from flows.playbook.editor import as_json
from flows.playbook.model import Book, Playbook
from flows.playbook.problem import nearest
from flows.screen import Refused, console, say


@app.command
def check(path: Path | None = None, *, json: bool = False, where: Where = HERE) -> None:
    """Check all files of a company and show every problem at once; exit 1 if there is any.

    Parameters
    ----------
    path: the folder, instead of DIGILOG_PLAYBOOKS
    json: for editors and other programs: file, line, column, message and hint of each problem

    """
    folder = path or where.settings().playbooks
    if not folder.is_dir():
        raise Refused(f"there is no folder {folder}; name the company's folder: digilog check PATH")
    checked = check_folder(folder)
    if json:
        print(as_json(checked))
        sys.exit(checked.book is None)
    for problem in checked.problems:
        say(str(problem), style="red")
    for notice in checked.notices:
        say(f"{notice}", style="dim")
    if checked.problems or checked.book is None:
        say(f"{len(checked.problems)} to correct", style="red")
        sys.exit(1)
    say(f"all files check; playbooks: {', '.join(checked.book.playbooks)}", style="green")


@app.command
def test(*playbooks: str, where: Where = HERE) -> None:
    """Play the company's tests on a virtual clock with the real engine; exit 1 if one comes out otherwise."""
    book = open_book(where.settings().playbooks)
    for name in playbooks:
        named(book, name)
    asked = playbooks or tuple(book.tests)
    played = failed = 0
    for name in asked:
        for case in book.tests[name].cases if name in book.tests else ():
            differences = Simulation(book, book.playbooks[name], case).play()
            played, failed = played + 1, failed + bool(differences)
            console.print(f"[{'red' if differences else 'green'}]{'✗' if differences else '✓'}[/] ", end="")
            say(f"{name}: {case.name}")
            for difference in differences:
                say(f"    {difference}", style="red")
    if not played:
        raise Refused(
            f"there are no tests for {', '.join(asked) or 'any playbook'}; write some in tests/<playbook>.yaml"
        )
    say(f"{played} played, {failed} came out otherwise", style="red" if failed else "green")
    if failed:
        sys.exit(1)


@app.command
def deploy(*, pool: str = "digilog", where: Where = HERE) -> None:
    """Write prefect.yaml with one deployment a playbook, so that any Prefect worker can carry them."""
    from flows.runs.deploy import keep_pool, write_prefect_yaml

    settings = where.settings()
    book = open_book(settings.playbooks)
    ours = settings.playbooks == Path("playbooks").absolute()
    folder = settings.playbooks.parent if ours else settings.home
    folder.mkdir(parents=True, exist_ok=True)
    say(f"wrote {write_prefect_yaml(folder, book, pool)}")
    if settings.database_url or (settings.home / "digilog.db").exists():
        keep_pool(settings, pool)
        say(f"what Prefect starts is carried by workers of the pool {pool}")


def named(book: Book, name: str) -> Playbook:
    if name not in book.playbooks:
        raise Refused(f"there is no playbook {name}{nearest(name, book.playbooks)}")
    return book.playbooks[name]
