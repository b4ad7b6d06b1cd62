"""The write-ahead log: brought into the database beside the writer, which never does it in a commit."""

from __future__ import annotations

import logging
import sqlite3
import time
from pathlib import Path

import pytest
from tests.recorded import write_records

from penjing.core.errors import StoreError
from penjing.store.checkpoints import Checkpoints
from penjing.store.database import Store


def in_database_alone(path: Path, folder: Path) -> int:
    """Records that the database file has without its log; 0 where it was copied while a checkpoint wrote it."""
    copy = folder / "copy.db"
    copy.write_bytes(path.read_bytes())
    with sqlite3.connect(copy) as connection:
        try:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'decisions'").fetchone():
                return 0
            return int(connection.execute("SELECT count(*) FROM decisions").fetchone()[0])
        except sqlite3.DatabaseError:
            return 0


def test_what_is_in_a_large_log_comes_into_the_database(store: Store, make, tmp_path: Path) -> None:
    with store.write() as connection:
        write_records(connection, [make(f"id-{number}") for number in range(50)])
    assert store.log_bytes() > 0
    checkpoints = Checkpoints(store, every=0.05, size=1)
    ends = time.monotonic() + 5
    while in_database_alone(tmp_path / "penjing.db", tmp_path) < 50 and time.monotonic() < ends:
        time.sleep(0.05)
    checkpoints.close()
    assert in_database_alone(tmp_path / "penjing.db", tmp_path) == 50


def test_a_commit_of_more_than_a_thousand_pages_makes_no_checkpoint_itself(store: Store, make, tmp_path: Path) -> None:
    before = (tmp_path / "penjing.db").stat().st_size
    with store.write() as connection:
        write_records(connection, [make(f"id-{number}", text="x" * 4000) for number in range(1500)])
    assert store.log_bytes() > 1000 * 4096
    assert (tmp_path / "penjing.db").stat().st_size == before


def test_a_failure_is_logged_once_and_tried_again(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[int] = []

    def fail() -> None:
        tried.append(1)
        raise StoreError("the disk is full")

    monkeypatch.setattr(store, "checkpoint", fail)
    monkeypatch.setattr(store, "log_bytes", lambda: 10)
    with caplog.at_level(logging.WARNING):
        checkpoints = Checkpoints(store, every=0.01, size=1)
        ends = time.monotonic() + 5
        while len(tried) < 3 and time.monotonic() < ends:
            time.sleep(0.01)
        checkpoints.close()
    assert len(tried) >= 3
    assert caplog.text.count("the disk is full") == 1
