"""Standard streams: always UTF-8, whatever the locale, and always open, even if the caller closed them."""

from __future__ import annotations

import contextlib
import io
import os
import sys


class WordsStream(io.TextIOWrapper):
    """Standard error that ignores failed writes, so that a closed terminal does not stop the work."""

    def write(self, text: str, /) -> int:
        """Write, if possible."""
        try:
            return super().write(text)
        except (OSError, ValueError):
            return len(text)

    def flush(self) -> None:
        """Flush, if possible."""
        with contextlib.suppress(OSError, ValueError):
            super().flush()


def prepare_streams() -> None:
    """Set up the three streams once, before any reading or printing.

    A descriptor that the caller closed (`>&-`) is opened on /dev/null: else the next file that is opened, such as the
    database, would take its number, and what a library prints would go into it. Characters that UTF-8 lacks (half of
    a surrogate pair, an undecodable byte of a file name) are written as escapes, which JSON reads back.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    if sys.stderr is sys.__stderr__ and type(sys.stderr) is io.TextIOWrapper:
        sys.stderr.flush()
        sys.stderr = WordsStream(
            sys.stderr.detach(), encoding="utf-8", errors="backslashreplace", line_buffering=True, write_through=True
        )
        sys.__stderr__ = sys.stderr  # type: ignore[misc]


def drop_output() -> None:
    """Discard the remaining output: its reader is gone, and the process must not fail at its end."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
