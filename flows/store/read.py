"""Rows as plain mappings by column name."""

from typing import Any

from sqlalchemy import Connection, Select

Row = dict[str, Any]


def rows(session: Connection, statement: Select[Any]) -> list[Row]:
    return [dict(row) for row in session.execute(statement).mappings()]


def first(session: Connection, statement: Select[Any]) -> Row | None:
    """The first row, if there is one."""
    return next(iter(rows(session, statement.limit(1))), None)


def the(session: Connection, statement: Select[Any]) -> Row:
    """The one row. Raises NoResultFound or MultipleResultsFound."""
    return dict(session.execute(statement).mappings().one())
