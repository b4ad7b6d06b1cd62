"""The log of the service: repeated lines become one line a second with a count, so that errors do not fill the disk."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.asgi", "asyncio", "penjing", "penjing.serve")


@dataclass
class _Seen:
    """The last record of one kind, and how many of the kind were left out since one was written."""

    last: logging.LogRecord
    left_out: int = 0


class CountedHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes the first record of a kind at once, and counts those that follow within `seconds`.

    Two records are of one kind if the same line of code logged them at the same level; their texts may differ. The
    count is written with the last of them: `... and 812 more like it in the last second, the last one: ...`.
    """

    def __init__(self, seconds: float = 1.0) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
        self._seconds = seconds
        self._seen: dict[tuple[str, int, str, int], _Seen] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or count it. (The handler's own lock is held.)"""
        kind = (record.name, record.levelno, record.pathname, record.lineno)
        seen = self._seen.get(kind)
        if seen is not None:
            seen.last, seen.left_out = record, seen.left_out + 1
            return
        self._seen[kind] = _Seen(record)
        self._later(kind)
        super().emit(record)

    def _later(self, kind: tuple[str, int, str, int]) -> None:
        timer = threading.Timer(self._seconds, self._end_second, [kind])
        timer.daemon = True
        timer.start()

    def _end_second(self, kind: tuple[str, int, str, int]) -> None:
        """End the interval of a kind: write the count and begin another, or forget the kind if nothing repeated."""
        self.acquire()
        try:
            seen = self._seen[kind]
            if not seen.left_out:
                del self._seen[kind]
                return
            self._write(seen)
            seen.left_out = 0
            self._later(kind)
        finally:
            self.release()

    def _write(self, seen: _Seen) -> None:
        last = seen.last
        within = "the last second" if self._seconds == 1 else f"the last {self._seconds:g} s"
        message = f"... and {seen.left_out:,} more like it in {within}, the last one: {last.getMessage()}"
        counted = logging.LogRecord(last.name, last.levelno, last.pathname, last.lineno, message, None, None)
        super().emit(counted)

    def close(self) -> None:
        """Write the remaining counts."""
        self.acquire()
        try:
            for seen in self._seen.values():
                if seen.left_out:
                    self._write(seen)
                    seen.left_out = 0
        finally:
            self.release()
        super().close()


def count_repeats(seconds: float = 1.0) -> CountedHandler:
    """Send all logs of the service and its server through one counting handler to standard error."""
    handler = CountedHandler(seconds)
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = "." in name
        if "." not in name:
            logger.addHandler(handler)
    return handler
