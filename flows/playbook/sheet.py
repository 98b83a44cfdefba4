"""Where the checks of one file write down what they find."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from flows.playbook.load import Document, Path_
from flows.playbook.problem import Problem, nearest


@dataclass(frozen=True, slots=True)
class Sheet:
    """A document, and what is wrong or not yet active in it."""

    document: Document
    problems: list[Problem] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)

    def say(self, path: Path_, message: str, *, key: bool = False) -> None:
        """Write a problem down at the value of `path`, or at its name."""
        self.problems.append(self.document.problem(path, message, key=key))

    def notice(self, path: Path_, message: str) -> None:
        self.notices.append(self.document.problem(path, message, key=True))

    def known(self, path: Path_, word: str, words: Iterable[str], what: str) -> bool:
        """Say that `word` is no `what` unless it is among `words`."""
        among = list(words)
        if word in among:
            return True
        self.say(path, f"{word} is no {what}{nearest(word, among)}")
        return False
