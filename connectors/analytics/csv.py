"""Numbers from a CSV file that somebody puts into the home: one line a day and metric."""

import csv
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from io import StringIO
from typing import ClassVar

from pydantic import Field

from connectors.analytics import Asked, Page, Reading, Source
from connectors.analytics.rows import Wrong, day_of, number, widen
from connectors.errors import Rejected

_NEEDED = ("day", "metric", "value")
_MORE = ("account", "channel")
_LARGEST = 30 * 1024 * 1024  # bytes


class Csv(Source):
    """Reads numbers from a CSV file in the home's `files` folder: day, metric, value[, account, channel]."""

    service: ClassVar[str] = "csv"
    most_days: ClassVar[int] = 36_525  # a file is read as a whole
    most_metrics: ClassVar[int] = 1_000
    file: str = Field(pattern=r"(?i)\.csv$")

    def fetch(self, asked: Asked, page: str | None) -> bytes:
        """The file as it stands there."""
        del asked, page
        path = self.in_files(self.file)
        try:
            if path.stat().st_size > _LARGEST:
                raise Rejected(f"{self.file} is larger than 30 MB", next_step="move old lines to another file")
            return path.read_bytes()
        except OSError:
            raise Rejected(f"{self.file} is not there", next_step="put it into the home's files folder") from None

    def parse(self, asked: Asked, raw: bytes) -> Page:
        """The days and metrics that are asked for. A bad line anywhere is named and nothing is taken."""
        found: dict[tuple[object, ...], Reading] = {}
        spans: dict[str, tuple[date, date]] = {}
        wrong = Wrong()
        for line, row in self._lines(self._text(raw)):
            try:
                day, value = _checked(row)
            except ValueError as error:
                wrong.add(f"line {line}: {error}")
                continue
            if asked.of and row["metric"] not in asked.of:
                continue
            widen(spans, row["metric"], day)
            if not asked.since <= day <= asked.until:
                continue
            one = Reading(day=day, metric=row["metric"], value=value, **{name: row.get(name, "") for name in _MORE})
            if found.setdefault(one.key, one) is not one:
                wrong.add(f"line {line}: this day and metric stand there twice")
        if wrong:
            raise Rejected(f"{self.file}: {wrong}", next_step="correct these lines")
        return Page(readings=tuple(found.values()), spans=spans)

    def probe(self) -> str:
        """Read the whole file."""
        never = Asked(since=date.max, until=date.min)
        raw = self.answer_of(never, None)
        self.page(never, raw)
        return f"{self.file} has {sum(1 for _ in self._lines(self._text(raw)))} numbers"

    def _lines(self, text: str) -> Iterator[tuple[int, dict[str, str]]]:
        reader = csv.reader(StringIO(text, newline=""), strict=True)
        try:
            names = [name.strip() for name in next(reader, [])]
            self._check_columns(names)
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield reader.line_num, dict(zip(names, (cell.strip() for cell in cells), strict=False))
        except csv.Error:
            raise Rejected(f"{self.file}: line {reader.line_num}: the quotes do not fit together") from None

    def _check_columns(self, names: list[str]) -> None:
        missing = [name for name in _NEEDED if name not in names]
        if missing:
            near = get_close_matches(missing[0], [name.lower() for name in names], 1)
            hint = f"; is {near[0]} meant?" if near else ""
            raise Rejected(
                f"{self.file}: line 1: the column {missing[0]} is missing{hint}",
                next_step=f"name the columns {', '.join(_NEEDED)}, and if wanted {', '.join(_MORE)}",
            )

    def _text(self, raw: bytes) -> str:
        for coding in ("utf-8-sig", "cp949"):  # Korean Excel saves CSV in cp949 unless told otherwise
            try:
                return raw.decode(coding)
            except UnicodeDecodeError:
                continue
        raise Rejected(f"{self.file} is neither UTF-8 nor cp949 text", next_step="save it as CSV UTF-8")


def _checked(row: dict[str, str]) -> tuple[date, Decimal]:
    """One line's day and value. Raises ValueError with a sentence about what is wrong."""
    missing = [name for name in _NEEDED if not row.get(name)]
    if missing:
        raise ValueError(f"{missing[0]} is empty")
    return day_of(row["day"]), number(row["value"])
