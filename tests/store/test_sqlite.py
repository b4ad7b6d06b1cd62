"""Which SQLite may be trusted with WAL, and its messages in a person's words."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from penjing.core.errors import StoreError
from penjing.store import sqlite


@pytest.mark.parametrize(
    ("version", "bug"),
    [
        ((3, 6, 23), False),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 4), False),
    ],
)
def test_versions_with_the_wal_bug_are_known(version: tuple[int, int, int], bug: bool) -> None:
    assert sqlite.has_wal_bug(version) is bug
    assert (sqlite.warning(version) is not None) is bug


def test_a_version_with_the_wal_bug_uses_the_rollback_journal(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "old.db")
    sqlite.on_connect((3, 40, 1))(connection, None)
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
    connection.close()


def test_a_database_that_cannot_change_its_journal_is_refused() -> None:
    connection = sqlite3.connect(":memory:")  # stays in its own mode, whatever is asked
    with pytest.raises(StoreError, match="cannot use the journal mode WAL"):
        sqlite.on_connect(sqlite.FIXED)(connection, None)
    connection.close()


def test_the_newest_driver_is_taken() -> None:
    assert sqlite.driver().sqlite_version_info >= sqlite3.sqlite_version_info


@pytest.mark.parametrize(
    ("message", "what"),
    [
        ("attempt to write a readonly database", "read-only"),
        ("database or disk is full", "disk is full"),
        ("database is locked", "locked by another program"),
        ("file is not a database", "not a SQLite database"),
        ("database disk image is malformed", "damaged"),
        ("UNIQUE constraint failed: decisions.id", "recorded before"),
        ("something new", "refused: something new"),
    ],
)
def test_its_messages_in_words(message: str, what: str) -> None:
    said, fix = sqlite.meaning(message)
    assert what in said
    assert fix


def test_an_io_error_on_a_full_disk_is_the_full_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=0))
    assert sqlite.meaning("disk I/O error", tmp_path)[0] == "the disk is full"
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10**9))
    assert sqlite.meaning("disk I/O error", tmp_path)[0].startswith("the disk failed")
