"""Google Sheets: rows of one sheet, found by an id column, so that a repeated write leaves one row."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, Field, PrivateAttr, ValidationError, field_validator

from connectors.base import action
from connectors.errors import NotConnected, Rejected, Unavailable, Uncertain
from connectors.google import CONSOLE, Google
from connectors.http import Answer
from connectors.spreadsheets import Entry, Row
from connectors.spreadsheets.grid import Change, Figure, Plan, cell_text, columns, figure, planned, rows_of

_LONGEST = 50_000  # characters of a cell: https://support.google.com/drive/answer/37603
_TRIES = 3  # when people move lines while we write
_LAST = re.compile(r"(?::|!)\$?([A-Z]+)\$?(\d+)$")  # the last cell of '회원'!A1:Z1000
_LOOK, _TEXT = "userEnteredFormat.numberFormat", {"type": "TEXT"}
T = TypeVar("T", bound=BaseModel)


class GoogleSheets(Google):
    """Reads and writes one sheet of a Google spreadsheet; its first row names the columns, `id_column` finds the rows.

    What is a number is written as one, up to 15 digits, so that the sheet can add it up. All else is the text it is: a
    phone keeps its zero, and what looks like a formula stays text; so does an id. New rows are put in as new lines
    under the last one, so nobody's line is written over; new columns are added to the first row. What stands in the
    sheet already is not written again.
    """

    service: ClassVar[str] = "google_sheets"
    room: ClassVar[str] = "spreadsheets"
    api: ClassVar[str] = "Google Sheets API"
    document: ClassVar[str] = "spreadsheet"
    scopes: ClassVar[tuple[str, ...]] = ("https://www.googleapis.com/auth/spreadsheets",)
    usual_rate: ClassVar[str | None] = "30/1m"  # an action reads at most twice
    console: ClassVar[str] = CONSOLE.format(api=api, document=document, role="an editor")
    limits: ClassVar[str] = (
        "60 reads and 60 writes a minute for each account, 50,000 characters a cell, 10 million cells a spreadsheet "
        "(developers.google.com/workspace/sheets/api/limits, 2026-11); digilog reads a sheet of at most 10 MB"
    )

    base_url: str = "https://sheets.googleapis.com"
    spreadsheet: str = Field(pattern=r"^[A-Za-z0-9_-]{8,100}$")
    sheet: str | None = None
    id_column: str = "id"

    _found: "_Sheet | None" = PrivateAttr(None)

    @field_validator("spreadsheet", mode="before")
    @classmethod
    def _from_address(cls, given: object) -> object:
        """The address of the open spreadsheet will do."""
        found = re.search(r"/spreadsheets/d/([A-Za-z0-9_-]+)", str(given))
        return found[1] if found else given

    @action
    def read(self) -> list[Row]:  # type: ignore[override]  # nothing comes in from a sheet
        """All rows that have an id."""
        return rows_of(self._seen().lines, self.id_column)

    @action(effect="repeat")
    def append_rows(self, rows: list[dict[str, Any]], *, key: str) -> list[Row]:
        """Add rows; one whose id stands there already is replaced. Without an id, a row gets one from the step."""
        return self._write([{self.id_column: f"{key}#{number}", **row} for number, row in enumerate(rows, 1)])

    @action(effect="repeat", bulk="upsert_rows", at_once=5_000)
    def upsert_row(self, row_id: str, row: dict[str, Any]) -> Row:
        """Write one row under its id: new if there is none, otherwise the given cells are replaced."""
        return self._write([{**row, self.id_column: row_id}])[0]

    @action(effect="repeat")
    def upsert_rows(self, rows: list[Entry]) -> list[Row]:
        """Write many rows with one call, each a `row_id` and a `row`, as upsert_row does."""
        return self._write([{**one.row, self.id_column: one.row_id} for one in rows])

    def probe(self) -> str:
        """Count the rows."""
        rows = self.read()
        return f"the sheet {self._where().title} has {len(rows)} rows"

    def _write(self, given: Iterable[Mapping[str, Any]]) -> list[Row]:
        rows = [{_name(name): cell_text(value, _LONGEST) for name, value in row.items()} for row in given]
        restored: list[dict[str, str]] = []
        with self._vault.locked(f"sheet-{self.spreadsheet}"):  # two engines would put one id in twice
            for _ in range(_TRIES):
                seen = self._seen()
                plan = planned(seen.lines, self.id_column, [*restored, *rows])
                if not plan.empty and not self._sent(seen, plan):
                    continue
                moved = self._moved(seen, plan)
                if not moved:
                    return list(plan.rows[len(restored) :])
                restored += moved
        raise Unavailable("people move lines of the sheet while rows are written", retry_after=60)

    def _where(self) -> "_Sheet":
        """The sheet, looked up by its name once (none: the first). Raises NotConnected when there is no such sheet."""
        if self._found is None:
            about = {"fields": "sheets(properties(sheetId,title,sheetType))", "prettyPrint": "false"}
            answer = self.http.get(f"/v4/spreadsheets/{self.spreadsheet}", about)
            found = [one.properties for one in _read(_Book, answer).sheets if one.properties.sheetType == "GRID"]
            chosen = [one for one in found if self.sheet in {None, one.title}]
            if not chosen:
                titles = ", ".join(one.title for one in found)
                raise NotConnected(f"sheet: the spreadsheet has no {self.sheet}; there are: {titles}")
            self._found = chosen[0]
        return self._found

    def _seen(self) -> "_Seen":
        """The sheet as it stands. A sheet that was renamed or replaced since is looked up again."""
        known = self._found
        where = self._where()
        title = where.title.replace("'", "''")
        asked = {"ranges": f"'{title}'", "valueRenderOption": "FORMATTED_VALUE", "prettyPrint": "false"}
        answer = self.http.get(f"/v4/spreadsheets/{self.spreadsheet}/values:batchGet", asked, accept={400})
        if answer.status == 400:
            self._found = None
            if known is not None:
                return self._seen()
            raise Rejected("Google cannot read this sheet (400)")
        (found,) = _read(_Values, answer).valueRanges
        last = _LAST.search(found.range)
        if last is None:
            raise Rejected("Google's answer names no range")
        lines = [["" if cell is None else str(cell) for cell in line] for line in found.values]
        return _Seen(where, lines, height=int(last[2]), width=_number(last[1]))

    def _sent(self, seen: "_Seen", plan: Plan) -> bool:
        """Write; False when the sheet was replaced by another of its name meanwhile, and nothing was written."""
        body = {"requests": list(_requests(seen, plan))}
        answer = self.http.post(f"/v4/spreadsheets/{self.spreadsheet}:batchUpdate", body, accept={400})
        if answer.status == 400:
            self._found = None
            if self._where().sheetId != seen.where.sheetId:
                return False
            raise Rejected(
                "Google refused these changes (400)",
                next_step="is the sheet full (10 million cells), or a part of it protected?",
            )
        try:
            _Done.model_validate(answer.json())
        except ValidationError:
            raise Uncertain("Google's answer cannot be read") from None
        return True

    def _moved(self, seen: "_Seen", plan: Plan) -> list[dict[str, str]]:
        """What stood in lines that somebody moved under our pen: to be written back to where it is now.

        Sheets has no write on a condition; lines can be sorted or put in between our look and our write.
        """
        if not plan.changes:
            return []
        now = self._seen().lines
        named = columns(seen.lines, self.id_column)
        column = named[self.id_column]
        old = {_cell(line, column).strip(): line for line in seen.lines[1:]}
        back = []
        for change in plan.changes:
            here = _cell(now[change.line], column).strip() if change.line < len(now) else ""
            if here == change.id:
                continue
            if here not in old or not here:
                raise Rejected(
                    f"somebody moved lines while a row was written; look at line {change.line + 1} of the sheet",
                    next_step="File > Version history shows what stood there",
                )
            stood = {name: (_cell(old[here], at), change.texts[at]) for name, at in named.items() if at in change.texts}
            cells = {name: figure(was) if isinstance(put, Figure) else was for name, (was, put) in stood.items()}
            back.append({**cells, self.id_column: here})
        return back


@dataclass(frozen=True, slots=True)
class _Seen:
    where: "_Sheet"
    lines: Sequence[Sequence[str]]
    height: int
    width: int


class _Sheet(BaseModel):
    sheetId: int = 0  # noqa: N815 - Google's names
    title: str
    sheetType: str = "GRID"  # noqa: N815


class _Page(BaseModel):
    properties: _Sheet


class _Book(BaseModel):
    sheets: list[_Page] = Field(min_length=1)


class _Range(BaseModel):
    range: str
    values: list[list[str | int | float | bool | None]] = []


class _Values(BaseModel):
    valueRanges: list[_Range] = Field(min_length=1, max_length=1)  # noqa: N815


class _Done(BaseModel):
    spreadsheetId: str  # noqa: N815
    replies: list[dict[str, Any]]


def _read(model: type[T], answer: Answer) -> T:
    try:
        return model.model_validate(answer.json())
    except ValidationError:
        raise Rejected("Google's answer cannot be read") from None


def _requests(seen: _Seen, plan: Plan) -> Iterator[dict[str, Any]]:
    """One batch, all or nothing: room for new columns, the first row, changed cells, new lines."""
    sheet, width = seen.where.sheetId, max([0, *(at + 1 for at in plan.names), *map(len, plan.lines)])
    if width > seen.width:
        more = {"sheetId": sheet, "dimension": "COLUMNS", "length": width - seen.width}
        yield {"appendDimension": more}
    for change in [Change(0, "", plan.names), *plan.changes]:
        yield from _cells(sheet, change.line, [change.texts])
    if plan.lines:
        end = plan.at + len(plan.lines)
        # Below the first row its bold letters are not wanted; at the very end Google takes the look from above only.
        above = plan.at > 1 or plan.at >= seen.height
        place = {"sheetId": sheet, "dimension": "ROWS", "startIndex": plan.at, "endIndex": end}
        yield {"insertDimension": {"range": place, "inheritFromBefore": above}}
        # Or Sheets drops a phone's zero when somebody edits the cell.
        plain = {"userEnteredFormat": {"numberFormat": _TEXT}}
        block = {"sheetId": sheet, "startRowIndex": plan.at, "endRowIndex": end, "endColumnIndex": width}
        yield {"repeatCell": {"range": block, "cell": plain, "fields": _LOOK}}
        yield from _cells(sheet, plan.at, [dict(enumerate(line)) for line in plan.lines])


def _cells(sheet: int, line: int, lines: Sequence[Mapping[int, str]]) -> Iterator[dict[str, Any]]:
    """Texts by column number into lines one below the other; a column with numbers gets its look, too."""
    numbers = {column for one in lines for column, text in one.items() if isinstance(text, Figure)}
    named = enumerate(sorted({column for one in lines for column in one}))
    for (_, looks), run in groupby(named, lambda one: (one[1] - one[0], one[1] in numbers)):
        together = [column for _, column in run]
        rows = [{"values": [_written(one.get(column, ""), looks) for column in together]} for one in lines]
        start = {"sheetId": sheet, "rowIndex": line, "columnIndex": together[0]}
        fields = f"userEnteredValue,{_LOOK}" if looks else "userEnteredValue"
        yield {"updateCells": {"start": start, "rows": rows, "fields": fields}}


def _written(text: str, looks: bool) -> dict[str, Any]:
    if isinstance(text, Figure):
        # Not left to Sheets: in a cell for text a number would not count, and its zeros behind the point would go.
        number = {"type": "NUMBER", "pattern": text.look}
        return {"userEnteredValue": {"numberValue": text.number}, "userEnteredFormat": {"numberFormat": number}}
    look = {"userEnteredFormat": {"numberFormat": _TEXT}} if looks else {}
    return {"userEnteredValue": {"stringValue": text}, **look} if text else look


def _name(given: str) -> str:
    name = cell_text(given, _LONGEST).strip()
    if not name:
        raise Rejected("a column needs a name")
    return name


def _number(letters: str) -> int:
    """How many columns there are up to this one: Z is the 26th."""
    count = 0
    for letter in letters:
        count = count * 26 + ord(letter) - 64
    return count


def _cell(line: Sequence[str], column: int) -> str:
    return line[column] if column < len(line) else ""
