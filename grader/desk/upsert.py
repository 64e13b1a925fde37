"""One statement that both databases know: insert a row, or change the one that is there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(
    connection: Connection,
    table: Table,
    key: dict[str, Any],
    values: dict[str, Any],
    replace: bool = True,
    only: Any = None,
) -> bool:
    """Insert a row; where one has this key already, change it.

    Args:
        connection: within a transaction.
        table: with the key as its primary key.
        key: the columns of the key.
        values: all other columns.
        replace: whether a row that is there is changed.
        only: a condition of the row that is there: others stay as they are.

    Returns:
        Whether a row was inserted or changed.
    """
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).values(**key, **values)
    statement = (
        statement.on_conflict_do_update(index_elements=list(key), set_=values, where=only)
        if replace
        else statement.on_conflict_do_nothing(index_elements=list(key))
    )
    return bool(connection.execute(statement).rowcount)
