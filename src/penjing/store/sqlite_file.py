"""The SQLite file at its path: readable only by its owner, and distinguished from another file in its place."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from penjing.core.errors import StoreError
from penjing.core.folder import make_private

COMPANIONS = ("-wal", "-shm", "-journal")
# Space for a large batch and its chain. With less, a small test write may succeed while decisions fail.
LEAST_ROOM = 4 * 2**20
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class FileIdentity:
    """Device and inode: they stay the same when a file is renamed, and differ for a copy."""

    device: int
    inode: int


def identify(path: Path) -> FileIdentity | None:
    """The identity of the file at this path, or None if no file can be reached."""
    try:
        found = path.stat()
    except OSError:
        return None
    return FileIdentity(found.st_dev, found.st_ino)


def companion(path: Path, ending: str) -> Path:
    """The file that SQLite keeps beside a database: `-wal`, `-shm` or `-journal`."""
    return path.with_name(path.name + ending)


def create(path: Path) -> None:
    """Make an empty file that only its owner may read; an existing file is not changed. Raises StoreError."""
    try:
        make_private(path).close()
    except FileExistsError:
        return
    except OSError as error:
        raise StoreError(
            f"the database cannot be made: {(error.strerror or str(error)).lower()}",
            where=str(path),
            fix="give this user the right to write that folder, or another file with --db sqlite:///FILE",
        ) from None


def close_to_others(path: Path) -> None:
    """Remove the rights of group and others from a database and its companions, if this user owns them.

    SQLite gives new companion files the rights of the database, so they are closed too.
    """
    if os.name != "posix":
        return
    for file in (path, *(companion(path, ending) for ending in COMPANIONS)):
        try:
            found = file.stat()
        except OSError:
            continue
        if found.st_mode & _OTHERS and found.st_uid == os.geteuid():
            file.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)


def check_in_place(path: Path, expected: FileIdentity) -> None:
    """Raise StoreError if the file at the path is not the one that was opened."""
    found = identify(path)
    if found == expected:
        return
    what = "was removed" if found is None else "was replaced by another file"
    raise StoreError(
        f"the database file {what} while it is in use: nothing is recorded until it is back",
        where=str(path),
        fix="move the file back to this path; or stop this program, restore a backup, and start it again",
    )


def check_room(path: Path) -> None:
    """Raise StoreError if the disk of this file is almost full."""
    try:
        found = os.statvfs(path.parent)
    except OSError:  # another check finds a missing file
        return
    if found.f_bavail * found.f_frsize < LEAST_ROOM:
        raise StoreError(
            f"the disk is full: less than {LEAST_ROOM >> 20} MB are free",
            where=str(path),
            fix="free space on the disk of the database; what was acknowledged is recorded",
        )
