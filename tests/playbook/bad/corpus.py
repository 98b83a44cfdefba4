"""Bad files, made from a company that checks clean: each with the one place that must be named.

Grown by rules over every key and value of every file, so that a new key is covered on the day it is written;
what no rule can grow stands in `traps.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from flows.playbook import schema
from flows.playbook.editor import KINDS
from flows.playbook.load import Document, Path_, load

COMPANY = Path(__file__).parents[1] / "company"
# below these keys stand names and values that the company chooses itself
FREE = {"with", "start", "answers", "connections", "readings", "values", "row"}


@dataclass(frozen=True, slots=True)
class Bad:
    """One file made wrong; `column` 0: anywhere in the line, `line` 0: anywhere in the file."""

    name: str
    file: str
    raw: bytes
    line: int = 0
    column: int = 0
    says: str = ""


def documents() -> dict[str, Document]:
    """The files of the company, by name, as read."""
    return {path.relative_to(COMPANY).as_posix(): load(path) for path in sorted(COMPANY.rglob("*.yaml"))}


def kind_of(file: str) -> Any:
    word = "tests" if file.startswith("tests/") else Path(file).stem
    return KINDS.get(word, KINDS["playbook"])[1]


def free(path: Path_) -> bool:
    return bool(FREE & {part for part in path[:-1] if isinstance(part, str)})


def _line(document: Document, number: int, line: str, *more: str) -> bytes:
    lines = document.lines.copy()
    lines[number - 1 : number] = [line, *more]
    return "\n".join(lines).encode()


def _keys(document: Document) -> Iterator[tuple[Path_, int, int, str]]:
    """Each key: its path, line, column, and the line as it is written."""
    for path, at in document.keys.items():
        line = document.lines[at.line - 1]
        if line[at.column - 1 :].startswith(str(path[-1])):
            yield path, at.line, at.column, line


def _values(document: Document) -> Iterator[tuple[Path_, int, int, str, str]]:
    """Each value that is written on one line without quotes: path, line, column, the line, the value."""
    for path, at in document.values.items():
        value: Any = document.data
        for part in path:
            value = value[part]
        line = document.lines[at.line - 1]
        if isinstance(value, str) and value and line[at.column - 1 :].startswith(value):
            yield path, at.line, at.column, line, value


def _words(kind: Any, path: Path_) -> bool:
    """The keys beside this one are words of the language, not names."""
    return schema._model(kind, path[:-1]) is not None


def _unknown_keys(file: str, document: Document) -> Iterator[Bad]:
    kind = kind_of(file)
    for path, number, column, line in _keys(document):
        if free(path) or not _words(kind, path):
            continue
        wrong = line[: column - 1] + "zz" + line[column - 1 :]
        yield Bad(f"unknown {path}", file, _line(document, number, wrong), number, column, "is not known here")


def _bad_names(file: str, document: Document) -> Iterator[Bad]:
    kind = kind_of(file)
    for path, number, column, line in _keys(document):
        above = schema._bare(_kind_at(kind, path[:-1]))
        if free(path) or _words(kind, path) or "StringConstraints" not in str(above):
            continue
        wrong = line[: column - 1] + "Zz " + line[column - 1 :]
        yield Bad(f"name {path}", file, _line(document, number, wrong), number, column, "is no name")


def _kind_at(kind: Any, path: Path_) -> Any:
    """The annotation that stands at `path`."""
    kind = schema._bare(kind)
    if not path:
        return kind
    fields = getattr(kind, "model_fields", None)
    if fields is not None:
        found = [one.annotation for name, one in fields.items() if path[0] in (name, one.alias)]
        return _kind_at(found[0], path[1:]) if found else None
    inner = get_args(kind)
    return _kind_at(inner[-1], path[1:]) if inner else None


def _nested(file: str, document: Document) -> Iterator[Bad]:
    """More than one value where one belongs."""
    for number_, (path, number, column, line, value) in enumerate(_values(document)):
        if free((*path, "")) or "holidays" in path:
            continue
        instead = "[[a], [b]]" if number_ % 2 else "{a: {b: c}, d: e}"
        wrong = line[: column - 1] + instead + line[column - 1 + len(value) :]
        yield Bad(f"nested {path}", file, _line(document, number, wrong), number)


def _block(path: Path_, column: int, line: str) -> bool:
    """A key with its value alone on a line."""
    return line[: column - 1].strip(" -") == "" and line[column - 1 + len(str(path[-1])) :].lstrip(":").strip()[
        :1
    ] not in ("", "#")


def _whole_lines(file: str, document: Document) -> Iterator[Bad]:
    for path, number, column, line in _keys(document):
        if not _block(path, column, line) or line.rstrip().endswith(("|-", "|", ">")):
            continue
        key, _, value = line.partition(": ")
        indent = line[: column - 1].replace("-", " ")
        again = indent + line[column - 1 :]
        yield Bad(f"empty {path}", file, _line(document, number, f"{key}:"), number, column, "has no value")
        yield Bad(f"hash {path}", file, _line(document, number, f"{key}: #{value}"), number, column, "is a comment")
        yield Bad(
            f"twice {path}", file, _line(document, number, line, again), number + 1, column, "stands here a second time"
        )
        yield Bad(f"tab {path}", file, _line(document, number, f"{key}:\t{value}"), number, len(key) + 2, "a tab")
        yield Bad(f"no colon {path}", file, _line(document, number, f"{key} {value}"), 0)


def _signs(file: str, document: Document) -> Iterator[Bad]:
    """Signs that YAML takes for something else at the beginning of a value."""
    signs = (
        "&a ",
        "*a ",
        "!a ",
        "!!python/name:os.system ",
        "@",
        "`",
        "%",
        "'",
        '"',
        "{",
        "[",
        "]",
        "}",
        "? ",
        "x: y: ",
    )
    for count, (_, number, column, line, _value) in enumerate(_values(document)):
        sign = signs[count % len(signs)]
        wrong = line[: column - 1] + sign + line[column - 1 :]
        yield Bad(f"sign {sign} {number}:{column}", file, _line(document, number, wrong))


def _hidden(file: str, document: Document) -> Iterator[Bad]:
    for count, (path, number, column, line, _) in enumerate(_values(document)):
        sign = "\x00\x07\x1b\x7f\x85\u2028\ufeff"[count % 7]
        wrong = line[:column] + sign + line[column:]
        yield Bad(f"hidden {sign!r} {path}", file, _line(document, number, wrong), number, column + 1, "cannot be seen")


def _encodings(file: str, document: Document) -> Iterator[Bad]:
    text = document.text
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp949", "euc-kr", "utf-8-sig", "johab"):
        yield Bad(f"{encoding} {file}", file, text.encode(encoding, "replace"))
    half = text.encode()
    at = next((place for place, byte in enumerate(half) if byte > 0x7F), None)
    if at is not None:
        yield Bad(
            f"half a letter {file}", file, half[: at + 1], text[: len(half[:at].decode())].count("\n") + 1, 0, "UTF-8"
        )


RULES: Mapping[str, Callable[[str, Document], Iterator[Bad]]] = {
    "unknown": _unknown_keys, "names": _bad_names, "nested": _nested, "lines": _whole_lines, "signs": _signs,
    "hidden": _hidden, "encodings": _encodings,
}  # fmt: skip


def grown(rule: str) -> list[Bad]:
    """All that one rule makes of all files."""
    return [bad for file, document in documents().items() for bad in RULES[rule](file, document)]
