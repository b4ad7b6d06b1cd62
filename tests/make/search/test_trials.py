"""The file of trials: what was written is read again, a line that a power cut left half written is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.make.search.trials import Trial, append_trial, best_of, read_trials

FIRST = Trial(1, {"c": 0.5, "text": True}, "finished", 0.9, ((0.7, 0.9),), 1.5)
SECOND = Trial(2, {"c": 2, "text": False}, "ended", None, ((0.2,), (0.6, 0.5)), 0.5)
THIRD = Trial(3, {"c": 3.0, "text": True}, "failed", reason="no")


def test_trials_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "trials.jsonl"
    assert read_trials(path) == []
    for trial in (FIRST, SECOND, THIRD):
        append_trial(path, trial)
    assert read_trials(path) == [FIRST, SECOND, THIRD]
    assert (FIRST.reached, SECOND.reached, THIRD.reached) == (0.9, 0.6, None)


@pytest.mark.parametrize("torn", [b'{"number":2,"val', b'{"number":2}\n', b'{"number":3}\n{"number":4}\n', b"\xff\n"])
def test_what_is_no_trial_is_replaced_by_the_next_one(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "trials.jsonl"
    append_trial(path, FIRST)
    with path.open("ab") as file:
        file.write(torn)
    assert read_trials(path) == [FIRST]
    append_trial(path, SECOND)
    assert read_trials(path) == [FIRST, SECOND] and torn not in path.read_bytes()


def test_the_best_is_the_highest_finished_score_and_of_several_the_first() -> None:
    later = Trial(4, {"c": 1.0, "text": True}, "finished", 0.9)
    assert best_of([SECOND, THIRD]) is None
    assert best_of([FIRST, SECOND, later]) is FIRST
    assert best_of([Trial(1, {}, "finished", -2.0), Trial(2, {}, "finished", -1.0)]).number == 2  # type: ignore[union-attr]
