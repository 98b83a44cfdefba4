"""Commands for those who write playbooks: fmt, doc, schema."""

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from flows.cli.app import HERE, Where, app
from flows.cli.files import named
from flows.engine.books import open_book
from flows.playbook.blueprint import blueprint, places, standing
from flows.playbook.check import NAMED, files
from flows.playbook.document import document
from flows.playbook.editor import KINDS, schema, settings
from flows.playbook.load import load
from flows.playbook.model import Book
from flows.playbook.page import page
from flows.playbook.problem import nearest
from flows.playbook.tidy import CannotTidy, replace, tidy
from flows.screen import Refused, say

Kind = Literal["playbook", "company", "canvas", "metrics", "messages", "tests"]


@app.command
def doc(
    playbook: str | None = None, *, stage: str | None = None, all: bool = False, html: bool = False, where: Where = HERE
) -> None:
    """Show a playbook as the process document that people read; or the service blueprint with all its documents.

    Parameters
    ----------
    playbook
        one playbook's document
    stage
        the blueprint of one place of canvas.yaml (circle is the whole), and the documents of its playbooks
    all
        the blueprint of the whole company, and every document
    html
        one page to open, send or print, instead of Markdown

    """
    if (playbook is not None) + (stage is not None) + all != 1:
        raise Refused("name one: digilog doc PLAYBOOK, digilog doc --stage STAGE, or digilog doc --all")
    book = open_book(where.settings().playbooks)
    title, text = _text(book, playbook, stage)
    print(page(text, title, book.company.language) if html else text, end="")


def _text(book: Book, playbook: str | None, stage: str | None) -> tuple[str, str]:
    if playbook is not None:
        one = named(book, playbook)
        return one.title, document(one, book)
    if stage is not None and stage not in places(book):
        raise Refused(f"there is no place {stage} in canvas.yaml{nearest(stage, places(book))}")
    of = None if stage is None else [stage]
    found = [one for place in of or places(book) for one in standing(book, place)]
    return book.company.name, "\n".join([blueprint(book, of), *(document(one, book) for one in found)])


@app.command
def fmt(*paths: Path, check: Annotated[bool, Parameter(negative=())] = False, where: Where = HERE) -> None:
    """Give files one look; words, comments, columns and meaning stay. What would change is left as it is, and said.

    Parameters
    ----------
    paths
        files or folders; none: all files of the company
    check
        change nothing; exit 1 if a file would be changed

    """
    changed = refused = 0
    chosen = [inner for path in paths or (where.settings().playbooks,) for inner in _chosen(path)]
    for path in chosen:
        try:
            before = load(path)
            after = tidy(before)
        except CannotTidy as error:
            refused += 1
            for problem in error.problems:
                say(str(problem), style="red")
            continue
        if after != before.text:
            changed += 1
            say(f"{path} {'would be put in order' if check else 'put in order'}")
            if not check:
                replace(path, after)
    say(f"{len(chosen)} looked at, {changed} {'to put in order' if check else 'put in order'}, {refused} left as it is")
    if refused or (check and changed):
        sys.exit(1)


def _chosen(path: Path) -> list[Path]:
    if path.is_dir():
        return files(path)
    if path.is_file():
        return [path]
    raise Refused(f"there is no file {path}; name a file or a folder: digilog fmt PATH")


@app.command(name="schema")
def schema_(kind: Kind | None = None, *, to: Path | None = None, where: Where = HERE) -> None:
    """Show the JSON Schema of a kind of file, so that an editor completes words and marks what is unknown.

    Parameters
    ----------
    kind
        playbook, company, canvas, metrics, messages or tests
    to
        write the schemas of all kinds into this folder, and show what VS Code is told

    """
    if (kind is None) == (to is None):
        raise Refused(f"name a kind ({', '.join(KINDS)}) to show it, or a folder to write them all: --to .schemas")
    if kind is not None:
        print(_json(schema(kind)))
    elif to is not None:
        to.mkdir(parents=True, exist_ok=True)
        for one in KINDS:
            (to / f"{one}.json").write_text(_json(schema(one)) + "\n", "utf-8")
        folder = where.settings().playbooks
        playbooks = [path.name for path in files(folder) if path.parent == folder and path.name not in NAMED]
        print(_json(settings(_from_here(folder).removeprefix("./"), playbooks, _from_here(to))))


def _from_here(path: Path) -> str:
    """As the editor's settings name it: from the folder that is open."""
    whole, here = path.absolute(), Path.cwd()
    return f"./{whole.relative_to(here).as_posix()}" if whole.is_relative_to(here) else whole.as_posix()


def _json(found: object) -> str:
    return json.dumps(found, ensure_ascii=False, indent=2)
