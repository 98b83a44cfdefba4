"""Commands on the company's files: check, deploy."""

import sys
from pathlib import Path

from flows.cli.app import HERE, Where, app
from flows.engine.books import open_book
from flows.playbook.check import check as check_folder
from flows.playbook.editor import as_json
from flows.playbook.model import Book, Playbook
from flows.playbook.problem import nearest
from flows.screen import Refused, say


@app.command
def check(path: Path | None = None, *, json: bool = False, where: Where = HERE) -> None:
    """Check all files of a company and show every problem at once; exit 1 if there is any.

    Parameters
    ----------
    path
        the folder, instead of DIGILOG_PLAYBOOKS
    json
        for editors and other programs: file, line, column, message and hint of each problem

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
