"""No connection makes a database, and none goes on with files that are not at their paths."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from tests.recorded import write_records

from penjing.core.errors import StoreError, UsageError
from penjing.store import sqlite
from penjing.store.database import Store, open_store
from penjing.store.records import count_records

BESIDE = ("", "-wal", "-shm", "-journal")


def write(store: Store, make, name: str) -> None:
    with store.write() as connection:
        write_records(connection, [make(name)])


def remove(path: Path) -> None:
    for ending in BESIDE:
        path.with_name(path.name + ending).unlink(missing_ok=True)


def test_a_removed_file_is_told_before_anything_is_acknowledged(store: Store, tmp_path: Path, make) -> None:
    write(store, make, "one")
    remove(tmp_path / "penjing.db")
    for _ in range(3):
        with pytest.raises(StoreError, match="was removed"):
            write(store, make, "two")
        with pytest.raises(StoreError, match="was removed"), store.read():
            pass
    assert not (tmp_path / "penjing.db").exists()


def test_many_new_connections_make_no_empty_database(store: Store, tmp_path: Path, make) -> None:
    remove(tmp_path / "penjing.db")
    errors: list[str] = []

    def work() -> None:
        try:
            write(store, make, "x")
        except StoreError as error:
            errors.append(error.what)

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 12
    assert not (tmp_path / "penjing.db").exists()


def test_a_file_that_is_moved_back_is_written_again(store: Store, tmp_path: Path, make) -> None:
    write(store, make, "one")
    (tmp_path / "penjing.db").rename(tmp_path / "away")
    with pytest.raises(StoreError, match="was removed"):
        write(store, make, "two")
    (tmp_path / "away").rename(tmp_path / "penjing.db")
    write(store, make, "three")
    assert count_records(store)["automatic"] == 2


def test_another_database_in_its_place_is_refused(store: Store, tmp_path: Path, make) -> None:
    write(store, make, "one")
    remove(tmp_path / "penjing.db")
    other = open_store(f"sqlite:///{tmp_path / 'other.db'}")
    other.close()
    (tmp_path / "other.db").rename(tmp_path / "penjing.db")
    with pytest.raises(StoreError, match="was replaced by another file"):
        write(store, make, "two")


def test_a_file_that_goes_between_begin_and_commit_is_seen(store: Store, tmp_path: Path, make) -> None:
    with pytest.raises(StoreError, match="was removed"), store.write() as connection:
        write_records(connection, [make("one")])
        remove(tmp_path / "penjing.db")


@pytest.mark.skipif(sqlite.has_wal_bug(sqlite.driver().sqlite_version_info), reason="there is no WAL here")
@pytest.mark.parametrize("ending", ["-wal", "-shm"])
def test_a_removed_wal_loses_nothing_that_was_acknowledged(
    store: Store, url: str, tmp_path: Path, make, ending
) -> None:
    for number in range(5):
        write(store, make, f"before-{number}")
    (tmp_path / f"penjing.db{ending}").unlink()
    told = 0
    for number in range(5):
        try:
            write(store, make, f"after-{number}")
            told += 1
        except StoreError as error:
            assert "was removed or replaced" in error.what
    assert told == 4
    other = open_store(url)
    assert count_records(other)["automatic"] == 9
    other.close()


def test_an_older_copy_written_over_the_file_is_seen(store: Store, tmp_path: Path, make) -> None:
    file = tmp_path / "penjing.db"
    write(store, make, "one")
    store.engine.dispose()
    old = file.read_bytes()
    write(store, make, "two")
    store.engine.dispose()
    file.write_bytes(old)
    with pytest.raises(StoreError, match="set back to an older state"):
        write(store, make, "three")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_an_outage_ends_with_its_cause(store: Store, tmp_path: Path, make) -> None:
    store.engine.dispose()
    (tmp_path / "penjing.db").chmod(0o400)
    with pytest.raises(StoreError, match="read-only"):
        write(store, make, "one")
    (tmp_path / "penjing.db").chmod(0o600)
    write(store, make, "two")


def test_a_connection_that_met_an_error_is_dropped(store: Store, make) -> None:
    with pytest.raises(StoreError, match="read-only"), store.write() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA query_only=ON")
        write_records(connection, [make("one")])
    for number in range(12):
        write(store, make, f"later-{number}")


@pytest.mark.parametrize("url", ["sqlite:///file:x.db?uri=true", "sqlite:///file:x?mode=memory&uri=true"])
def test_a_uri_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        open_store(url)
