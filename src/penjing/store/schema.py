"""Checks that a database has exactly the tables, indexes and triggers that the migrations make."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import Connection, inspect, text

from penjing.store.compare import Discrepancy
from penjing.store.opening import VERSION_TABLE
from penjing.store.tables import metadata

_CHAIN = "writer, number, time, kind, row, digests, hash"
# As the migrations wrote them; only SQLite has them.
_TRIGGERS = {
    "audit_keeps_update": "BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit chain is append-only'); END",
    "audit_keeps_delete": "BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit chain is append-only'); END",
    "chain_keeps_update": f"BEFORE UPDATE OF {_CHAIN} ON chain BEGIN SELECT RAISE(ABORT, 'the chain is append-only'); "
    "END",
    "chain_keeps_delete": "BEFORE DELETE ON chain BEGIN SELECT RAISE(ABORT, 'the chain is append-only'); END",
}


def schema_findings(connection: Connection) -> Iterator[Discrepancy]:
    """Tables, columns, indexes, views and triggers that were added, changed or removed."""
    found = inspect(connection)
    tables = set(found.get_table_names())
    known = {*metadata.tables, VERSION_TABLE}
    own = connection.dialect.name == "sqlite"  # a PostgreSQL database may hold tables of others
    for name in sorted(tables - known) if own else ():
        yield Discrepancy("schema", name, f"the table `{name}` was added outside Penjing")
    for name in found.get_view_names():
        if own or name in known:
            yield Discrepancy("schema", name, f"the view `{name}` was added outside Penjing")
    for name, table in metadata.tables.items():
        if name not in tables:
            continue  # reading the table reports it
        columns = {column["name"] for column in found.get_columns(name)}
        for column in sorted(columns ^ {column.name for column in table.columns}):
            change = "added outside Penjing" if column in columns else "removed"
            yield Discrepancy("schema", f"{name}.{column}", f"the column `{column}` of `{name}` was {change}")
        indexes = {str(index["name"]) for index in found.get_indexes(name) if not index["unique"]}
        for index in sorted(indexes ^ {str(index.name) for index in table.indexes}):
            change = "added outside Penjing" if index in indexes else "removed"
            yield Discrepancy("schema", index, f"the index `{index}` of `{name}` was {change}")
    yield from _triggers_of_sqlite(connection) if own else _triggers_of_postgresql(connection, known)


def _triggers_of_sqlite(connection: Connection) -> Iterator[Discrepancy]:
    query = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
    found = {str(name): str(sql) for name, sql in connection.execute(query).tuples()}
    for name in found.keys() - _TRIGGERS.keys():
        yield Discrepancy("schema", name, f"the trigger `{name[:80]}` was added outside Penjing")
    for name, body in _TRIGGERS.items():
        if name not in found:
            yield Discrepancy("schema", name, f"the trigger `{name}`, which protects the chain, was removed")
        elif _plain(found[name]) != _plain(f"CREATE TRIGGER {name} {body}"):
            yield Discrepancy("schema", name, f"the trigger `{name}` was changed")


def _triggers_of_postgresql(connection: Connection, known: set[str]) -> Iterator[Discrepancy]:
    query = text(
        "SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND n.nspname = current_schema() "
        "UNION ALL SELECT rulename, tablename FROM pg_rules WHERE schemaname = current_schema()"
    )
    for name, table in connection.execute(query).tuples():
        if table in known:
            yield Discrepancy("schema", name, f"the trigger or rule `{name}` of `{table}` was added outside Penjing")


def _plain(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).strip().lower()
