"""One command at a time in a folder of results."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penjing.core.errors import UsageError


@contextmanager
def locked(out: Path, command: str) -> Iterator[None]:
    """Inside the block, no other process works in that folder, which is made. Raises UsageError if one does."""
    if out.exists() and not out.is_dir():
        raise UsageError(
            "this is a file, and the results need a folder", where=str(out), fix="give another --out, or move the file"
        )
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".lock").open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"another `{command}` is working in this folder",
                where=str(out),
                fix="wait for it, or give another --out",
            ) from None
        yield
