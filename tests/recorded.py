"""Records, open cases and releases of a database, written and read in one call for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection, func, select

from penjing.store.case_data import CaseData
from penjing.store.database import Store
from penjing.store.records import Record, prepare_record, write_prepared
from penjing.store.releases import Service
from penjing.store.tables import releases, reviews


def write_records(
    connection: Connection, records: Sequence[Record], cases: Mapping[str, CaseData] | None = None
) -> None:
    """Add records with the caller's own data of each, and open a review where the route says so."""
    given = cases or {}
    write_prepared(connection, [prepare_record(one).with_case(given.get(one.id, CaseData())) for one in records])


def count_open(store: Store) -> int:
    """The number of open cases."""
    with store.read() as connection:
        return connection.execute(select(func.count()).where(reviews.c.status == "open")).scalar_one()


def in_service(store: Store) -> list[Service]:
    """All releases that were in service here, the last one first."""
    with store.read() as connection:
        rows = connection.execute(select(releases).order_by(releases.c.last.desc()))
        return [Service(row.id, row.name, Path(row.folder), row.first, row.last) for row in rows]
