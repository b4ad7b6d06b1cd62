"""Gradual unfreezing: which parameters have a gradient at which step, and that all end as they began."""

from __future__ import annotations

import pytest
import torch
from tests.train.toys import TASK, labelled, parts

from penjing.train.batches import Budget
from penjing.train.hooks import Batch, Moment
from penjing.train.supervised import Supervised
from penjing.train.unfreezing import UnfreezeHook


@pytest.mark.parametrize(
    ("layers", "learning"),
    # Thirty steps, half of them: with two layers and embeddings one more begins every five, with one layer every 15.
    [("all", {0: 0, 4: 0, 5: 1, 9: 1, 10: 2, 14: 2, 15: 3, 29: 3}), (1, {0: 0, 14: 0, 15: 1, 29: 1})],
)
def test_layers_begin_to_learn_from_the_top(layers: str | int, learning: dict[int, int]) -> None:
    model, rows = parts(layers)
    known = labelled(rows)
    objective = Supervised(TASK, known, known, Budget(4, 64), seed=0)
    hook = UnfreezeHook(model, 0.5, 30)
    order = ["head.", "layer.1.", "layer.0.", "embeddings."] if layers == "all" else ["head.", "layer.0."]
    for step, depth in learning.items():
        model.zero_grad(set_to_none=True)
        hook.before_step(Batch(model, step, lambda: torch.zeros(())))
        objective.loss(model, objective.batches(0)[0]).backward()
        moved = {name for name, each in model.named_parameters() if each.grad is not None}
        wanted = tuple(order[: depth + 1])
        assert moved == {name for name, _ in model.named_parameters() if any(part in name for part in wanted)}, step
        hook.after_step(Moment(step + 1, 30, 0.0, {}, model))
        assert all(each.requires_grad for each in model.parameters())


def test_what_did_not_learn_before_does_not_learn_now() -> None:
    model, _ = parts("all")
    still = next(model.parameters()).requires_grad_(False)
    hook = UnfreezeHook(model, 0.5, 30)
    hook.before_step(Batch(model, 29, lambda: torch.zeros(())))
    hook.after_step(Moment(30, 30, 0.0, {}, model))
    assert not still.requires_grad
