"""Copies the write-ahead log into the database on a thread of its own, so that no commit has to wait for it.

SQLite does this within the commit that finds 1,000 pages in the log. That commit then waits for the disk twice more:
tens to hundreds of milliseconds. A passive checkpoint beside the writer delays no commit. Source: sqlite.org/wal.html.
"""

from __future__ import annotations

import logging
import threading

from penjing.core.errors import StoreError
from penjing.store.database import Store

_LOG = logging.getLogger("penjing.store")
# 1,000 pages, SQLite's own bound.
_LOG_BYTES = 4_096_000
_EVERY_SECONDS = 1.0


class Checkpoints:
    """Checks the log every `every` seconds, and makes a checkpoint if it has more than `size` bytes."""

    def __init__(self, store: Store, every: float = _EVERY_SECONDS, size: int = _LOG_BYTES) -> None:
        self._store, self._every, self._size = store, every, size
        self._over = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._work, name="penjing-checkpoints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread. SQLite copies the rest when the last connection is closed."""
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._over.wait(self._every):
            if self._store.log_bytes() < self._size:
                continue
            try:
                self._store.checkpoint()
                self._failing = False
            except StoreError as error:
                # Until it succeeds the log only grows: SQLite's own checkpoint comes at 64 MB (sqlite.py).
                if not self._failing:
                    _LOG.warning("no checkpoint: %s", error)
                self._failing = True
