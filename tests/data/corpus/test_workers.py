"""Blocks in their order, few at once, each made once; what a process says when it ends or lacks a package."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from penjing.core.errors import MissingPackageError
from penjing.data.corpus import workers
from penjing.data.corpus.blocks import RawBlock, StoredBlock
from penjing.data.corpus.process import BlockTask, BuildOptions
from penjing.data.corpus.reader import RawDocument
from penjing.data.corpus.workers import stored_blocks

TASK = BlockTask(BuildOptions())
TEXTS = [f"雨后的山路很滑，老人第{n}次扶着竹竿慢慢地走。" for n in "一二三四五"]


def raw(taken: list[int]) -> Iterator[RawBlock]:
    for number, text in enumerate(TEXTS):
        taken.append(number)
        yield RawBlock(number, number // 3, [RawDocument("text", "a", text.encode())])


def test_blocks_come_in_order_and_few_are_read_ahead(tmp_path: Path) -> None:
    taken: list[int] = []
    made = stored_blocks(raw(taken), TASK, tmp_path, workers=1)
    first = next(made)
    assert taken == [0, 1, 2]
    found = [first, *made]
    assert [(number, source) for number, source, _ in found] == [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1)]
    assert [list(StoredBlock(path).texts()) for _, _, path in found] == [[text] for text in TEXTS]
    assert [path.name[:7] for _, _, path in found] == [f"00000{number}-" for number in range(5)]


def test_a_block_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    paths = [path for _, _, path in stored_blocks(raw([]), TASK, tmp_path, workers=1)]
    for path in paths:
        os.utime(path, ns=(0, 0))
    paths[3].unlink()
    assert [path for _, _, path in stored_blocks(raw([]), TASK, tmp_path, workers=1)] == paths
    assert [path.stat().st_mtime_ns > 0 for path in paths] == [False, False, False, True, False]
    other = BlockTask(BuildOptions(shortest=9))
    assert not set(paths) & {path for _, _, path in stored_blocks(raw([]), other, tmp_path, workers=1)}


def test_what_a_process_says_reaches_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*_: object) -> None:
        raise MissingPackageError("needs `opencc`", fix="pip install it")

    monkeypatch.setattr(workers, "process_block", lacking)
    done: Future[tuple[str, str | None] | None] = Future()
    done.set_result(workers._work(next(raw([])), TASK, tmp_path / "x"))
    with pytest.raises(MissingPackageError, match="needs `opencc`") as caught:
        workers._finish(0, 0, tmp_path / "x", done)
    assert caught.value.fix == "pip install it"
    broken: Future[tuple[str, str | None] | None] = Future()
    broken.set_exception(BrokenProcessPool("ended"))
    with pytest.raises(workers.ProcessEndedError, match="was ended from outside") as ended:
        workers._finish(0, 0, tmp_path / "x", broken)
    assert "--workers 1" in (ended.value.fix or "")


def test_ctrl_c_and_the_end_of_a_terminal_do_not_end_a_process_that_starts(tmp_path: Path) -> None:
    pool = workers._Pool(1)
    try:
        made = pool.submit(next(raw([])), TASK, tmp_path / "a")
        (process,) = pool._pool._processes
        for number in (signal.SIGINT, signal.SIGHUP):
            os.kill(process, number)
        assert made is not None
        assert made.result() is None
        assert list(StoredBlock(tmp_path / "a").texts()) == TEXTS[:1]
        pool._ending.set()
        waiting = pool.submit(next(raw([])), TASK, tmp_path / "b")
        assert waiting is not None
        assert waiting.result() is None
        assert not (tmp_path / "b").exists()
    finally:
        pool.end()
    assert not {signal.SIGINT, signal.SIGHUP} & signal.pthread_sigmask(signal.SIG_BLOCK, ())
