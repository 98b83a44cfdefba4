"""Numbers from a folder into which people drop CSV and Excel files."""

import csv
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import ClassVar

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from pydantic import Field

from connectors.analytics import Asked, Page, Reading, Source
from connectors.analytics.rows import day_of, gathered, number, widen
from connectors.errors import Rejected, Unavailable

_LARGEST = 30 * 1024 * 1024  # bytes of all files together
_UNPACKED = 60 * 1024 * 1024  # of one workbook: they are packed, and 30 kB can be 30 MB
_MOST_LINES = 100_000  # of one file
_MOST_FILES = 500
_NAMES = {
    "날짜": "day", "일자": "day", "date": "day", "지표": "metric", "값": "value", "계정": "account", "채널": "channel",
}  # fmt: skip
_KNOWN = ("day", "metric", "value", "account", "channel")
_OLD = (".xls", ".numbers", ".ods")
_BROKEN = "it cannot be read as an Excel file; open it and save it again as .xlsx"
Line = tuple[int, Sequence[object]]


class Folder(Source):
    """Reads the CSV and Excel files (.xlsx, their first sheet) of a folder in the home's `files` folder.

    A file has a line for each day and metric (day, metric, value[, account, channel]), or a line for each day and a
    column for each metric. The first line names the columns; 날짜, 지표, 값, 계정 and 채널 do as well. Where two files
    have the same day and metric, the file that was changed last counts. Of a file with a mistake nothing is taken; the
    others are read, and the mistake is told with its file and line.
    """

    service: ClassVar[str] = "folder"
    most_days: ClassVar[int] = 36_525  # files are read as a whole
    most_metrics: ClassVar[int] = 1_000

    folder: str = Field(pattern=r"^[^/\\.][^\\]*$")

    def fetch(self, asked: Asked, page: str | None) -> bytes:
        """All files in one archive, the oldest first."""
        del asked, page
        try:
            return self._packed(self._files())
        except OSError:
            raise Unavailable(f"a file in {self.folder} cannot be read just now") from None

    def parse(self, asked: Asked, raw: bytes) -> Page:
        """The days and metrics that are asked for; mistakes by file and line."""
        found: dict[tuple[object, ...], Reading] = {}
        odd, said = [], Said()
        with zipfile.ZipFile(BytesIO(raw)) as archive:
            for one in archive.infolist():
                try:
                    lines = gathered(
                        _readings(_table(one.filename, archive.read(one)), asked.of, said), of=one.filename
                    )
                except ValueError as error:
                    odd.append(f"{one.filename}: {error}")
                except Rejected as error:
                    odd.append(error.reason)
                else:
                    found |= {reading.key: reading for reading in lines}
        asked_for = (one for one in found.values() if asked.since <= one.day <= asked.until)
        blank = said.blank - {(one.metric, one.day) for one in found.values()}
        return Page(readings=tuple(asked_for), odd=tuple(odd), spans=said.spans, blank=frozenset(blank))

    def probe(self) -> str:
        """Read all files."""
        asked = Asked(since=date.min, until=date.max)
        page = self.page(asked, self.answer_of(asked, None))
        if page.odd:
            raise Rejected("; ".join(page.odd), next_step="correct it there")
        return f"{self.folder} has {len(self._files())} files with {len(page.readings)} numbers"

    def _packed(self, files: Sequence[Path]) -> bytes:
        found = BytesIO()
        if sum(one.stat().st_size for one in files) > _LARGEST or len(files) > _MOST_FILES:
            raise Rejected(
                f"{self.folder} holds more than 30 MB or {_MOST_FILES} files", next_step="move old files elsewhere"
            )
        with zipfile.ZipFile(found, "w") as archive:
            for one in files:
                archive.writestr(zipfile.ZipInfo(one.name), one.read_bytes())
        return found.getvalue()

    def _files(self) -> list[Path]:
        """Those that hold tables, the one changed last at the end. Raises Rejected where there is no folder."""
        folder = self.in_files(self.folder)
        if not folder.is_dir():
            raise Rejected(f"{self.folder} is not there", next_step="make the folder in the home's folder files")
        found = [
            one
            for one in folder.iterdir()
            # Excel and LibreOffice keep files of such names beside an open one
            if one.suffix.lower() in {".csv", ".xlsx", *_OLD} and not one.name.startswith((".", "~$"))
        ]
        kept = [self.in_files(f"{self.folder}/{one.name}") for one in found]
        return sorted(kept, key=lambda one: (one.stat().st_mtime_ns, one.name))


@dataclass(slots=True)
class Said:
    """What files tell of: each metric's first and last day, and days in it that have a cell without a number."""

    spans: dict[str, tuple[date, date]] = field(default_factory=dict)
    blank: set[tuple[str, date]] = field(default_factory=set)


def _table(name: str, content: bytes) -> Iterator[Line]:
    """Lines of a file with their numbers, as cells. Raises ValueError with what is wrong with the file."""
    if name.lower().endswith(_OLD):
        raise ValueError("it is no .xlsx; open it and save it as .xlsx or as CSV")
    lines = _workbook(content) if name.lower().endswith(".xlsx") else _text(content)
    for at, line in lines:
        if at > _MOST_LINES:
            raise ValueError(f"it has more than {_MOST_LINES} lines")
        if any(cell is not None and str(cell).strip() for cell in line):
            yield at, line


def _text(content: bytes) -> Iterator[Line]:
    for coding in ("utf-8-sig", "cp949"):  # Korean Excel saves CSV in cp949 unless told otherwise
        try:
            text = content.decode(coding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise ValueError("it is neither UTF-8 nor cp949 text; save it as CSV UTF-8")
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error:
        raise ValueError(f"line {reader.line_num}: the quotes do not fit together") from None


def _workbook(content: bytes) -> Iterator[Line]:
    if _unpacked(content) > _UNPACKED:
        raise ValueError("it is too large when it is unpacked")
    try:
        sheet = load_workbook(BytesIO(content), read_only=True, data_only=True).worksheets[0]
        sheet.reset_dimensions()  # what a file says of its size is not always so
        yield from enumerate(sheet.iter_rows(values_only=True), 1)
    except Exception:  # noqa: BLE001 - a damaged file makes openpyxl raise whatever it stumbles over
        raise ValueError(_BROKEN) from None


def _unpacked(content: bytes) -> int:
    """Bytes that a workbook has inside. Raises ValueError."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as packed:
            return sum(one.file_size for one in packed.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise ValueError(_BROKEN) from None


def _readings(table: Iterator[Line], of: Sequence[str], said: Said) -> Iterator[tuple[str, Iterable[Reading]]]:
    """Each line with its readings. Raises ValueError for columns that do not fit."""
    _, head = next(table, (1, ()))
    names = [_NAMES.get(name.lower(), name) for name in (_cell(cell) for cell in head)]
    names = [name.lower() if name.lower() in _KNOWN else name for name in names]
    if "day" not in names:
        raise ValueError("line 1: the column day is missing")
    if ("metric" in names) != ("value" in names):
        raise ValueError(f"line 1: the column {'value' if 'metric' in names else 'metric'} is missing")
    twice = next((at for at, name in enumerate(names) if name and name in names[:at]), None)
    if twice is not None:
        raise ValueError(f"line 1: column {get_column_letter(twice + 1)} has a name that stands there twice")
    wide = "metric" not in names
    for at, line in table:
        row = {name: cell for name, cell in zip(names, line, strict=False) if name}
        yield f"line {at}", _wide(row, of, said) if wide else _long(row, of, said)


def _long(row: Mapping[str, object], of: Sequence[str], said: Said) -> Iterator[Reading]:
    metric = _cell(row.get("metric"))
    if not metric:
        raise ValueError("metric is empty")
    if not of or metric in of:
        value, day = number(_plain(row.get("value")), "value"), _day(row)
        widen(said.spans, metric, day)
        yield Reading(day=day, metric=metric, value=value, **_whose(row))


def _wide(row: Mapping[str, object], of: Sequence[str], said: Said) -> Iterator[Reading]:
    """A cell that is empty is no number, and not zero."""
    day = _day(row)
    for name, cell in row.items():
        if name in _KNOWN or (of and name not in of):
            continue
        widen(said.spans, name, day)
        if not _cell(cell):
            said.blank.add((name, day))
        else:
            yield Reading(day=day, metric=name, value=number(_plain(cell), name), **_whose(row))


def _whose(row: Mapping[str, object]) -> dict[str, str]:
    return {name: _cell(row.get(name)) for name in ("account", "channel")}


def _day(row: Mapping[str, object]) -> date:
    """The day, as a date cell or as text. Raises ValueError."""
    said = row.get("day")
    if isinstance(said, datetime):
        return said.date()
    return said if isinstance(said, date) else day_of(_cell(said))


def _plain(cell: object) -> object:
    return cell if isinstance(cell, int | float) else _cell(cell)


def _cell(cell: object) -> str:
    return "" if cell is None else str(cell).strip()
