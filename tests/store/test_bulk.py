"""Rows in one statement: the same as SQLAlchemy's own insert, whatever the driver calls its parameters."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql

from penjing.store.bulk import insert_rows
from penjing.store.database import Store
from penjing.store.records import prepare_record
from penjing.store.tables import chain, decisions


def test_what_is_inserted_is_what_sqlalchemy_would_insert(store: Store, make) -> None:
    rows = [dict(prepare_record(make(f"id-{number}", text=text)).row) for number, text in enumerate(("好", None))]
    with store.write() as connection:
        insert_rows(connection, decisions, rows)
        connection.execute(insert(decisions), [row | {"id": "other-" + row["id"]} for row in rows])
        insert_rows(connection, decisions, [])
    with store.read() as connection:
        found = {row["id"]: dict(row) for row in connection.execute(select(decisions)).mappings()}
    assert [found[row["id"]] for row in rows] == rows
    assert [found["other-" + row["id"]] | {"id": row["id"]} for row in rows] == rows


def test_a_driver_that_takes_parameters_by_name_gets_them_by_name() -> None:
    connection: Any = Mock(dialect=postgresql.psycopg.dialect())
    row = {"writer": 1, "number": 2, "digests": b"\0"}
    insert_rows(connection, chain, [row])
    text, values = connection.exec_driver_sql.call_args.args
    assert values == [row]
    assert all(f"%({name})s" in text for name in row)
