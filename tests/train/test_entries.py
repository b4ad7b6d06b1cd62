"""The objective of a catalogue: the loss by hand, rows without an entry, and the last layer that ranks as cosines."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from penjing.data.catalogue import Catalogue
from penjing.tasks.nearest import Nearest
from penjing.train.batches import Budget
from penjing.train.entries import SCALE, NearEntries, layer_of
from penjing.train.supervised import IdRows, Rows, TargetRows

IDS = ("a", "b", "c")
TASK = Nearest("none", Catalogue(IDS, IDS))
BUDGET = Budget(rows=4, tokens=64)


class Vectors(nn.Module):
    """The vector of a text is that of its first token."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(8, 5)
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(0)
            self.table.weight.copy_(torch.randn(8, 5))

    def forward(self, ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        found: torch.Tensor = self.table(ids[:, 0])
        return found


def rows_of(*tokens: int) -> IdRows:
    return IdRows([np.array([token], dtype=np.int64) for token in tokens], 0)


def objective(golds: list[str], *tokens: int) -> NearEntries:
    rows = TargetRows.of(TASK, rows_of(*tokens), golds)
    return NearEntries(TASK, rows, rows, BUDGET, seed=0, entries=rows_of(1, 2, 3))


def test_the_loss_is_the_cross_entropy_of_cosines() -> None:
    model = Vectors()
    found = objective(["a", "c", "none"], 4, 5, 6).loss(model, np.arange(3))
    unit = nn.functional.normalize(model.table.weight, dim=1)
    near = SCALE * unit[[4, 5]] @ unit[[1, 2, 3]].T
    expected = -near.log_softmax(dim=1)[[0, 1], [0, 2]].mean()
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    found.backward()  # type: ignore[no-untyped-call]
    assert model.table.weight.grad is not None and model.table.weight.grad[2].abs().sum() > 0, "others are pushed away"


def test_a_batch_without_entries_has_no_loss() -> None:
    assert objective(["none", "none"], 4, 5).loss(Vectors(), np.arange(2)).item() == 0


def test_the_last_layer_ranks_as_cosines_do() -> None:
    model = Vectors().eval()
    weight = layer_of(model, rows_of(1, 2, 3), BUDGET)
    assert weight.dtype == np.float32 and weight.shape == (3, 5)
    norms = np.linalg.norm(weight, axis=1)
    np.testing.assert_allclose(norms, norms[0], rtol=1e-5)
    table = model.table.weight.detach().numpy()
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    assert ((table[4:] @ weight.T).argsort(axis=1) == (unit[4:] @ unit[1:4].T).argsort(axis=1)).all()
    own = np.diag(table[1:4] @ weight.T)
    assert own.mean() == pytest.approx(SCALE, rel=1e-5), "a text of usual length that is its entry scores 20"


def test_training_brings_texts_to_their_entries() -> None:
    model, what = Vectors(), objective(["a", "b", "c"] * 4, *([5, 6, 7] * 4))
    before = what.score(model.eval())
    optimizer = torch.optim.Adam(model.parameters(), 0.1)
    for _ in range(30):
        optimizer.zero_grad()
        what.loss(model, np.arange(12)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    after = what.score(model)
    assert after["recall_at_1"] == 1 > before["recall_at_1"] and after["loss"] < before["loss"]


def test_an_evaluation_of_a_large_catalogue_encodes_some_entries_and_all_right_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("penjing.train.entries._COMPARED", 2)
    task = Nearest("none", Catalogue(tuple("abcdef"), tuple("abcdef")))
    rows = TargetRows.of(task, rows_of(4, 5), ["d", "e"])
    near = NearEntries(task, rows, rows, BUDGET, seed=0, entries=rows_of(1, 2, 3, 4, 5, 6))
    assert near.score(Vectors().eval())["recall_at_1"] == 1.0, "the text of `d` is that of its entry"
    lengths: list[int] = []

    def counted(model: nn.Module, entries: Rows, budget: Budget) -> np.ndarray:
        lengths.append(len(entries.lengths))
        return layer_of(model, entries, budget)

    monkeypatch.setattr("penjing.train.entries.layer_of", counted)
    near.score(Vectors().eval())
    assert lengths == [2]
