"""Settings of SQLite for durable records: a version without the WAL-reset bug, WAL, synchronous=FULL."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from penjing.core.errors import StoreError

BUSY_SECONDS = 5.0
# The -shm file beside a database grows by 32 KiB at a time.
_NO_ROOM = 1 << 16
# "The WAL-reset bug", sqlite.org/wal.html (2026): two connections that checkpoint and commit at the same moment may
# corrupt a database in WAL mode. Versions 3.7.0 to 3.51.2 have it; fixed in 3.51.3, and in 3.50.7 and 3.44.6.
FIXED = (3, 51, 3)
FIXED_BRANCHES = {(3, 50): 7, (3, 44): 6}


def driver() -> ModuleType:
    """The driver that links the newer SQLite: pysqlite3 where it is installed, else Python's own sqlite3."""
    if importlib.util.find_spec("pysqlite3") is not None:
        bundled = importlib.import_module("pysqlite3.dbapi2")
        if bundled.sqlite_version_info > sqlite3.sqlite_version_info:
            return bundled
    return sqlite3


def has_wal_bug(version: tuple[int, int, int]) -> bool:
    """Whether this version of SQLite may corrupt a database in WAL mode."""
    if version[:2] in FIXED_BRANCHES:
        return version[2] < FIXED_BRANCHES[version[:2]]
    return (3, 7, 0) <= version < FIXED


def warning(version: tuple[int, int, int]) -> str | None:
    """The warning for this version, or None."""
    if not has_wal_bug(version):
        return None
    name = ".".join(map(str, version))
    return (
        f"SQLite {name} can corrupt a database in WAL mode (fixed in 3.51.3): the rollback journal is used instead, "
        "which is safe and slower. Install pysqlite3, which brings a fixed SQLite."
    )


def on_connect(version: tuple[int, int, int]) -> Callable[[Any, Any], None]:
    """A listener that sets up each new connection; the driver begins no transactions of its own."""
    mode = "DELETE" if has_wal_bug(version) else "WAL"

    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        try:
            got = cursor.execute(f"PRAGMA journal_mode={mode}").fetchone()[0]
            if got.lower() != mode.lower():
                raise StoreError(
                    f"the database cannot use the journal mode {mode} (it stays in {got})",
                    fix="close other programs that use the database, and keep it on a local disk",
                )
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.execute("PRAGMA trusted_schema=OFF")
            # 16,000 pages, 64 MB: in a service checkpoints.py makes checkpoints long before.
            cursor.execute("PRAGMA wal_autocheckpoint=16000")
            # Erased values are overwritten with zeros.
            cursor.execute("PRAGMA secure_delete=ON")
        finally:
            cursor.close()

    return prepare


# Fragments of SQLite's messages -> (what happened, what to do). Only the text of the driver's message is stable.
_MEANINGS = (
    ("queuepool limit", "too many requests wait for the database", "ask again in a second, or slower"),
    ("disk is full", "the disk is full", "free space on the disk of the database; nothing unacknowledged was recorded"),
    ("readonly database", "the database is read-only", "give this user the right to write the file and its folder"),
    ("is locked", "the database is locked by another program", "close the other program that holds it, and try again"),
    ("is busy", "the database is locked by another program", "close the other program that holds it, and try again"),
    ("not a database", "the file is not a SQLite database", "give another file with --db sqlite:///FILE"),
    ("malformed", "the database is damaged", "copy it aside, then restore a backup or try `sqlite3 FILE .recover`"),
    ("unable to open", "the database cannot be opened", "check that the folder exists and can be written"),
    ("disk i/o error", "the disk failed while the database was used", "check the disk; the file may need a backup"),
    ("unique constraint", "this was recorded before", "give every record an id of its own"),
    ("already exists", "the tables are of another form than `penjing_version` says", "restore a backup"),
    ("no such column", "a table lacks a column of Penjing", "restore a backup, or give another file with --db"),
    ("no such table", "the database lacks a table of Penjing", "restore a backup, or give another file with --db"),
)


# Fragments of messages about a file that another program or a disk has damaged.
_DAMAGE = ("not a database", "malformed", "no such table", "no such column", "has no column", "already exists")


def is_damage(message: str) -> bool:
    """Whether an error message of the database means that the file was changed outside Penjing."""
    return any(fragment in message.lower() for fragment in _DAMAGE)


def meaning(message: str, folder: Path | None = None) -> tuple[str, str]:
    """(what, fix) in plain words for an error message of SQLite.

    folder: where the database is. On a full disk SQLite cannot map its shared memory, and reports an I/O error.
    """
    low = message.lower()
    if "disk i/o error" in low and folder is not None and _is_full(folder):
        low = "disk is full"
    for fragment, what, fix in _MEANINGS:
        if fragment in low:
            return what, fix
    return f"the database refused: {message}", "see docs/service.md, 'The database'"


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _NO_ROOM
    except OSError:
        return False
