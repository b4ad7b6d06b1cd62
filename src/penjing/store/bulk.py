"""Inserts many rows by one statement that is compiled once, which keeps transactions of hundreds of rows short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table, insert


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that name the same columns, each value as the database stores it (str, int, float, bytes, None)."""
    if not rows:
        return
    text, order = _statement(connection.dialect, table, tuple(rows[0]))
    if order:
        connection.exec_driver_sql(text, [tuple([row[name] for name in order]) for row in rows])
    else:
        connection.exec_driver_sql(text, [dict(row) for row in rows])


@lru_cache(maxsize=64)
def _statement(dialect: Dialect, table: Table, names: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """(text of an INSERT, order of its parameters); no order if the driver takes them by name."""
    compiled = insert(table).compile(dialect=dialect, column_keys=list(names))
    return str(compiled), tuple(getattr(compiled, "positiontup", None) or ())
