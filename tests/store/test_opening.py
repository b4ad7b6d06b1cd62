"""A restart knows that a database was here; today's form migrates without loss."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from tests.recorded import write_records

from penjing.core.errors import StoreError, UsageError
from penjing.store.database import Store, open_store
from penjing.store.keys import create_key
from penjing.store.records import count_records, scan_records
from penjing.store.signing import head_file_of, key_file_of
from penjing.store.verify import verify_store

GOLDEN = Path(__file__).parents[1] / "golden" / "store.sqlite"


def lose(path: Path) -> None:
    for file in path.parent.glob(path.name + "*"):
        file.unlink()


@pytest.mark.parametrize("left", ["nothing", "an empty file", "another database"])
def test_a_lost_database_is_not_replaced(store: Store, url: str, tmp_path: Path, make, left: str) -> None:
    create_key(store, "a")
    with store.write() as connection:
        write_records(connection, [make("one")])
    store.close()
    lose(tmp_path / "penjing.db")
    if left == "an empty file":
        (tmp_path / "penjing.db").touch()
    elif left == "another database":
        open_store(f"sqlite:///{tmp_path / 'other.db'}").close()
        (tmp_path / "other.db").rename(tmp_path / "penjing.db")
    before = sorted(tmp_path.iterdir())
    for create in (True, False):
        try:
            opened = open_store(url, create=create)
        except StoreError as error:
            assert "gone or empty" in error.what or "belongs to another database" in error.what
            continue
        assert left == "another database" and not create
        with pytest.raises(StoreError, match="belongs to another database"):
            create_key(opened, "new")
        opened.close()
    assert {path.name for path in tmp_path.iterdir()} <= {path.name for path in before} | {
        "penjing.db-wal",
        "penjing.db-shm",
    }


def test_a_database_without_its_key_is_read_and_not_written(store: Store, url: str, tmp_path: Path, make) -> None:
    with store.write() as connection:
        write_records(connection, [make("one")])
    store.close()
    key_file_of(tmp_path / "penjing.db").unlink()
    with pytest.raises(StoreError, match="signing key of the database is not here"):
        open_store(url)
    reading = open_store(url, create=False)
    assert count_records(reading)["automatic"] == 1
    with pytest.raises(StoreError, match="signing key of the database is not here"), reading.write() as connection:
        write_records(connection, [make("two")])
    reading.close()


def test_an_older_state_is_refused(store: Store, url: str, tmp_path: Path, make) -> None:
    path = tmp_path / "penjing.db"
    with store.write() as connection:
        write_records(connection, [make("one")])
    store.close()
    shutil.copy(path, tmp_path / "backup")
    again = open_store(url)
    with again.write() as connection:
        write_records(connection, [make("two")])
    again.close()
    lose(path)
    shutil.copy(tmp_path / "backup", path)
    with pytest.raises(StoreError, match="set back to an older state: 1 entries"):
        open_store(url)


def test_the_key_may_lie_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    url = f"sqlite:///{tmp_path / 'x.db'}?signing_key={tmp_path / 'keys' / 'one.key'}"
    open_store(url).close()
    assert (tmp_path / "keys" / "one.key").exists() and not key_file_of(tmp_path / "x.db").exists()
    (tmp_path / "x.db").unlink()
    with pytest.raises(StoreError, match="gone or empty"):
        open_store(url)


def test_a_start_that_was_killed_before_its_commit_is_no_loss(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.touch()
    (tmp_path / ".x.db.key.new").write_text("{}")
    store = open_store(f"sqlite:///{path}")
    assert store.key is not None
    store.close()


def test_the_first_form_migrates_and_is_entered(tmp_path: Path) -> None:
    path = Path(shutil.copy(GOLDEN, tmp_path / "store.sqlite"))
    before = sqlite3.connect(path)
    rows = {name: before.execute(f"SELECT * FROM {name}").fetchall() for name in ("decisions", "reviews", "keys")}
    before.close()
    store = open_store(f"sqlite:///{path}")
    done = verify_store(store)
    assert done.findings == []
    assert done.before == sum(done.rows.values())
    assert len(list(scan_records(store))) == len(rows["decisions"]) == done.rows["decision"] == 90
    store.close()
    after = sqlite3.connect(path)
    assert rows == {name: after.execute(f"SELECT * FROM {name}").fetchall() for name in rows}
    after.close()
    assert head_file_of(key_file_of(path)).exists()


def test_a_database_that_never_was_is_told_as_before(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such database"):
        open_store(f"sqlite:///{tmp_path / 'x.db'}", create=False)


def test_a_second_version_of_the_tables_is_refused_in_words(store: Store) -> None:
    with store.engine.connect() as connection:
        connection.exec_driver_sql("INSERT INTO penjing_version VALUES ('0001_evil')")
        connection.commit()
    with pytest.raises(StoreError, match="has 2 rows: it was changed outside Penjing"):
        open_store(store.url)
