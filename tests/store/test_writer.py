"""Group commit: grouped, acknowledged after the commit, one bad submission alone, drained at the end, kill-proof."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import event

from penjing.core.errors import StoreError
from penjing.store.database import Store, open_store
from penjing.store.records import count_records, get_record, scan_records
from penjing.store.writer import Writer


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
        "from penjing.core.nouns import Decision, Prediction\n"
        "from penjing.store.records import make_record\n"
        "def record(identity):\n"
        "    decision = Decision(identity, 'a' * 64, 'spam', 'automatic', 'model', False, 'sure', {'p': 1.0})\n"
        "    return make_record(decision, Prediction('b' * 64, ('ham', 'spam'), (0.0, 1.0)), 'text', {})\n"
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
