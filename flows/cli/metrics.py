"""`digilog metrics`: the numbers of a month, on the terminal or as CSV; also as they were known earlier."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.cells import cell_len
from sqlalchemy import Connection

from connectors.files import replace
from flows.cli.app import HERE, Where, app
from flows.ledger import mirror
from flows.ledger.ratios import Pace, pace, ratio
from flows.ledger.series import Cell, Total, begun, days, series, total
from flows.playbook.model import Book
from flows.screen import Refused, console, say, table

_SHOWN = 7  # days beside the month's sum, if they have room
_LABEL, _GAP = 16, 2  # room that a metric's label needs, and between two columns
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_MARKS = "- missing, * may still change, + was another number before, ! a person's word that a source contradicts"


@app.command
def metrics(
    *,
    month: Annotated[str | None, Parameter(help="like 2026-11; this month (on its first day: the last one)")] = None,
    csv: Annotated[Path | None, Parameter(help="write all numbers of the month into this file")] = None,
    as_of: Annotated[str | None, Parameter(help='what was known then, like "2026-11-20 09:00"')] = None,
    where: Where = HERE,
) -> None:
    """Show the numbers of a month: sums, the last days, ratios and targets; `--csv` writes all of them to a file."""
    world, store = where.world()
    book, now = world.book, world.clock.now()
    known = _moment(book, as_of) if as_of else None
    yesterday = (known or now).astimezone(book.company.zone).date() - timedelta(days=1)
    first, last = _days(month, yesterday)
    with store.read() as session:
        if csv is not None:
            lines = list(mirror.export(session, book, first, last, now, known))
            replace(csv.absolute(), "".join(lines).encode())
            count = len(lines) - 1
            say(f"{csv}: {count} number{'s' * (count != 1)} of {first:%Y-%m}")
            return
        _table(session, book, first, min(last, yesterday), now, known)
        _ratios(session, book, first, min(last, yesterday), now, known)
        if month is None and known is None:
            _targets(session, book, now)


def _days(month: str | None, yesterday: date) -> tuple[date, date]:
    """First and last day of a month. Raises Refused for what is none."""
    found = _MONTH.fullmatch(month) if month else None
    with suppress(ValueError, OverflowError):
        if month is None or found:
            first = date(int(found[1]), int(found[2]), 1) if found else yesterday.replace(day=1)
            return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    raise Refused(f"{month} is no month; write it as 2026-11")


def _moment(book: Book, said: str) -> datetime:
    with suppress(ValueError, OverflowError):
        found = datetime.fromisoformat(said)
        local = found if found.tzinfo else found.replace(tzinfo=book.company.zone)
        local.astimezone(UTC).astimezone(book.company.zone) - timedelta(days=1)  # no moment at the edge of all time
        return local
    raise Refused(f'{said} is no moment; write it as "2026-11-20 09:00", in the company\'s time')


def _table(session: Connection, book: Book, first: date, last: date, now: datetime, as_of: datetime | None) -> None:
    asked = days(first, last)
    shown = asked[-_SHOWN:]
    found = series(session, book, book.metrics.metrics, first, last, now, as_of)
    yesterday = (as_of or now).astimezone(book.company.zone).date() - timedelta(days=1)
    begin, lines = begun(session, book, found, first, yesterday), list[tuple[str, ...]]()
    for name, metric in book.metrics.metrics.items():
        since = begin.get(name, first)
        whole = total(metric, found[name], [day for day in asked if day >= since])
        cells = [_shown(found[name].get(day, Cell())) if day >= since else "" for day in shown]
        lines.append((metric.label, _said(whole), f"{whole.missing or ''}", *cells))
    heads = (f"{first:%Y-%m}", "in all", "missing", *(f"{day:%m-%d}" for day in shown))
    room = _room([heads, *lines])
    if lines:
        heads, lines = heads[:3] + heads[3:][-room:], [line[:3] + line[3:][-room:] for line in lines]
    table(heads, lines, "no metrics yet", range(1, len(heads)))
    if lines and room < len(shown):
        say(f"only the newest days have room here; a wider terminal shows {len(shown)}, --csv all", style="dim")
    if lines:
        say(_MARKS, style="dim")


def _room(lines: Sequence[Sequence[str]]) -> int:
    """How many days fit into the terminal beside their label, sum and count; at least one."""
    label, *wide = (max(cell_len(line[place]) for line in lines) + _GAP for place in range(len(lines[0])))
    left = console.width + _GAP - min(label, _LABEL) - sum(wide[:2])
    room = 0
    for width in reversed(wide[2:]):
        left -= width
        room += left >= 0
    return max(room, 1)


def _shown(cell: Cell) -> str:
    if cell.status == "not_applicable":
        return ""
    marks = ("*", cell.provisional), ("+", cell.restated), ("!", cell.conflict)
    return f"{cell.value:,f}" + "".join(mark for mark, so in marks if so) if cell.value is not None else "-"


def _said(found: Total) -> str:
    return f"{_number(found.value)}{'*' if found.provisional else ''}" if found.value is not None else "-"


def _number(value: Decimal) -> str:
    """Exact where it is short; a ratio with four digits that count."""
    short = value if len(value.as_tuple().digits) <= 15 else Decimal(f"{value:.4g}")
    return f"{short:,f}"


def _ratios(session: Connection, book: Book, first: date, last: date, now: datetime, as_of: datetime | None) -> None:
    def lines() -> Iterator[tuple[str, str, str]]:
        for name, one in book.metrics.ratios.items():
            found = ratio(session, book, name, first, last, now, as_of)
            yield one.label or name, _said(found), found.reason or ""

    if book.metrics.ratios:
        say()
        table(("ratio", "in all", "why not"), lines(), "", {1})


def _targets(session: Connection, book: Book, now: datetime) -> None:
    labels = {name: one.label for name, one in (book.metrics.metrics | book.metrics.ratios).items()}

    def line(metric: str, per: str, found: Pace) -> tuple[str, ...]:
        stands = "no number yet" if found.value is None else "behind" if found.behind else "on the way"
        value = _number(found.value) if found.value is not None else "-"
        return f"{labels[metric] or metric} a {per}", value, _number(found.wanted_by_now), _number(found.wanted), stands

    if book.metrics.targets:
        say()
        lines = [line(one.metric, one.per, pace(session, book, one, now)) for one in book.metrics.targets]
        table(("target", "now", "by now", "wanted", "it is"), lines, "", {1, 2, 3})
