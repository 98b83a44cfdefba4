"""Spreadsheets: rows of cells, each with an id; what is a number stands there as one, all else as text."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Row(BaseModel):
    """One row by its id; a cell, a number too, is text as it stands in the sheet, empty where nothing stands."""

    model_config = ConfigDict(frozen=True)

    id: str
    cells: dict[str, str]


class Entry(BaseModel):
    """One row to write under its id; cells by column name, the others stay as they are."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    row_id: str
    row: dict[str, Any]
