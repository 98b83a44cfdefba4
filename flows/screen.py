"""How things look in a terminal."""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NoReturn
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

console = Console(highlight=False)


class Refused(Exception):  # noqa: N818
    """The command cannot do what was asked; the sentence says why and what to do."""


def fail(sentence: str) -> NoReturn:
    sys.stderr.write(f"digilog: {sentence}\n" if "\n" not in sentence else f"{sentence}\n")
    sys.exit(1)


def say(line: str = "", style: str | None = None) -> None:
    console.print(line, style=style, markup=False, soft_wrap=True)


def table(columns: Sequence[str], lines: Iterable[Sequence[object]], empty: str) -> None:
    """A table, or a sentence where there is nothing to show."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for line in lines:
        shown.add_row(*(_cell(value) for value in line))
    if shown.row_count:
        console.print(shown)
    else:
        say(empty)


def when(at: datetime | None, zone: ZoneInfo) -> str:
    """A moment in company time, to the minute."""
    return f"{at.astimezone(zone):%m-%d %H:%M}" if at else ""


def _cell(value: object) -> str:
    return "" if value is None else str(value).replace("[", r"\[")
