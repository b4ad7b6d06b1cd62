"""All printing: results on stdout, progress and messages on stderr, no progress bars without a terminal."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from penjing.cli.failures import explain
from penjing.cli.language import translate
from penjing.core.errors import PenjingError
from penjing.core.pace import time_in_words, time_left

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


def out(line: str = "") -> None:
    """One line of a result for a person, in their language.

    Raises PenjingError if it cannot be written, BrokenPipeError if the reader has closed it.
    """
    _print(translate(line))


def _print(line: str) -> None:
    with _output_error():
        print(line, file=sys.stdout)


def out_json(value: Any) -> None:
    """A result for machines: one line of JSON."""
    _print(json.dumps(value, ensure_ascii=False, sort_keys=False, default=str))


def out_file(path: Path) -> None:
    """The bytes of a file as the result."""
    with path.open("rb") as source, _output_error():
        sys.stdout.flush()
        shutil.copyfileobj(source, sys.stdout.buffer)
        sys.stdout.flush()


def flush() -> None:
    """Flush standard output, so that no result that was reported as done stays in a buffer."""
    with _output_error():
        sys.stdout.flush()


@contextmanager
def _output_error() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        failure = explain(error)
        raise PenjingError(failure.what, where="standard output", fix=failure.fix) from error


def tell(line: str) -> None:
    """Print one message to standard error."""
    print(translate(line), file=sys.stderr, flush=True)


class Bar:
    """A Progress on stderr: a bar with time left on a terminal, else a line at most every ten seconds."""

    def __init__(self) -> None:
        self._rich: RichProgress | None = None
        self._task: TaskID | None = None
        self._title = ""
        self._total: int | None = None
        self._done = 0
        self._began = self._told = 0.0

    def __enter__(self) -> Bar:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._rich = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=30),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
                console=Console(stderr=True),
                transient=True,
            )
            self._rich.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._rich is not None:
            self._rich.stop()

    def start(self, title: str, total: int | None) -> None:
        """Begin a piece of work of `total` units (None: unknown)."""
        self._title, self._total, self._done, self._began = title, total, 0, time.monotonic()
        if self._rich is not None:
            if self._task is not None:
                self._rich.remove_task(self._task)
            self._task = self._rich.add_task(translate(title), total=total, note="")
        else:
            tell(f"{title} ...")
            self._told = self._began

    def advance(self, amount: int = 1, note: str = "") -> None:
        """Report `amount` more units as done; `note` is a short remark."""
        self._done += amount
        if self._rich is not None and self._task is not None:
            self._rich.update(self._task, advance=amount, note=translate(note))
        elif time.monotonic() - self._told >= 10:
            self._told = time.monotonic()
            tell(f"  {self._title}: {self._done}{self._of()}{f'; {note}' if note else ''}")

    def say(self, line: str) -> None:
        """Print a line that stays above the bar."""
        if self._rich is not None:
            self._rich.console.print(translate(line), markup=False, highlight=False)
        else:
            tell(line)

    def _of(self) -> str:
        """The total, with the time left while work remains and once enough is done to know the speed."""
        if not self._total:
            return ""
        left = time_left(self._done, self._total, time.monotonic() - self._began)
        return f"/{self._total}, {time_in_words(left)} left" if left else f"/{self._total}"
