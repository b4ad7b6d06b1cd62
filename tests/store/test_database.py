"""Opening: migrations from nothing, two at once, and every way in which a database can be wrong."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.recorded import write_records

from penjing.core.errors import StoreDamageError, StoreError, UsageError
from penjing.store import sqlite
from penjing.store.about import FORM, write_signed
from penjing.store.database import Store, open_store
from penjing.store.opening import VERSION_TABLE


def test_it_is_durable(store: Store) -> None:
    with store.read() as connection:
        pragma = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    expected = "delete" if sqlite.has_wal_bug(sqlite.driver().sqlite_version_info) else "wal"
    assert pragma == {"journal_mode": expected, "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5_000}


def test_opening_again_keeps_what_is_there(store: Store, url: str, make) -> None:
    with store.write() as connection:
        write_records(connection, [make("one")])
    again = open_store(url)
    with again.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM decisions")).scalar() == 1
    again.close()


def test_many_open_a_new_database_at_once(url: str) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            open_store(url).close()
        except BaseException as error:  # noqa: BLE001 -- whatever it is, the test must show it
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_failed_transaction_leaves_nothing(store: Store, make) -> None:
    with pytest.raises(StoreError, match="recorded before"), store.write() as connection:
        write_records(connection, [make("one"), make("one")])
    with store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM decisions")).scalar() == 0


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("no url", "not the URL of a database"),
        ("mysql://x/y", "`mysql` are not supported"),
        ("sqlite://", "in memory is lost"),
        ("sqlite:///:memory:", "in memory is lost"),
        ("sqlite:////nowhere/at/all/x.db", "folder of the database does not exist"),
    ],
)
def test_a_wrong_url_is_refused_in_words(wrong: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        open_store(wrong)
    assert caught.value.fix


def test_a_missing_file_is_not_made_where_it_should_be_there(url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such database"):
        open_store(url, create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"id,text\n1,hello\n" * 100)
    with pytest.raises(StoreError, match="not a SQLite database"):
        open_store(f"sqlite:///{tmp_path / 'x.db'}")


def test_a_database_of_somebody_else(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "x.db")
    other.execute("CREATE TABLE customers (id INTEGER)")
    other.commit()
    other.close()
    with pytest.raises(StoreError, match="belongs to another program: it has the table `customers`"):
        open_store(f"sqlite:///{tmp_path / 'x.db'}")


def test_a_database_of_a_newer_form(store: Store, url: str) -> None:
    with store.write() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(StoreDamageError, match="was changed outside Penjing"):
        open_store(url)
    assert store.key is not None
    with store.write() as connection:  # as a newer Penjing does
        write_signed(connection, store.key, FORM, "9999")
    with pytest.raises(StoreError, match="newer form"):
        open_store(url)


def test_a_damaged_database(store: Store, url: str, tmp_path: Path, make) -> None:
    with store.write() as connection:
        write_records(connection, [make(f"id-{number}") for number in range(500)])
    store.close()
    file = tmp_path / "penjing.db"
    raw = bytearray(file.read_bytes())
    raw[4096:] = b"\x5a" * (len(raw) - 4096)
    file.write_bytes(raw)
    with pytest.raises(StoreError, match="damaged"):
        open_store(url)


def test_a_locked_database(store: Store, url: str, monkeypatch: pytest.MonkeyPatch, make) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    other = open_store(url)
    with store.write(), pytest.raises(StoreError, match="locked by another program"), other.write() as connection:
        write_records(connection, [make("one")])
    other.close()


def test_a_full_disk_acknowledges_nothing(store: Store, url: str, make) -> None:
    with store.write() as connection:
        write_records(connection, [make("first")])
        pages = connection.execute(text("PRAGMA page_count")).scalar()
    many = [make(f"id-{number}") for number in range(2000)]
    with pytest.raises(StoreError, match="the disk is full") as caught, store.write() as connection:
        connection.execute(text(f"PRAGMA max_page_count={pages}"))
        write_records(connection, many)
    assert caught.value.fix
    again = open_store(url)
    with again.read() as connection:
        assert connection.execute(text("SELECT group_concat(id) FROM decisions")).scalar() == "first"
    again.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_read_only_database(store: Store, url: str, tmp_path: Path) -> None:
    store.close()
    (tmp_path / "penjing.db").chmod(0o444)
    tmp_path.chmod(0o555)
    with pytest.raises(StoreError, match="read-only"):
        open_store(url)
    tmp_path.chmod(0o755)
