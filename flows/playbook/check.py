"""All files of a company, read and checked together; every problem of every file at once."""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from flows.playbook import company as other_files
from flows.playbook import rules, starts, trials, wiring
from flows.playbook.load import Document, Path_, load, load_text
from flows.playbook.metrics import Metrics
from flows.playbook.model import Book, Canvas, Company, MessageText, Playbook, TestFile
from flows.playbook.problem import Problem, nearest
from flows.playbook.schema import read
from flows.playbook.sheet import Sheet
from flows.playbook.written import Name

COMPANY, CANVAS, METRICS, MESSAGES = "company.yaml", "canvas.yaml", "metrics.yaml", "messages.yaml"
NAMED = (COMPANY, CANVAS, METRICS, MESSAGES)
# read live: changing them is no new version
LIVE = ("state", "machine_in_trial", "owner", "measures", "revisions", "silent_after")
_SET_BY_US = ("text", "version")
M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Checked:
    """`book` is None unless there is no problem at all."""

    book: Book | None
    problems: list[Problem]
    notices: list[Problem]


def check(folder: Path) -> Checked:
    """Read and check all files of a company; has no side effect and raises nothing for what people wrote."""
    sheets = {path.relative_to(folder).as_posix(): Sheet(load(path)) for path in files(folder)}
    missing = [
        Problem(str(folder / name), 1, 1, f"{name} is missing; each company has one")
        for name in (COMPANY, CANVAS)
        if name not in sheets
    ]
    book = _book(folder, sheets)
    if book is not None:
        _rules(book, sheets)
    problems = sorted({*missing, *(one for sheet in sheets.values() for one in _problems(sheet))})
    notices = sorted(one for sheet in sheets.values() for one in sheet.notices)
    if problems or book is None:
        return Checked(None, problems, notices)
    return Checked(replace(book, notices=tuple(str(one) for one in notices)), [], notices)


def parse_version(text: str) -> Playbook:
    """One stored version of a playbook, typed but not checked against the company. Raise ValueError."""
    sheet = Sheet(load_text(text, "stored version"))
    playbook = _playbook(sheet)
    if playbook is None or _problems(sheet):
        raise ValueError("; ".join(str(problem) for problem in _problems(sheet)))
    return playbook


def version_of(document: Document) -> str:
    """The hash of all that a running case is pinned to: comments, order of keys and live words left out."""
    content = {key: value for key, value in document.data.items() if key not in LIVE}
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def files(folder: Path) -> list[Path]:
    """Every file of a company."""
    return sorted(path for place in (folder, folder / "tests") for path in place.glob("*.yaml") if path.is_file())


def _problems(sheet: Sheet) -> list[Problem]:
    return [*sheet.document.problems, *sheet.problems]


def _read(sheet: Sheet, kind: type[M]) -> M | None:
    if sheet.document.data is None:
        return None
    found, problems = read(sheet.document, kind)
    sheet.problems.extend(problems)
    return found


def _book(folder: Path, sheets: dict[str, Sheet]) -> Book | None:
    """Everything that can be typed; None when a file that others lean on cannot."""
    empty = Sheet(load_text("{}", ""))
    company = _read(sheets[COMPANY], Company) if COMPANY in sheets else None
    canvas = _read(sheets[CANVAS], Canvas) if CANVAS in sheets else None
    metrics = _read(sheets.get(METRICS, empty), Metrics)
    messages = _read(sheets.get(MESSAGES, empty), dict[Name, MessageText])
    playbooks: dict[str, Playbook] = {}
    tests: dict[str, TestFile] = {}
    for name, sheet in sheets.items():
        id = Path(name).stem
        if name.startswith("tests/"):
            found = _read(sheet, TestFile)
            if found is not None:
                tests[id] = found
        elif name not in NAMED and (playbook := _playbook(sheet)) is not None:
            playbooks[id] = playbook
    if company is None or canvas is None or metrics is None or messages is None:
        return None
    return Book(folder, company, canvas, messages, metrics, playbooks, tests)


def _playbook(sheet: Sheet) -> Playbook | None:
    document = sheet.document
    if isinstance(document.data, dict):
        for word in _SET_BY_US:
            if word in document.data:
                sheet.say((word,), f"{word} is not known here; take it away", key=True)
    playbook = _read(sheet, Playbook)
    if playbook is None:
        return None
    return playbook.model_copy(update={"text": document.text, "version": version_of(document)})


def _rules(book: Book, sheets: dict[str, Sheet]) -> None:
    empty = Sheet(load_text("{}", ""))
    other_files.company(book.company, sheets[COMPANY])
    other_files.canvas(book, sheets[CANVAS])
    other_files.metrics(book, sheets.get(METRICS, empty))
    other_files.messages(book.messages, book, sheets.get(MESSAGES, empty))
    by_name = {name: sheets[f"{name}.yaml"] for name in book.playbooks}
    for name, playbook in book.playbooks.items():
        if playbook.playbook != name:
            by_name[name].say(
                ("playbook",), f"playbook: says {playbook.playbook}, the file is {name}.yaml; make them one"
            )
        rules.check(playbook, book, by_name[name])
        starts.check(playbook, book, by_name[name])
        wiring.check(playbook, book, by_name[name])
    _twins(book, by_name)
    other_files.one_playbook_a_form(book, by_name)
    for name, tests in book.tests.items():
        _trial(name, tests, book, sheets)


def _twins(book: Book, by_name: dict[str, Sheet]) -> None:
    seen: dict[str, str] = {}
    for name in book.playbooks:
        other = seen.setdefault(name.replace("-", "_"), name)
        if other != name:
            by_name[name].say(("playbook",), f"{name} is too much like {other}; choose another name")


def _trial(name: str, tests: TestFile, book: Book, sheets: dict[str, Sheet]) -> None:
    sheet = sheets[f"tests/{name}.yaml"]
    if name in book.playbooks:
        trials.check(tests, book.playbooks[name], book, sheet)
    elif f"{name}.yaml" not in sheets:
        top: Path_ = ()
        sheet.say(top, f"there is no playbook {name}{nearest(name, book.playbooks)}; name this file as its playbook")
