"""The log of the service: what repeats is one line a second and a count, so that a flood of errors floods no disk."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.asgi", "asyncio", "penjing", "penjing.serve")


@dataclass
class _Seen:
    """The last record of one kind, and how many like it were left out since one was written."""

    last: logging.LogRecord
    left_out: int = 0


class CountedHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes the first record of a kind at once, and those that follow within `seconds` as a count.

    Two records are of one kind where the same line of code logged them at the same level; their words may differ. The
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
        timer = threading.Timer(self._seconds, self._tell, [kind])
        timer.daemon = True
        timer.start()

    def _tell(self, kind: tuple[str, int, str, int]) -> None:
        """End the second of a kind: write what was left out, and begin another one; without any, forget the kind."""
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
        said = f"... and {seen.left_out:,} more like it in {within}, the last one: {last.getMessage()}"
        counted = logging.LogRecord(last.name, last.levelno, last.pathname, last.lineno, said, None, None)
        super().emit(counted)

    def close(self) -> None:
        """Write the counts that are left."""
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
    """Have everything that the service and its server log go through one counted handler on standard error."""
    handler = CountedHandler(seconds)
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = "." in name
        if "." not in name:
            logger.addHandler(handler)
    return handler
