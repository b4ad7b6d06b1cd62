"""Speed of a training: the formula of its operations, the log, and that a resumed training goes on with it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from penjing.core.nouns import Silent
from penjing.train.hooks import Moment
from penjing.train.throughput import CourseLog, ThroughputHook, matmul_peak, operations_a_token, read_log


def test_operations_of_a_token_by_hand() -> None:
    model = nn.Sequential(nn.Embedding(100, 8), nn.Linear(8, 16), nn.Linear(16, 8))
    weights = 8 * 16 + 16 + 16 * 8 + 8
    assert operations_a_token(model, layers=2, width=8, tokens=10) == 6 * weights + 12 * 2 * 8 * 10


def test_the_peak_is_measured() -> None:
    assert matmul_peak("cpu") > 1e7


class Shown(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def advance(self, amount: int = 1, note: str = "") -> None:  # noqa: ARG002
        self.notes.append(note)


def steps(path: Path, first: int, last: int, board: Path | None = None) -> Shown:
    shown = Shown()
    hook = ThroughputHook(CourseLog(path, board, lambda rows: 10 * len(rows), 1e3, 1e9, 0.5), shown)
    for step in range(first, last + 1):
        scores = {"loss": 2.0} if step >= 4 else {}
        hook.after_step(Moment(step, 6, 1.0 / step, scores, None, np.arange(3), 0.5))
    return shown


def test_the_log_has_a_line_for_each_step(tmp_path: Path) -> None:
    shown = steps(tmp_path / "log.jsonl", 1, 6)
    lines = read_log(tmp_path / "log.jsonl")
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert [line["tokens"] for line in lines] == [30, 60, 90, 120, 150, 180]
    assert lines[1]["loss"] == 0.5 and lines[0]["rate"] == 0.25
    assert "held_out_loss" not in lines[2] and lines[3]["held_out_loss"] == 2.0
    assert "tokens/s" in shown.notes[-1] and "of the peak" in shown.notes[-1]


def test_a_resumed_training_goes_on_after_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    steps(path, 1, 5)
    path.write_text(path.read_text(encoding="utf-8") + '{"step": 9, "lo', encoding="utf-8")
    steps(path, 4, 6)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert lines[-1]["tokens"] == 180
    assert lines[3]["seconds"] >= lines[2]["seconds"]


@pytest.mark.skipif(importlib.util.find_spec("tensorboard") is None, reason="tensorboard is optional")
def test_tensorboard_gets_the_same_numbers(tmp_path: Path) -> None:
    steps(tmp_path / "log.jsonl", 1, 6, tmp_path / "board")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(tmp_path / "board"))
    found.Reload()
    assert [event.step for event in found.Scalars("loss")] == [1, 2, 3, 4, 5, 6]
