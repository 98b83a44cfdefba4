"""The company's files as they stand: looked at each second, loaded only when all of them check."""

import logging
from pathlib import Path

from flows.playbook.check import check
from flows.playbook.model import Book
from flows.playbook.problem import Problem

log = logging.getLogger(__name__)


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
