"""A sheet as lines of text, and what has to change in it so that rows stand there under their ids."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any

from connectors.errors import Rejected
from connectors.spreadsheets import Row

EXACT = 15  # digits of a number that a spreadsheet keeps; one with more is text
_LONG = 1000
_PLACES = 30  # that a cell can show behind the point
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_UNTOUCHED = frozenset({"", "FALSE"})  # FALSE: a checkbox that was drawn down a column in advance


class Figure(str):
    """The text of a number, to be written as a number: equal to the same text, as which it is read again."""

    __slots__ = ()

    @property
    def number(self) -> int | float:
        return float(self) if "." in self else int(self)

    @property
    def look(self) -> str:
        """The number format that shows this text."""
        _, point, places = self.partition(".")
        return f"0{point}{'0' * len(places)}"


@dataclass(frozen=True, slots=True)
class Change:
    """New texts in one line that stands there: `line` counts from 0, the header being 0; texts by column number."""

    line: int
    id: str
    texts: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write: new names in the first row, changes in lines that stand there, lines to put in before `at`."""

    names: Mapping[int, str]  # by column number
    changes: Sequence[Change]
    at: int
    lines: Sequence[Sequence[str]]
    rows: Sequence[Row]

    @property
    def empty(self) -> bool:
        return not (self.names or self.changes or self.lines)


def columns(lines: Sequence[Sequence[str]], id_column: str) -> dict[str, int]:
    """Column numbers by name; of an empty sheet the id column alone. Raises Rejected when that is missing."""
    found: dict[str, int] = {}
    for number, text in enumerate(lines[0] if lines else []):
        if text.strip():
            found.setdefault(text.strip(), number)
    if not any(any(line) for line in lines):
        return {id_column: 0}
    if id_column not in found:
        raise Rejected(f"the sheet has no column {id_column} in its first row", next_step="add it, or set id_column")
    return found


def rows_of(lines: Sequence[Sequence[str]], id_column: str) -> list[Row]:
    """All rows that have an id."""
    named = columns(lines, id_column)
    found = (_row(line, named, id_column) for line in lines[1:])
    return [row for row in found if row.id]


def planned(lines: Sequence[Sequence[str]], id_column: str, rows: Iterable[Mapping[str, str]]) -> Plan:
    """What to write so that `rows` stand in the sheet; what stands there already is left alone.

    New lines come after the last one that anybody wrote in. Raises Rejected for a row without an id.
    """
    named = columns(lines, id_column)
    known = {} if not any(map(any, lines)) else dict(named)
    whole = [list(line) for line in lines] or [[]]
    width = max([*map(len, whole), *(column + 1 for column in named.values())])
    at = 1 + max((number for number, line in enumerate(whole) if set(line) - _UNTOUCHED), default=0)
    whole[at:] = []
    places: dict[str, int] = {}
    for number, line in enumerate(whole[1:], 1):
        places.setdefault(_at(line, named[id_column]).strip(), number)
    written = []
    for row in rows:
        id = row[id_column].strip()
        if not id:
            raise Rejected(f"a row needs a value in {id_column}")
        if places.setdefault(id, len(whole)) == len(whole):
            whole.append([])
        for name, text in row.items():
            width += name not in named
            column = named.setdefault(name, width - 1)
            _put(whole[places[id]], column, id if name == id_column else text)
        written.append(id)
    names = {column: name for name, column in named.items() if name not in known}
    return Plan(names, _changes(lines, whole[:at], named[id_column]), at, whole[at:],
                [_row(whole[places[id]], named, id_column) for id in written])  # fmt: skip


def cell_text(value: object, longest: int) -> str:
    """A value as a cell shows it, a number as a Figure. Raises Rejected for more than `longest` characters."""
    text = _UNPRINTABLE.sub("", plain_text(value))
    if len(text) > longest:
        raise Rejected(f"a cell takes at most {longest} characters")
    return Figure(text) if _is_figure(value) else text


def figure(text: str) -> str:
    """What was read from a cell of numbers: a Figure, if it is one."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return Figure(text) if _is_figure(number) and plain_text(number) == text else text


def plain_text(value: object) -> str:
    """A value as a person would write it."""
    match value:
        case None:
            return ""
        case Decimal() if abs(value.adjusted()) < _LONG:  # no million zeros
            return format(value or abs(value), "f")
        case float() if value.is_integer():
            return str(int(value))
        case float() if isfinite(value):
            return format(_rounded(value), "f")
        case datetime() | date():
            return value.isoformat()
        case list() | tuple():
            return ", ".join(map(plain_text, value))
        case dict():
            return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _is_figure(value: object) -> bool:
    """Is it a number that a spreadsheet holds without changing it? One that is written as text is none."""
    match value:
        case bool():
            return False
        case int():
            number = Decimal(value)
        case float() if isfinite(value):
            number = _rounded(value)
        case Decimal() if value.is_finite():
            number = value
        case _:
            return False
    _, digits, exponent = number.as_tuple()
    counted = len("".join(map(str, digits)).rstrip("0"))
    return counted <= EXACT and number.adjusted() < EXACT and int(exponent) >= -_PLACES


def _rounded(value: float) -> Decimal:
    """0.1 + 0.2 is 0.3, as in every spreadsheet."""
    return Decimal(f"{value:.{EXACT}g}")


def _changes(before: Sequence[Sequence[str]], after: Sequence[Sequence[str]], id_column: int) -> list[Change]:
    found = []
    for number, line in enumerate(after[1:], 1):
        old = before[number]
        texts = {column: text for column, text in enumerate(line) if text != _at(old, column)}
        if texts:
            found.append(Change(number, _at(line, id_column).strip(), texts))
    return found


def _row(line: Sequence[Any], named: Mapping[str, int], id_column: str) -> Row:
    cells = {name: str(_at(line, column)) for name, column in named.items()}
    return Row(id=cells[id_column].strip(), cells=cells)


def _at(line: Sequence[str], column: int) -> str:
    return line[column] if column < len(line) else ""


def _put(line: list[str], column: int, text: str) -> None:
    line.extend([""] * (column + 1 - len(line)))
    line[column] = text
