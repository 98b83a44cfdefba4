"""An Excel file in the home: rows found by an id column, so a repeated write leaves one row."""

import re
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.styles.numbers import is_date_format
from openpyxl.worksheet.worksheet import Worksheet
from pydantic import Field

from connectors.base import Connector, action
from connectors.errors import Rejected, Unavailable
from connectors.files import locked, replace
from connectors.spreadsheets import Entry, Row
from connectors.spreadsheets.grid import Figure, cell_text, plain_text

_LARGEST = 30 * 1024 * 1024  # bytes of a file that we still open
_LONGEST = 32767  # characters of a cell; openpyxl cuts the rest without a word
_PLAIN = re.compile(r"@|General|0(?:\.(0+))?")  # looks of a cell that nobody chose


class Excel(Connector):
    """Reads and writes one sheet of an Excel file in the home's `files` folder; its first row names the columns.

    What is a number is written as one, up to 15 digits, so that the file can add it up; a number that is text, as a
    phone with its zero, and what looks like a formula stay text. An id is always text.
    """

    service: ClassVar[str] = "excel"
    room: ClassVar[str] = "spreadsheets"

    file: str = Field(pattern=r"(?i)\.xlsx$")
    sheet: str | None = None
    id_column: str = "id"

    @action
    def read(self) -> list[Row]:  # type: ignore[override]  # nothing comes in from a file
        """All rows that have an id."""
        path = self.path
        with locked(path):
            _, sheet = self._open(path)
        return [row for row in _rows(sheet, self.id_column) if row.id]

    @action(effect="repeat")
    def append_rows(self, rows: list[dict[str, Any]], *, key: str) -> list[Row]:
        """Add rows; one whose id stands there already is replaced. Without an id, a row gets one from the step."""
        named = [{self.id_column: f"{key}#{number}", **row} for number, row in enumerate(rows, 1)]
        return self._write(named)

    @action(effect="repeat", bulk="upsert_rows")
    def upsert_row(self, row_id: str, row: dict[str, Any]) -> Row:
        """Write one row under its id: new if there is none, otherwise the given cells are replaced."""
        return self._write([{**row, self.id_column: row_id}])[0]

    @action(effect="repeat")
    def upsert_rows(self, rows: list[Entry]) -> list[Row]:
        """Write many rows at once, each a `row_id` and a `row`, as upsert_row does."""
        return self._write([{**one.row, self.id_column: one.row_id} for one in rows])

    @property
    def path(self) -> Path:
        """The file. Raises Rejected for a name that leaves the files folder."""
        return self.in_files(self.file)

    def probe(self) -> str:
        """Count the rows."""
        return f"{self.file} has {len(self.read())} rows"

    def _write(self, rows: Iterable[Mapping[str, Any]]) -> list[Row]:
        path = self.path
        with locked(path):
            _refuse_while_open(path)
            book, sheet = self._open(path)
            columns = _header(sheet, self.id_column)
            lines = _lines(sheet, columns[self.id_column])
            written = [_put(sheet, columns, lines, self.id_column, row) for row in rows]
            content = BytesIO()
            book.save(content)
            try:
                replace(path, content.getvalue(), mode=path.stat().st_mode & 0o777 if path.exists() else 0o600)
            except OSError:
                raise Unavailable(f"{self.file} cannot be written; is the disk full?") from None
        return written

    def _open(self, path: Path) -> tuple[Workbook, Worksheet]:
        if not path.exists():
            book = Workbook()
            sheet = book.active if self.sheet is None else book.create_sheet(self.sheet, 0)
            assert isinstance(sheet, Worksheet)  # noqa: S101 - a new workbook has one
            _set(sheet, 1, 1, self.id_column)
            return book, sheet
        if path.stat().st_size > _LARGEST:
            raise Rejected(f"{self.file} is larger than 30 MB", next_step="move old rows to another file")
        try:
            book = load_workbook(BytesIO(path.read_bytes()))
            found = book.active if self.sheet is None else book[self.sheet]
        except KeyError as error:
            if self.sheet is None or self.sheet not in str(error):
                raise _broken(self.file) from None
            raise Rejected(f"{self.file} has no sheet {self.sheet}", next_step="correct `sheet`") from None
        except Exception:  # noqa: BLE001 - a damaged file makes openpyxl raise whatever it stumbles over
            raise _broken(self.file) from None
        if not isinstance(found, Worksheet):
            raise Rejected(f"{self.file}: the first page is a chart, not a table", next_step="name the `sheet`")
        return book, found


def _broken(file: str) -> Rejected:
    return Rejected(f"{file} cannot be read as an Excel file", next_step="open it, save it again as .xlsx")


def _refuse_while_open(path: Path) -> None:
    # Excel and LibreOffice leave these beside an open file; what we wrote now would be lost when they save.
    for name in (f"~${path.name}", f".~lock.{path.name}#"):
        if (path.parent / name).exists():
            raise Unavailable(f"{path.name} is open in a spreadsheet program", next_step="close it there")


def _header(sheet: Worksheet, id_column: str) -> dict[str, int]:
    """Column numbers by name. Raises Rejected when the id column is missing."""
    columns: dict[str, int] = {}
    for number in range(1, sheet.max_column + 1):
        name = plain_text(sheet.cell(1, number).value).strip()
        if name:
            columns.setdefault(name, number)
    if id_column not in columns:
        raise Rejected(f"the sheet has no column {id_column} in its first row", next_step="add it, or set id_column")
    return columns


def _rows(sheet: Worksheet, id_column: str) -> list[Row]:
    columns = _header(sheet, id_column)
    found = []
    for line in sheet.iter_rows(min_row=2):
        cells = {name: _shown(line[number - 1]) for name, number in columns.items()}
        cells[id_column] = plain_text(line[columns[id_column] - 1].value)
        found.append(Row(id=cells[id_column].strip(), cells=cells))
    return found


def _lines(sheet: Worksheet, column: int) -> dict[str, int]:
    """Line numbers by id; under "" the first line after all that has content."""
    found: dict[str, int] = {}
    free = 2
    for number, line in enumerate(sheet.iter_rows(min_row=2, values_only=True), 2):
        found.setdefault(plain_text(line[column - 1]).strip(), number)
        if any(value is not None for value in line):
            free = number + 1
    return found | {"": free}


def _put(
    sheet: Worksheet, columns: dict[str, int], lines: dict[str, int], id_column: str, row: Mapping[str, Any]
) -> Row:
    cells = {name: cell_text(value, _LONGEST) for name, value in row.items()}
    cells[id_column] = str(cells[id_column])
    id = cells[id_column].strip()
    if not id:
        raise Rejected(f"a row needs a value in {id_column}")
    if id not in lines:
        lines[id], lines[""] = lines[""], lines[""] + 1
    for name, text in cells.items():
        if name not in columns:
            columns[name] = sheet.max_column + 1
            _set(sheet, 1, columns[name], name)
        _set(sheet, lines[id], columns[name], text)
    return Row(id=id, cells={name: _shown(sheet.cell(lines[id], at)) for name, at in columns.items()})


def _set(sheet: Worksheet, line: int, column: int, text: str) -> None:
    cell = sheet.cell(line, column)
    if isinstance(text, Figure):
        cell.value = text.number
        if _PLAIN.fullmatch(cell.number_format) or is_date_format(cell.number_format):  # not somebody's won
            cell.number_format = text.look
        return
    cell.value = text or None
    if text:
        cell.data_type = "s"  # or `=cmd` becomes a formula, and #N/A an error
        cell.number_format = "@"  # or Excel drops a phone's zero when somebody edits it


def _shown(cell: Cell | MergedCell) -> str:
    """The text of a cell, a number with the zeros that were written behind its point."""
    text = plain_text(cell.value)
    look = _PLAIN.fullmatch(cell.number_format) if cell.data_type == "n" else None
    if look is None or not look[1] or not text:
        return text
    whole, _, places = text.partition(".")
    return f"{whole}.{places.ljust(len(look[1]), '0')}"
