"""A whole database has exactly the tables, indexes and triggers of the migrations, the migrated golden one too."""

from __future__ import annotations

import shutil
from pathlib import Path

from penjing.store.database import Store, open_store
from penjing.store.schema import schema_findings

GOLDEN = Path(__file__).parents[1] / "golden" / "store.sqlite"


def test_a_new_database_and_a_migrated_one_are_as_they_must_be(store: Store, tmp_path: Path) -> None:
    shutil.copy(GOLDEN, tmp_path / "old.sqlite")
    old = open_store(f"sqlite:///{tmp_path / 'old.sqlite'}")
    for each in (store, old):
        with each.read() as connection:
            assert list(schema_findings(connection)) == []
    old.close()
