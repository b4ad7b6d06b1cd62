"""The first head of a student by token: it finds the map from the states to the teacher's outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from penjing.compress.parts import token_fit
from penjing.compress.parts.token_fit import fit_token_map
from penjing.core.errors import RunInterruptedError
from penjing.core.nouns import Run

WIDTH, ENTRIES = 3, 40


class States(nn.Module):
    """An encoder whose state of a token depends on the token alone."""

    def __init__(self) -> None:
        super().__init__()
        drawn = np.random.default_rng(0).normal(size=(ENTRIES, WIDTH)).astype(np.float32)
        self.table = nn.Embedding(ENTRIES, WIDTH)
        with torch.no_grad():
            self.table.weight.copy_(torch.from_numpy(drawn))


class Teacher(nn.Module):
    """Two heads that are linear in these states."""

    def __init__(self, states: States) -> None:
        super().__init__()
        self.states = states
        self.first, self.second = nn.Linear(WIDTH, 2), nn.Linear(WIDTH, 1)

    def forward(self, ids: torch.Tensor, _mask: torch.Tensor) -> dict[str, torch.Tensor]:
        found = self.states.table(ids)
        return {"first": self.first(found), "second": self.second(found)}


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    monkeypatch.setattr(token_fit, "padding_id", lambda _: 0)
    monkeypatch.setattr(token_fit, "run_encoder", lambda encoder, ids, _: encoder.table(ids))
    draw = np.random.default_rng(1)
    return [draw.integers(1, ENTRIES, draw.integers(3, 12)) for _ in range(60)]


def test_outputs_of_all_heads_side_by_side_are_found_token_by_token(rows: list[Any], tmp_path: Path) -> None:
    torch.manual_seed(0)
    states = States()
    teacher: Any = Teacher(states)
    found = fit_token_map(states, teacher, rows, Run(tmp_path / "out", tmp_path / "scratch", threads=1))
    weight = torch.cat([teacher.first.weight, teacher.second.weight]).detach()
    bias = torch.cat([teacher.first.bias, teacher.second.bias]).detach()
    # The least penalty of the ridge still pulls a little.
    assert torch.allclose(found.weight, weight, atol=0.02) and torch.allclose(found.bias, bias, atol=0.02)
    assert found.left_out < 0.001


def test_only_the_first_rows_count_where_there_are_many_tokens(
    rows: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    states = States()
    teacher: Any = Teacher(states)
    monkeypatch.setattr(token_fit, "_MOST", sum(map(len, rows[:30])))
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    some, all_of_them = fit_token_map(states, teacher, rows, run), fit_token_map(states, teacher, rows[:30], run)
    assert torch.equal(some.weight, all_of_them.weight) and torch.equal(some.bias, all_of_them.bias)


def test_it_stops_where_its_run_is_stopped(rows: list[Any], tmp_path: Path) -> None:
    states = States()
    teacher: Any = Teacher(states)
    with pytest.raises(RunInterruptedError):
        fit_token_map(states, teacher, rows, Run(tmp_path / "out", tmp_path / "scratch", threads=1, stop=lambda: True))
