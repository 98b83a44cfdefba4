"""The newest row of many that share a value, by the index of both alone."""

from typing import Any

from sqlalchemy import Column, ColumnElement, ScalarSelect, TextClause, select


def newest(
    column: Column[Any], of: Column[Any], value: str, by: Column[Any], *where: ColumnElement[bool] | TextClause
) -> ScalarSelect[Any]:
    """`column` of the row with the highest `by` among those whose `of` is `value`; null if there is none.

    Asked by `of = value`, PostgreSQL may walk all rows from the newest on until one has it, which is the whole table
    for a value that few have, or that none has had for long. Of two bounds it does not know that they are one value,
    and only the index of both has that order. SQLite is told in its way, or it takes an index of something else.
    """
    same = (of >= value, of <= value, of.is_not_distinct_from(value))
    return select(column).where(*same, *where).order_by(of.desc(), by.desc()).limit(1).scalar_subquery()
