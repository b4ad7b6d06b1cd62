"""Hidden states computed once: the same as computed each time, kept over a kill, refused without room."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from penjing.core.errors import RunInterruptedError, UsageError
from penjing.core.nouns import Run
from penjing.train.activations import hidden_rows
from penjing.train.batches import Budget

DRAW = np.random.default_rng(0)
IDS = [DRAW.integers(4, 50, size=length) for length in DRAW.integers(2, 20, size=37)]
BUDGET = Budget(rows=8, tokens=100)


class Lower(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(50, 6, _weight=torch.arange(300.0).view(50, 6))
        self.calls = 0

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        hidden: torch.Tensor = self.table(input_ids) + attention_mask[..., None]
        return hidden


def test_each_row_is_that_of_its_text(tmp_path: Path) -> None:
    lower = Lower()
    rows = hidden_rows(lower, IDS, 0, 6, BUDGET, Run(tmp_path / "out", tmp_path), "key")
    index = np.array([4, 30, 11])
    hidden, mask = rows.load(index)
    assert hidden.shape == (3, max(len(IDS[row]) for row in index), 6)
    for place, row in enumerate(index):
        length = len(IDS[row])
        assert mask[place].tolist() == [1] * length + [0] * (hidden.shape[1] - length)
        assert torch.equal(hidden[place, :length], lower.table(torch.from_numpy(IDS[row])) + 1)
        assert not hidden[place, length:].any()
    later = rows.part(30, 37)
    assert torch.equal(later.load(np.array([0]))[0], rows.load(np.array([30]))[0])


def test_a_second_call_reads_and_another_key_computes(tmp_path: Path) -> None:
    lower, run = Lower(), Run(tmp_path / "out", tmp_path)
    first = hidden_rows(lower, IDS, 0, 6, BUDGET, run, "a" * 64)
    calls = lower.calls
    again = hidden_rows(lower, IDS, 0, 6, BUDGET, run, "a" * 64)
    assert lower.calls == calls
    assert np.array_equal(first.table, again.table)
    hidden_rows(lower, IDS, 0, 6, BUDGET, run, "b" * 64)
    assert lower.calls == 2 * calls


def test_stopped_half_way_it_leaves_nothing_that_is_read(tmp_path: Path) -> None:
    with pytest.raises(RunInterruptedError):
        hidden_rows(Lower(), IDS, 0, 6, BUDGET, Run(tmp_path / "out", tmp_path, stop=lambda: True), "key")
    assert not list(tmp_path.glob("hidden-*"))
    assert hidden_rows(Lower(), IDS, 0, 6, BUDGET, Run(tmp_path / "out", tmp_path), "key").table.any()


def test_a_full_disk_is_told_before_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free=1000))
    with pytest.raises(UsageError, match="MB are free") as caught:
        hidden_rows(Lower(), IDS, 0, 6, BUDGET, Run(tmp_path / "out", tmp_path), "key")
    assert "layers: all" in str(caught.value.fix)


def test_room_is_taken_before_a_page_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, a disk that fills up meanwhile ends the process by SIGBUS."""

    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    run = Run(tmp_path / "out", tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        with pytest.raises(OSError, match="No space left"):
            hidden_rows(Lower(), IDS, 0, 6, BUDGET, run, "key")
    assert not list(tmp_path.glob("hidden-*"))
    table = hidden_rows(Lower(), IDS, 0, 6, BUDGET, run, "key").table
    (path,) = tmp_path.glob("hidden-*")
    assert path.stat().st_blocks * 512 >= table.nbytes


@pytest.mark.parametrize("left", [0, 20, 200, -4])
def test_a_cut_table_is_computed_again(tmp_path: Path, left: int) -> None:
    run = Run(tmp_path / "out", tmp_path)
    whole = np.array(hidden_rows(Lower(), IDS, 0, 6, BUDGET, run, "key").table)
    (path,) = tmp_path.glob("hidden-*")
    path.write_bytes(path.read_bytes()[:left])
    assert np.array_equal(hidden_rows(Lower(), IDS, 0, 6, BUDGET, run, "key").table, whole)
