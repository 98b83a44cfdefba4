"""Spreadsheets: rows of text cells, each with an id."""

from pydantic import BaseModel, ConfigDict


class Row(BaseModel):
    """One row by its id; a cell is text as it stands in the sheet, empty where nothing stands."""

    model_config = ConfigDict(frozen=True)

    id: str
    cells: dict[str, str]
