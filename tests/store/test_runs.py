"""Runs of `decide`: rows are recorded with their marks or not at all, and an unfinished run is found again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete

from penjing.core.errors import StoreError
from penjing.store import runs
from penjing.store.database import Store
from penjing.store.records import Record, prepare_record, scan_records
from penjing.store.runs import (
    count_rows,
    finish_run,
    open_run,
    recorded_rows,
    run_key,
    unfinished_of,
)
from penjing.store.tables import decisions


def record_rows(store, run, made):
    return runs.record_rows(store, run, {row: prepare_record(one) for row, one in made.items()})


KEY = run_key("r" * 64, "f" * 64, {"text": None, "evidence": False})


def record(name: str) -> Record:
    made = f'{{"facts":{{"fields":{{}},"p":1.0}},"id":"{name}"}}'
    predicted = '{"artifact":"a","labels":["ham"],"probabilities":[1.0],"too_long":false}'
    return Record(name, "r" * 64, "2026-01-31T23:59:59.000000Z", "automatic", "ham", None, made, predicted, {})


def test_an_unfinished_run_is_found_again_and_a_finished_one_is_not(store: Store) -> None:
    first = open_run(store, KEY, "/in.csv")
    assert first.recorded == 0
    made = {2: record("a"), 3: record("b")}
    assert record_rows(store, first, made) == made
    again = open_run(store, KEY, "/in.csv")
    assert (again.id, again.started, again.recorded) == (first.id, first.started, 2)
    assert recorded_rows(store, again, [1, 2, 3, 4]) == made
    assert open_run(store, KEY, "/in.csv", anew=True).id != first.id
    newest = open_run(store, KEY, "/in.csv")
    assert newest.id != first.id, "the newest one goes on"
    finish_run(store, newest)
    assert open_run(store, KEY, "/in.csv").id not in {first.id, newest.id}


def test_the_release_the_content_and_the_options_tell_runs_apart(store: Store) -> None:
    other = [
        run_key("s" * 64, "f" * 64, {"text": None, "evidence": False}),
        run_key("r" * 64, "g" * 64, {"text": None, "evidence": False}),
        run_key("r" * 64, "f" * 64, {"text": "body", "evidence": False}),
        run_key("r" * 64, "f" * 64, {"text": None, "evidence": True}),
    ]
    ids = {open_run(store, key, "/in.csv").id for key in [KEY, *other]}
    assert len(ids) == 5


def test_a_row_that_another_process_recorded_keeps_its_record(store: Store) -> None:
    run = open_run(store, KEY, "/in.csv")
    record_rows(store, run, {2: record("a")})
    assert record_rows(store, run, {2: record("b"), 3: record("c")}) == {2: record("a"), 3: record("c")}
    assert [each.id for each in scan_records(store)] == ["a", "c"]
    assert count_rows(store, run) == 2


def test_records_and_marks_are_written_together_or_not_at_all(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run = open_run(store, KEY, "/in.csv")
    monkeypatch.setattr(runs, "write_prepared", lambda *_: (_ for _ in ()).throw(StoreError("the disk is full")))
    with pytest.raises(StoreError):
        record_rows(store, run, {2: record("a")})
    monkeypatch.undo()
    assert recorded_rows(store, run, [2]) == {} and list(scan_records(store)) == []
    record_rows(store, run, {2: record("a")})
    with pytest.raises(StoreError):  # the second of these records is there already: neither of them is marked
        record_rows(store, run, {3: record("c"), 4: record("a")})
    assert count_rows(store, run) == 1
    assert [each.id for each in scan_records(store)] == ["a"]


def test_a_row_whose_decision_was_removed_is_decided_again(store: Store) -> None:
    run = open_run(store, KEY, "/in.csv")
    record_rows(store, run, {2: record("a")})
    with store.write() as connection:
        connection.execute(delete(decisions).where(decisions.c.id == "a"))
    assert recorded_rows(store, run, [2]) == {}
    fresh = replace(record("b"))
    assert record_rows(store, run, {2: fresh}) == {2: fresh}


def test_an_unfinished_run_over_other_content_of_the_same_file_is_told(store: Store) -> None:
    run = open_run(store, KEY, "/in.csv")
    other = run_key("r" * 64, "g" * 64, {})
    assert unfinished_of(store, "/in.csv", other) is None, "it has recorded nothing"
    record_rows(store, run, {2: record("a")})
    found = unfinished_of(store, "/in.csv", other)
    assert found is not None and (found.id, found.recorded) == (run.id, 1)
    assert unfinished_of(store, "/in.csv", KEY) is None and unfinished_of(store, "/other.csv", other) is None
    finish_run(store, run)
    assert unfinished_of(store, "/in.csv", other) is None
