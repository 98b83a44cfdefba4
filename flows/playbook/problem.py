"""One thing that is wrong in what people wrote, and where."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

_LONG = re.compile(r"(\S{100})\S{50,}")  # a word that nobody reads to its end


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """`line` and `column` count from 1; sorts by file, then place."""

    path: str
    line: int
    column: int
    message: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", _LONG.sub(r"\1…", self.message))

    @property
    def parts(self) -> tuple[str, str]:
        """What is wrong, and what to do about it; together they are `message`."""
        wrong, _, hint = self.message.rpartition("; ")
        return (wrong, hint) if wrong else (hint, "")

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column} {self.message}"


class Misplaced(ValueError):  # noqa: N818 - said of a value, not raised as a fault
    """A value is wrong at `path` inside of what is being read."""

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.path = path


def nearest(word: str, known: Iterable[str]) -> str:
    """` Did you mean x?`, or what is known when nothing is near and the list is short, or nothing."""
    words = sorted(set(known))
    if close := get_close_matches(word, words, n=1, cutoff=0.6):
        return f"; did you mean {close[0]}?"
    if not words:
        return ""
    if len(words) <= 12:
        return f"; known: {', '.join(words)}"
    return ""
