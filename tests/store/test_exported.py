"""Exported decisions: in the order of time, over the bounds of pages, within a time and of a release."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select, update
from tests.recorded import write_records

from penjing.store import exported
from penjing.store.database import Store
from penjing.store.exported import ExportPeriod, exported_rows, kept_names
from penjing.store.records import Record
from penjing.store.tables import decisions


@pytest.fixture
def filled(store: Store, make: Callable[..., Record], monkeypatch: pytest.MonkeyPatch) -> Store:
    """Nine decisions of nine days, of which each two share a day but the last, read in pages of two."""
    monkeypatch.setattr(exported, "_PAGE", 2)
    with store.write() as connection:
        write_records(connection, [make(f"id-{n}", route="review" if n % 2 else "automatic") for n in range(9)])
        for n in range(9):
            created = f"2026-01-0{1 + n // 2}T00:00:00.000000Z"
            connection.execute(update(decisions).where(decisions.c.id == f"id-{n}").values(created=created))
    return store


def test_every_decision_comes_once_in_the_order_of_time(filled: Store) -> None:
    rows = list(exported_rows(filled, ExportPeriod()))
    assert [row.id for row in rows] == [f"id-{n}" for n in range(9)]
    assert [row.status for row in rows] == [None, "open"] * 4 + [None]


@pytest.mark.parametrize(
    ("period", "ids"),
    [
        (ExportPeriod(since="2026-01-02"), range(2, 9)),
        (ExportPeriod(until="2026-01-02"), range(2)),
        (ExportPeriod(since="2026-01-02", until="2026-01-04T00:00:00.000000Z"), range(2, 6)),
        (ExportPeriod(release="aaaa"), range(9)),
        (ExportPeriod(release="a%"), ()),
    ],
)
def test_only_the_time_and_the_release_that_are_asked_for(filled: Store, period: ExportPeriod, ids: range) -> None:
    assert [row.id for row in exported_rows(filled, period)] == [f"id-{n}" for n in ids]


def test_no_column_was_passed_through(filled: Store) -> None:
    assert kept_names(filled, ExportPeriod(), 100) == []
    with filled.read() as connection:
        assert len(connection.execute(select(decisions.c.id)).all()) == 9
