"""Group commit: grouped, acknowledged after the commit, one bad submission alone, drained at the end, kill-proof."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from penjing.core.errors import StoreError
from penjing.store import sqlite
from penjing.store.database import Store, open_store
from penjing.store.records import count_records, get_record, prepare_record, scan_records
from penjing.store.writer import Writer


@pytest.fixture
def make(make):
    """Records that are ready to be written."""
    return lambda *given, **named: prepare_record(make(*given, **named))


def test_what_is_done_is_on_the_disk_and_shares_commits(store: Store, url: str, make) -> None:
    commits: list[int] = []
    event.listen(store.engine, "commit", lambda _: commits.append(1))
    writer = Writer(store)
    futures = [writer.submit([make(f"id-{number}", route="review")]) for number in range(300)]
    futures[0].result(10)
    other = open_store(url)
    assert get_record(other, "id-0") is not None
    for future in futures:
        future.result(10)
    writer.close()
    assert count_records(other) == {"automatic": 0, "review": 300}
    assert len(commits) < 150
    other.close()


def test_a_submission_is_whole(store: Store, make) -> None:
    writer = Writer(store)
    writer.submit([make("a"), make("b")]).result(10)
    with pytest.raises(StoreError, match="recorded before"):
        writer.submit([make("c"), make("a")]).result(10)
    writer.close()
    assert get_record(store, "c") is None


def test_one_bad_submission_does_not_take_others_down(store: Store, make) -> None:
    writer = Writer(store, window=0.2)
    writer.submit([make("taken")]).result(10)
    futures = [writer.submit([make(name)]) for name in ("x", "taken", "y")]
    writer.close()
    assert [future.exception() is None for future in futures] == [True, False, True]
    assert {record.id for record in scan_records(store)} == {"taken", "x", "y"}


def test_close_writes_what_waits_and_refuses_more(store: Store, make) -> None:
    writer = Writer(store)
    futures = [writer.submit([make(f"id-{number}")]) for number in range(50)]
    writer.close()
    assert all(future.done() and future.exception() is None for future in futures)
    with pytest.raises(StoreError, match="is stopping"):
        writer.submit([make("late")])
    assert count_records(store)["automatic"] == 50


_KILLED = """
import sys
sys.path.insert(0, {tests!r})
from store_records import record
from penjing.store.database import open_store
from penjing.store.writer import Writer
writer = Writer(open_store({url!r}))
for number in range(100_000):
    future = writer.submit([record(f"id-{{number}}")])
    future.add_done_callback(lambda done, number=number: print(number, flush=True))
    if number % 8 == 7:
        future.result()
"""


def test_what_was_acknowledged_survives_kill_9(url: str, tmp_path: Path) -> None:
    (tmp_path / "store_records.py").write_text(
        "from penjing.core.answers import Choice\n"
        "from penjing.core.nouns import Decision, Prediction\n"
        "from penjing.store.records import make_record, prepare_record\n"
        "def record(identity):\n"
        "    decision = Decision(identity, 'a' * 64, 'spam', 'automatic', 'model', False, 'sure', {'p': 1.0})\n"
        "    made = make_record(decision, Prediction('b' * 64, Choice(('ham', 'spam'), (0.0, 1.0))), 'text', {})\n"
        "    return prepare_record(made)\n"
    )
    script = _KILLED.format(tests=str(tmp_path), url=url)
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    seen = [process.stdout.readline() for _ in range(200)]
    process.kill()
    seen += process.stdout.readlines()
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    acknowledged = {f"id-{line.strip()}" for line in seen if line.endswith("\n")}
    store = open_store(url)
    assert len(acknowledged) >= 200
    assert acknowledged <= {record.id for record in scan_records(store)}
    store.close()


def test_a_cancelled_future_does_not_end_the_thread(store: Store, make) -> None:
    writer = Writer(store)
    with store.write():  # the thread waits for the lock with the first of them
        first = writer.submit([make("first")])
        time.sleep(0.1)
        gone = writer.submit([make("gone")])
        assert gone.cancel()
        assert not first.cancel()
    first.result(10)
    writer.submit([make("later")]).result(10)
    writer.close()
    assert {record.id for record in scan_records(store)} == {"first", "later"}


@pytest.mark.parametrize("error", [RuntimeError("x"), MemoryError(), TimeoutError("QueuePool limit"), KeyError("x")])
def test_no_exception_ends_the_thread(store: Store, make, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: object) -> None:
        raise error

    writer = Writer(store)
    with monkeypatch.context() as patched:
        patched.setattr("penjing.store.writer.write_prepared", fail)
        with pytest.raises(StoreError, match=f"could not be written .{type(error).__name__}"):
            writer.submit([make("one")]).result(10)
    writer.submit([make("two")]).result(10)
    writer.close()
    assert {record.id for record in scan_records(store)} == {"two"}


def test_a_foreign_exception_of_one_submission_fails_it_alone(store: Store, make) -> None:
    writer = Writer(store)
    bad = make("bad")
    bad = dataclasses.replace(bad, row={**bad.row, "text": "\ud800"})
    with store.write():
        futures = [writer.submit([record]) for record in (make("a"), make("b"), bad, make("c"))]
    assert [future.exception(10) is None for future in futures] == [True, True, False, True]
    writer.close()


def test_too_many_readers_are_told_in_words(store: Store) -> None:
    store.engine.pool._timeout = 0.05  # type: ignore[attr-defined]
    with contextlib.ExitStack() as held:
        for _ in range(64):
            held.enter_context(store.engine.connect())
        with pytest.raises(StoreError, match="too many requests wait for the database"), store.read():
            pass


def test_a_stop_under_a_lock_ends_soon_and_answers_all(
    store: Store, url: str, make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.3)
    other = open_store(url)
    writer = Writer(other)
    with store.write():
        futures = [writer.submit([make(f"{number}-{part}") for part in range(300)]) for number in range(12)]
        began = time.monotonic()
        writer.close()
        assert time.monotonic() - began < 3
    for future in futures:
        with pytest.raises(StoreError, match="locked"):
            future.result(0)
    other.close()


def test_a_probe_writes_and_is_refused_where_nothing_can_be_written(store: Store, tmp_path: Path) -> None:
    writer = Writer(store)
    writer.probe().result(10)
    (tmp_path / "penjing.db").rename(tmp_path / "away")
    with pytest.raises(StoreError, match="was removed"):
        writer.probe().result(10)
    (tmp_path / "away").rename(tmp_path / "penjing.db")
    writer.probe().result(10)
    writer.close()


def test_large_submissions_and_small_ones_take_turns(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[list[int]] = []
    entered, go_on = threading.Event(), threading.Event()

    def write(_writer: Writer, batch: list[Any]) -> None:
        written.append([len(waiting.records) for waiting in batch])
        entered.set()
        go_on.wait(10)

    monkeypatch.setattr(Writer, "_write", write)
    writer = Writer(store, window=0)
    done = [writer.submit([object()])]  # type: ignore[list-item]
    entered.wait(10)
    # All of these arrive while the first is being written.
    done += [writer.submit([object()] * size) for size in (256, 1, 256, 2, 3)]  # type: ignore[list-item]
    go_on.set()
    for future in done:
        future.result(10)
    writer.close()
    assert written == [[1], [256], [1, 2, 3], [256]]


def test_a_database_that_does_not_answer_is_refused_at_once_until_a_test_write_succeeds(
    store: Store, url: str, make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.3)
    monkeypatch.setattr("penjing.store.writer.UNANSWERED_SECONDS", 0.2)
    other = open_store(url)
    writer = Writer(other)
    with store.write():
        waiting = [writer.submit([make(f"waits-{number}")]) for number in range(20)]
        began = time.monotonic()
        for future in waiting:
            with pytest.raises(StoreError, match="locked"):
                future.result(10)
        assert time.monotonic() - began < 2, "none of them waited for the lock after another"
        began = time.monotonic()
        for number in range(20):
            with pytest.raises(StoreError, match="locked"):
                writer.submit([make(f"refused-{number}")])
        assert time.monotonic() - began < 0.2
    ends = time.monotonic() + 5
    while time.monotonic() < ends:
        try:
            writer.submit([make("later")]).result(5)
            break
        except StoreError:
            time.sleep(0.05)
    writer.close()
    assert [one.id for one in scan_records(store)] == ["later"]
    other.close()
