"""YAML to plain text values with their places; everything is a string until the schema types it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.scanner import Scanner
from ruamel.yaml.tag import Tag
from ruamel.yaml.tokens import (
    AliasToken,
    AnchorToken,
    BlockEndToken,
    BlockMappingStartToken,
    BlockSequenceStartToken,
    DirectiveToken,
    DocumentStartToken,
    FlowMappingEndToken,
    FlowMappingStartToken,
    FlowSequenceEndToken,
    FlowSequenceStartToken,
    StreamStartToken,
    TagToken,
    Token,
)

from flows.playbook.problem import Problem

LARGEST = 256 * 1024  # bytes
DEEPEST = 20
MOST = 20_000  # words and signs of one file; read in well under a second
MOST_NUMBERS = 60_000  # of metrics.yaml, which cannot be divided: a thousand metrics
Path_ = tuple[str | int, ...]  # a place in a document: keys and positions from the top
_TOO_DEEP = f"this is nested more than {DEEPEST} levels deep; write it flatter"
_OPENING = (BlockMappingStartToken, BlockSequenceStartToken, FlowMappingStartToken, FlowSequenceStartToken)
_CLOSING = (BlockEndToken, FlowMappingEndToken, FlowSequenceEndToken)
_STRING = "tag:yaml.org,2002:str"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029\ufeff\ufffe\uffff]")
_LINE_END = re.compile(r"\r\n|\r|\n")  # as YAML counts lines; old programs end them with \r alone
_NESTED = re.compile(r"(?:[\[{] *)" + f"{{{DEEPEST + 1}}}")
_COMMENT = re.compile(r"[ ]+#")


@dataclass(frozen=True, slots=True)
class Place:
    line: int  # from 1
    column: int  # from 1


@dataclass(slots=True)
class Document:
    """One file as read: `data` holds only dicts, lists and strings."""

    path: str
    text: str = ""
    lines: list[str] = field(default_factory=list)
    data: Any = None
    values: dict[Path_, Place] = field(default_factory=dict)
    keys: dict[Path_, Place] = field(default_factory=dict)
    cut: list[Path_] = field(default_factory=list)  # unquoted values with a comment behind them
    empty: set[Path_] = field(default_factory=set)  # names without a value, said already
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: Path_, *, key: bool = False) -> Place:
        """Where `path` stands, or the nearest thing above it that is written."""
        places = self.keys if key else self.values
        while path:
            if found := places.get(path) or self.values.get(path) or self.keys.get(path):
                return found
            path = path[:-1]
        return self.values.get((), Place(1, 1))

    def problem(self, path: Path_, message: str, *, key: bool = False) -> Problem:
        at = self.place(path, key=key)
        return Problem(self.path, at.line, at.column, message)


class _Stop(Exception):  # noqa: N818 - the first thing that makes further reading pointless
    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.line, self.column, self.message = line, column, message


class Strings(VersionedResolver):
    """Gives every unquoted value as text: phone numbers keep their zero, `no` is a word."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is ScalarNode:
            return Tag(suffix=_STRING)  # a bare string dies inside ruamel
        return super().resolve(kind, value, implicit)


def load(path: Path, name: str | None = None) -> Document:
    """Read one file; problems are in the result, never raised. `name` is how the file is called in them."""
    called = name or str(path)
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= LARGEST else b""
    except OSError:
        return _refused(called, "the file cannot be read; look at its name and its rights")
    if size > LARGEST:
        return _refused(called, f"the file is larger than {LARGEST // 1024} KiB; divide it")
    if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return _refused(called, "the file begins with a byte order mark; save it as UTF-8 without BOM")
    try:
        return load_text(raw.decode("utf-8"), called)
    except UnicodeDecodeError as error:
        good = raw[: error.start].decode("utf-8")
        line = good.count("\n") + 1
        column = len(good) - (good.rfind("\n") + 1) + 1
        problem = Problem(called, line, column, "the file is not UTF-8 from here on; save it as UTF-8")
        return Document(called, problems=[problem])


@lru_cache(maxsize=64)  # most files of a company are as they were when it looks again; nobody changes a document
def load_text(text: str, name: str) -> Document:
    """Read the text of one file; problems are in the result, never raised."""
    document = Document(name, text, _LINE_END.split(text))
    try:
        _look(text)
        node = _yaml(name).compose(text)
        if node is None:
            raise _Stop(1, 1, "the file is empty")  # noqa: TRY301
        document.data = _value(node, (), document)
    except _Stop as stop:
        document.problems.append(Problem(name, stop.line, stop.column, stop.message))
    except MarkedYAMLError as error:
        document.problems.append(_syntax(error, document))
    except (YAMLError, ReaderError, RecursionError, ValueError):
        document.problems.append(Problem(name, 1, 1, "this cannot be read as YAML; look at its quotes and blanks"))
    return document


def _refused(name: str, message: str) -> Document:
    return Document(name, problems=[Problem(name, 1, 1, message)])


def _yaml(name: str) -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Resolver = Strings
    yaml.Scanner = _Numbers if name.endswith("metrics.yaml") else _Bounded
    return yaml


def _look(text: str) -> None:
    """Refuse what editors hide: tabs, control signs, byte order marks in the middle."""
    if len(text.encode()) > LARGEST:
        raise _Stop(1, 1, f"the file is larger than {LARGEST // 1024} KiB; divide it")
    for number, line in enumerate(_LINE_END.split(text), 1):
        if "\t" in line:
            raise _Stop(number, line.index("\t") + 1, "a tab stands here; use blanks")
        if found := _CONTROL.search(line):
            raise _Stop(number, found.start() + 1, "a sign that cannot be seen stands here; take it away")
        if found := _NESTED.search(line):  # ruamel looks a thousand signs ahead, in a time that grows by the square
            raise _Stop(number, len(found.group().rstrip()) + found.start(), _TOO_DEEP)


_UNWANTED: tuple[tuple[type[Token], str], ...] = (
    (AnchorToken, "& at the beginning of a value is not part of the language; put the value in quotes"),
    (AliasToken, "* at the beginning of a value is not part of the language; put the value in quotes"),
    (TagToken, "! at the beginning of a value is not part of the language; put the value in quotes"),
    (DirectiveToken, "% at the beginning of a line is not part of the language; take it away"),
)


class _Bounded(Scanner):
    """Looks at each piece before anything is built of it: ten thousand nested lists must not reach the parser."""

    most = MOST
    depth = begun = count = 0

    def get_token(self) -> Any:
        token = super().get_token()
        line, column = token.start_mark.line + 1, token.start_mark.column + 1
        for kind, message in _UNWANTED:
            if isinstance(token, kind):
                raise _Stop(line, column, message)
        if isinstance(token, DocumentStartToken):
            if self.begun:
                raise _Stop(line, column, "a file holds one document; take the line --- away")
        elif not isinstance(token, StreamStartToken):
            self.begun = 1
        self.depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        self.count += 1
        if self.count > self.most:
            raise _Stop(line, column, "the file holds too much to be read by people; divide it")
        if self.depth > DEEPEST:
            raise _Stop(line, column, _TOO_DEEP)
        return token


class _Numbers(_Bounded):
    most = MOST_NUMBERS


def _value(node: Node, path: Path_, document: Document) -> Any:
    document.values[path] = Place(node.start_mark.line + 1, node.start_mark.column + 1)
    match node:
        case MappingNode():
            return _mapping(node, path, document)
        case SequenceNode():
            return [_value(inner, (*path, number), document) for number, inner in enumerate(node.value)]
    return _text(node, path, document)


def _text(node: Node, path: Path_, document: Document) -> str:
    value = str(node.value)
    if isinstance(node, ScalarNode) and node.style is None:
        if not value:
            document.problems.append(_empty(path, document))
            document.empty.add(path)
        if _comment_behind(node, document.lines):
            document.cut.append(path)
    return value


def _mapping(node: MappingNode, path: Path_, document: Document) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
        if not isinstance(key_node, ScalarNode):
            braces = "a text with {{ }} is written in quotes"
            message = braces if isinstance(key_node, MappingNode) else "a name is expected before the colon"
            document.problems.append(Problem(document.path, line, column, message))
            continue
        key = str(key_node.value)
        if key == "<<" and key_node.style is None:
            message = "<< is not part of the language; write out what it would bring"
            document.problems.append(Problem(document.path, line, column, message))
            continue
        if key in found:
            first = document.keys[*path, key].line
            message = f"{key} stands here a second time, first in line {first}; keep one of them"
            document.problems.append(Problem(document.path, line, column, message))
            continue
        document.keys[*path, key] = Place(line, column)
        found[key] = _value(value_node, (*path, key), document)
    return found


def _empty(path: Path_, document: Document) -> Problem:
    key = str(path[-1]) if path and isinstance(path[-1], str) else ""
    at = document.keys.get(path, document.values[path])
    behind = document.lines[at.line - 1][at.column - 1 + len(key) :]
    if key and not behind.lstrip(" \"'").startswith(":") and behind.strip():
        # `{of: minutes(start, thanks)}`: the comma inside the braces begins a name without a value
        message = f"the comma before {key!r} divides the value; put the whole value in quotes"
    elif "#" in behind:
        message = f"{key or 'this'} has no value: what follows # is a comment; put the value in quotes"
    else:
        message = f"{key or 'this'} has no value; write one, or take the line away"
    return Problem(document.path, at.line, at.column, message)


def _comment_behind(node: ScalarNode, lines: list[str]) -> bool:
    end = node.end_mark
    return end.line < len(lines) and bool(_COMMENT.match(lines[end.line][end.column :]))


_SENTENCES: Mapping[str, str] = {
    "mapping values are not allowed": "a colon with a blank behind it stands inside a value; put the value in quotes",
    "could not find expected ':'": "a name here has no colon behind it, or a longer text needs quotes",
    "found duplicate key": "the same name stands here twice; keep one of them",
    "unexpected end of stream": "a quotation mark is opened and never closed",
    "expected ',' or '}'": "a comma or } is missing",
    "expected ',' or ']'": "a comma or ] is missing",
    "cannot start any token": "a value cannot begin with this sign; put it in quotes",
    "expected <block end>": "this does not stand below what it belongs to; look at the blanks before it",
    "an tag": _UNWANTED[2][1],
    "expected alphabetic": "a value cannot begin with this sign; put it in quotes",
    "unknown escape character": "\\ has a meaning between double quotes; use single quotes",
    "sequence entries are not allowed": "a - cannot stand here; begin it on a line of its own",
    "block sequence entries": "a - cannot stand here; begin it on a line of its own",
    "expected the node content": "a value is missing here",
    "expected a comment or a line break": "after | or > the text begins on the next line",
    "chomping or indentation": "after | or > the text begins on the next line",
    "expected single document": "a file holds one document; take the line --- away",
    "document separator": "a quotation mark is opened and never closed",
}


def _syntax(error: MarkedYAMLError, document: Document) -> Problem:
    mark = error.problem_mark or error.context_mark
    said = f"{error.context or ''} {error.problem or ''}"
    message = next((sentence for part, sentence in _SENTENCES.items() if part in said), None)
    if "quoted" in said and error.context_mark is not None and message == _SENTENCES["unexpected end of stream"]:
        mark = error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    plain = "this cannot be read; look at its quotes and at the blanks at the beginning of the line"
    return Problem(document.path, line, column, message or plain)
