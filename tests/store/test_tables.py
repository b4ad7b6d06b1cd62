"""The tables are what the migrations make; the times in them sort as text."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import inspect

from penjing.store.database import Store
from penjing.store.opening import VERSION_TABLE
from penjing.store.tables import decisions, metadata, now


def test_a_new_database_has_the_tables_that_the_code_names(store: Store) -> None:
    with store.read() as connection:
        found = inspect(connection)
        assert set(found.get_table_names()) == {*metadata.tables, VERSION_TABLE}
        for name, table in metadata.tables.items():
            columns = {column["name"]: column["nullable"] for column in found.get_columns(name)}
            assert columns == {column.name: column.nullable for column in table.columns}, name
            assert {index["name"] for index in found.get_indexes(name) if not index["unique"]} == {
                index.name for index in table.indexes
            }, name


def test_times_have_one_width_and_are_read_back() -> None:
    times = [now() for _ in range(100)]
    assert times == sorted(times)
    assert {len(time) for time in times} == {decisions.c.created.type.length}
    assert abs((datetime.fromisoformat(times[0]) - datetime.now(UTC)).total_seconds()) < 60
