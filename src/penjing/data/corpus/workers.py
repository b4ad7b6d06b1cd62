"""Blocks processed side by side by processes: in order, a bounded number at once; the processes end with this one."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from multiprocessing import connection, get_context, parent_process
from pathlib import Path

from penjing.core.errors import MissingPackageError, PenjingError
from penjing.data.corpus.blocks import RawBlock
from penjing.data.corpus.process import BlockTask, process_block

_AHEAD = 2  # blocks for each process that are read before the first of them is done
Waiting = Future[tuple[str, str | None] | None] | None


def stored_blocks(
    raw: Iterable[RawBlock], task: BlockTask, folder: Path, workers: int
) -> Iterator[tuple[int, int, Path]]:
    """(number, source, path) of the stored block of each raw one, in their order; those that are there are not made.

    The paths do not depend on the number of workers. Raises what `process_block` does, and PenjingError where a process
    was ended from outside.
    """
    key = task.key
    with ExitStack() as stack:
        pool: ProcessPoolExecutor | None = None
        waiting: deque[tuple[int, int, Path, Waiting]] = deque()
        for block in raw:
            path = folder / f"{block.number:06d}-{block.key(key)}.block"
            future: Waiting = None
            if not path.exists():
                if workers > 1:
                    if pool is None:
                        pool = stack.enter_context(_pool(workers))
                        stack.callback(pool.shutdown, wait=True, cancel_futures=True)
                    future = pool.submit(_work, block, task, path)
                else:
                    process_block(block, task, path)
            waiting.append((block.number, block.source, path, future))
            while len(waiting) > _AHEAD * workers:
                yield _finish(*waiting.popleft())
        while waiting:
            yield _finish(*waiting.popleft())


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin)


def _finish(number: int, source: int, path: Path, future: Waiting) -> tuple[int, int, Path]:
    if future is not None:
        try:
            failed = future.result()
        except BrokenProcessPool:
            raise PenjingError(
                "a process that cleans texts was ended from outside, perhaps for lack of memory",
                fix="run the same command again: it goes on from there; `--workers 1` needs the least memory",
            ) from None
        if failed:
            raise MissingPackageError(failed[0], fix=failed[1])
    return number, source, path


def _work(block: RawBlock, task: BlockTask, path: Path) -> tuple[str, str | None] | None:
    """Process a block; what a missing package says, because an exception loses its parts on the way."""
    try:
        process_block(block, task, path)
    except MissingPackageError as error:
        return error.what, error.fix
    return None


def _begin() -> None:
    """Ctrl-C is for the first process, which ends this one; where that was killed, this one ends too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
