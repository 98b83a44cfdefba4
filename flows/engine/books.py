"""The company's files as they stand: looked at each second, loaded only when all of them check."""

import logging
import shutil
from pathlib import Path

from flows.playbook.check import check
from flows.playbook.model import Book
from flows.playbook.problem import Problem

log = logging.getLogger(__name__)
_KEPT = "playbooks"  # the folder of a home that holds the last files that checked


class BookError(Exception):
    """The files do not check; `problems` says where and why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def open_book(folder: Path) -> Book:
    """The company's book. Raises BookError with all problems of all files."""
    checked = check(folder)
    if checked.book is None or checked.problems:
        raise BookError(checked.problems)
    return checked.book


def open_last_good(folder: Path, home: Path) -> Book:
    """The company's book, or the last one that checked in this home: a part that restarts must not stay away.

    Raises BookError if neither checks.
    """
    try:
        return open_book(folder)
    except BookError as error:
        if not (home / _KEPT).is_dir():
            raise
        log.warning("the playbooks do not check; the last good ones are used:\n%s", error)
        return open_book(home / _KEPT)


def keep_good(folder: Path, home: Path) -> None:
    """Copy files that check into the home. One process at a time does this: `up`, then the engine."""
    fresh, kept, old = home / f"{_KEPT}.new", home / _KEPT, home / f"{_KEPT}.old"
    for left in (fresh, old):
        shutil.rmtree(left, ignore_errors=True)
    for file in folder.rglob("*.yaml"):
        copy = fresh / file.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    if kept.exists():
        kept.rename(old)
    fresh.rename(kept)
    shutil.rmtree(old, ignore_errors=True)


class Files:
    """Watches a folder; the last good book stays while the files do not check."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = self._stamp()

    def changed(self) -> Book | None:
        """The new book, if the files changed and check."""
        stamp = self._stamp()
        if stamp == self._seen:
            return None
        self._seen = stamp
        try:
            book = open_book(self._folder)
        except BookError as error:
            log.warning("the playbooks do not check; the last good ones stay:\n%s", error)
            return None
        log.info("the playbooks were loaded again")
        return book

    def _stamp(self) -> tuple[tuple[str, int, int], ...]:
        found = []
        for file in sorted(self._folder.rglob("*.yaml")):
            try:
                stat = file.stat()
            except FileNotFoundError:  # removed while we looked
                continue
            found.append((str(file), stat.st_mtime_ns, stat.st_size))
        return tuple(found)
