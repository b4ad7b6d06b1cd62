"""Blocks processed side by side by processes: in order, a bounded number at once; the processes end with this one."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from multiprocessing import connection, get_context, parent_process
from multiprocessing.synchronize import Event
from pathlib import Path

from penjing.core.errors import MissingPackageError, PenjingError
from penjing.data.corpus.blocks import RawBlock
from penjing.data.corpus.process import BlockTask, process_block

_AHEAD = 2  # blocks for each process that are read before the first of them is done
# A terminal sends these to all processes of a command.
_SIGNALS = (signal.SIGINT, signal.SIGHUP)
Waiting = Future[tuple[str, str | None] | None] | None
_ending: Event | None = None  # of a process that makes blocks: those that wait are no longer wanted


def stored_blocks(
    raw: Iterable[RawBlock], task: BlockTask, folder: Path, workers: int
) -> Iterator[tuple[int, int, Path]]:
    """(number, source, path) of the stored block of each raw one, in their order; those that are there are not made.

    The paths do not depend on the number of workers. Raises what `process_block` does, and ProcessEndedError where a
    process was ended from outside.
    """
    key = task.key
    with ExitStack() as stack:
        pool: _Pool | None = None
        waiting: deque[tuple[int, int, Path, Waiting]] = deque()
        for block in raw:
            path = folder / f"{block.number:06d}-{block.key(key)}.block"
            future: Waiting = None
            if not path.exists():
                if workers > 1:
                    if pool is None:
                        pool = _Pool(workers)
                        stack.callback(pool.end)
                    future = pool.submit(block, task, path)
                else:
                    process_block(block, task, path)
            waiting.append((block.number, block.source, path, future))
            while len(waiting) > _AHEAD * workers:
                yield _finish(*waiting.popleft())
        while waiting:
            yield _finish(*waiting.popleft())


class ProcessEndedError(PenjingError):
    """A process that makes blocks was ended by something else than this one."""


class _Pool:
    """Processes that make blocks; Ctrl-C and the end of a terminal reach them through this process alone."""

    def __init__(self, workers: int) -> None:
        context = get_context("spawn")
        with _held_back(_SIGNALS):  # a process of Python's own is started here
            self._ending: Event = context.Event()
            self._pool = ProcessPoolExecutor(
                workers, mp_context=context, initializer=_begin, initargs=(self._ending, _SIGNALS)
            )

    def submit(self, block: RawBlock, task: BlockTask, path: Path) -> Waiting:
        """Give a block to the processes, of which one may be started here."""
        with _held_back(_SIGNALS):
            return self._pool.submit(_work, block, task, path)

    def end(self) -> None:
        """End the processes after the block that each of them is making; those that wait are not made."""
        self._ending.set()
        self._pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _held_back(signals: Sequence[signal.Signals]) -> Iterator[None]:
    """Signals come after the block. A process that is started in it has them held back, until it ignores them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _finish(number: int, source: int, path: Path, future: Waiting) -> tuple[int, int, Path]:
    if future is not None:
        try:
            failed = future.result()
        except BrokenProcessPool:
            raise ProcessEndedError(
                "a process that cleans texts was ended from outside, perhaps for lack of memory",
                fix="run the same command again: it goes on from there; `--workers 1` needs the least memory",
            ) from None
        if failed:
            raise MissingPackageError(failed[0], fix=failed[1])
    return number, source, path


def _work(block: RawBlock, task: BlockTask, path: Path) -> tuple[str, str | None] | None:
    """Process a block; what a missing package says, because an exception loses its parts on the way."""
    try:
        if _ending is None or not _ending.is_set():
            process_block(block, task, path)
    except MissingPackageError as error:
        return error.what, error.fix
    return None


def _begin(ending: Event, ignored: Sequence[signal.Signals]) -> None:
    """Ctrl-C is for the first process, which ends this one; where that was killed, this one ends too."""
    global _ending
    _ending = ending
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
