"""How things look in a terminal."""

import re
import sys
from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from typing import NoReturn
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

console = Console(highlight=False)
# A terminal obeys these, and people read the others in a wrong order: they come from customers.
_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Refused(Exception):  # noqa: N818
    """The command cannot do what was asked; the sentence says why and what to do."""


class Misused(Refused):
    """The words of the command ask for nothing: exit 2."""


def fail(sentence: str, code: int = 1) -> NoReturn:
    sys.stderr.write(f"digilog: {sentence}\n" if "\n" not in sentence else f"{sentence}\n")
    sys.exit(code)


def say(line: str = "", style: str | None = None) -> None:
    console.print(plain(line), style=style, markup=False, soft_wrap=True)


def table(columns: Sequence[str], lines: Iterable[Sequence[object]], empty: str, whole: Container[int] = ()) -> None:
    """A table, or a sentence where there is nothing to show. `whole`: columns that are never broken."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for place, column in enumerate(columns):
        shown.add_column(column, overflow="fold", no_wrap=place in whole)
    for line in lines:
        shown.add_row(*(_cell(value) for value in line))
    if shown.row_count:
        console.print(shown)
    else:
        say(empty)


def when(at: datetime | None, zone: ZoneInfo) -> str:
    """A moment in company time, to the minute."""
    return f"{at.astimezone(zone):%m-%d %H:%M}" if at else ""


def plain(line: str) -> str:
    """A line without what a terminal would obey."""
    return _OBEYED.sub("\N{REPLACEMENT CHARACTER}", line)


def _cell(value: object) -> Text:
    return Text("" if value is None else plain(str(value)))
