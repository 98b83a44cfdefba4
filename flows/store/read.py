"""Rows as plain mappings by column name. A statement that is built once and filled by name costs a third."""

from typing import Any

from sqlalchemy import Connection, Select

Row = dict[str, Any]


def rows(session: Connection, statement: Select[Any], **values: Any) -> list[Row]:
    return [row._asdict() for row in session.execute(statement, values)]


def first(session: Connection, statement: Select[Any], **values: Any) -> Row | None:
    """The first row, if there is one; the statement says which by its order and limit."""
    row = session.execute(statement, values).first()
    return row._asdict() if row else None


def the(session: Connection, statement: Select[Any], **values: Any) -> Row:
    """The one row. Raises NoResultFound or MultipleResultsFound."""
    return session.execute(statement, values).one()._asdict()
