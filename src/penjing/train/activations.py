"""Hidden states below the trained layers: computed once, stored on disk, read by batch."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from penjing.core.errors import RunInterruptedError, UsageError
from penjing.core.folder import sync
from penjing.core.nouns import Run
from penjing.train.batches import Budget, Ints, pad_ids, sorted_batches
from penjing.train.numerics import repeatable


@dataclass(frozen=True)
class HiddenRows:
    """Hidden states of all texts, concatenated: table (all tokens, hidden) float32; row i has `lengths[i]` tokens."""

    table: npt.NDArray[np.float32]
    starts: Ints
    lengths: Ints

    def load(self, rows: Ints) -> tuple[torch.Tensor, torch.Tensor]:
        """Hidden states (batch, longest, hidden), zero where padded, and attention mask (batch, longest)."""
        longest = int(self.lengths[rows].max())
        hidden = np.zeros((len(rows), longest, self.table.shape[1]), dtype=np.float32)
        mask = np.zeros((len(rows), longest), dtype=np.int64)
        for index, row in enumerate(rows):
            start, length = self.starts[row], self.lengths[row]
            hidden[index, :length] = self.table[start : start + length]
            mask[index, :length] = 1
        return torch.from_numpy(hidden), torch.from_numpy(mask)

    def part(self, first: int, last: int) -> HiddenRows:
        """Rows `first` to `last` (exclusive) of the same table."""
        return HiddenRows(self.table, self.starts[first:last], self.lengths[first:last])


def hidden_rows(
    lower: nn.Module, ids: Sequence[Ints], padding: int, width: int, budget: Budget, run: Run, key: str
) -> HiddenRows:
    """The output of `lower` for every text, from `run.scratch` if an earlier call with that key stored it.

    width: hidden size. Raises UsageError if the disk has too little space, RunInterruptedError if `run.stop()` is true.
    """
    lengths = np.fromiter((len(row) for row in ids), dtype=np.int64, count=len(ids))
    starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)[:-1]])
    path = run.scratch / f"hidden-{key[:32]}.npy"
    shape = (int(lengths.sum()), width)
    found = _stored(path, shape)
    if found is None:
        _require_room(run.scratch, shape[0] * width * 4)
        partial = path.with_name(".partial-" + path.name)
        table = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float32, shape=shape)
        _reserve(partial)
        with repeatable(run.seed, run.threads, run.device):
            _fill(table, lower, ids, starts, padding, budget, run)
        table.flush()
        del table
        sync(partial)
        partial.rename(path)
        sync(run.scratch)
        found = np.load(path, mmap_mode="r")
    return HiddenRows(found, starts, lengths)


def _stored(path: Path, shape: tuple[int, int]) -> npt.NDArray[np.float32] | None:
    """The table that an earlier call stored; None if there is none, or if it is incomplete."""
    try:
        table: npt.NDArray[np.float32] = np.load(path, mmap_mode="r")
    except (FileNotFoundError, ValueError, EOFError):
        return None
    return table if table.shape == shape and table.dtype == np.float32 else None


def _reserve(path: Path) -> None:
    """Allocate the whole file now. Raises OSError if the disk is full.

    The file is sparse. A write through its mapping on a full disk would end the process by SIGBUS, without a message.
    """
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _fill(
    table: npt.NDArray[np.float32], lower: nn.Module, ids: Sequence[Ints], starts: Ints, padding: int,
    budget: Budget, run: Run,
) -> None:  # fmt: skip
    lower.to(run.device).eval()
    lengths = np.fromiter((len(row) for row in ids), dtype=np.int64, count=len(ids))
    run.progress.start("computing the layers that stay as they are", len(ids))
    with torch.inference_mode():
        for rows in sorted_batches(lengths, budget):
            inputs, mask = pad_ids([ids[row] for row in rows], padding)
            hidden = lower(inputs.to(run.device), mask.to(run.device)).float().cpu().numpy()
            for index, row in enumerate(rows):
                table[starts[row] : starts[row] + lengths[row]] = hidden[index, : lengths[row]]
            run.progress.advance(len(rows))
            if run.stop():
                raise RunInterruptedError("stopped before training began", fix="run the same command to start again")


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > 0.9 * free:
        takes, has = f"{needed / 1e6:,.1f} MB", f"{free / 1e6:,.1f} MB"
        raise UsageError(
            f"the hidden states below the trained layers take {takes}, and {has} are free",
            where=str(folder),
            fix="free some space, lower `max_tokens`, or set `layers: all`",
        )
