"""One look for every file that people write: the blanks change, never a word, a comment or the meaning."""

import re
import shutil
from collections import deque
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scanner import Scanner
from ruamel.yaml.tokens import ScalarToken

from flows.playbook.load import Document, Strings, load_text
from flows.playbook.problem import Problem

_COMMENT = re.compile(r"#[^\n]*")
_LONG = 1_000_000  # a line is as long as its author made it


class CannotTidy(ValueError):  # noqa: N818 - the file stays as it is
    """Why a file was left as it is."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


def tidy(before: Document) -> str:
    """A file's text as digilog writes it. Raise CannotTidy for what cannot be read, or would not stay the same."""
    text, name = before.text, before.path
    if before.data is None or before.problems:
        raise CannotTidy(before.problems)
    bare = "\n".join(line.rstrip() for line in text.split("\n"))  # the round trip drops lines of blanks alone
    source = bare if load_text(bare, name).data == before.data else text.replace("\r\n", "\n")
    written, said = _written(source), comments(text)
    for after in (_lined_up(written, text), written):
        if load_text(after, name).data == before.data and comments(after) == said:
            return after
    sentence = "left as it is: something would be lost, such as a comment between brackets; give it a line of its own"
    raise CannotTidy([Problem(name, 1, 1, sentence)])


def replace(path: Path, text: str) -> None:
    """Write a file anew in one go: whoever reads it meanwhile sees the old one or the new one, whole."""
    place = path.resolve()  # a link stays a link
    new = place.with_name(f".{place.name}.new")
    new.write_text(text, "utf-8", newline="\n")
    shutil.copymode(place, new)
    new.replace(place)


def comments(text: str) -> list[str]:
    """Every comment in its order; what stands between two pieces of a file is blanks or a comment."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = Scanner
    found: list[str] = []
    end = 0
    for token in yaml.scan(text):
        begin = token.start_mark.index
        found += _COMMENT.findall(text[end:begin]) if begin > end else []
        end = max(end, token.end_mark.index)
        if isinstance(token, ScalarToken) and token.style in {"|", ">"}:  # the comment behind the bar
            found += _COMMENT.findall(text[begin : text.find("\n", begin)])
    return [comment.rstrip() for comment in [*found, *_COMMENT.findall(text[end:])]]


def _written(text: str) -> str:
    """What the round trip makes of it; nothing at all where it cannot."""
    yaml = YAML(typ="rt", pure=True)
    yaml.Resolver = Strings
    yaml.preserve_quotes = True
    yaml.width = _LONG
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    try:
        yaml.dump(yaml.load(text), out)
    except (YAMLError, ValueError, TypeError, AttributeError, IndexError, AssertionError):  # the round trip's own gaps
        return ""
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip().split("\n")) + "\n"


def _lined_up(written: str, text: str) -> str:
    """Columns that people lined up stay: a line that differs by blanks within it alone is taken as it was."""
    known: dict[tuple[int, str], deque[str]] = {}
    for line in text.split("\n"):
        known.setdefault(_squeezed(line), deque()).append(line.rstrip())
    lines = (known[key].popleft() if known.get(key := _squeezed(line)) else line for line in written.split("\n"))
    return "\n".join(lines)


def _squeezed(line: str) -> tuple[int, str]:
    return len(line) - len(line.lstrip(" ")), " ".join(line.split())
