"""Adversarial changes: their length, their direction, padding, and the gradients that they give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tests.train.toys import TASK, labelled, parts
from torch import nn

from penjing.model.encoder import Classifier
from penjing.train.adversarial import AdversarialHook
from penjing.train.batches import Budget
from penjing.train.hooks import Batch
from penjing.train.supervised import Supervised

ROWS = np.arange(5)
EPSILON = 0.3


class Step:
    """One step of a training on five rows: its passes, with their inputs, losses and gradients."""

    def __init__(
        self, layers: str | int, attack: Any, steps: int = 3, *, epsilon: float = EPSILON, train: bool = False
    ) -> None:
        self.model, rows = parts(layers)
        self.model.train(train)
        known = labelled(rows)
        self.objective = Supervised(TASK, known, known, Budget(8, 64), seed=0)
        self.inputs: list[torch.Tensor] = []
        self.losses: list[float] = []
        encoder = self.model.encoder
        assert isinstance(encoder, nn.Module)
        watched = encoder.get_input_embeddings() if layers == "all" else encoder.embeddings  # type: ignore[operator]
        self.hook = AdversarialHook(self.model, attack, epsilon, steps)
        watched.register_forward_hook(lambda _module, _given, output: self.inputs.append(output.detach().clone()))
        self.mask = rows.load(ROWS)[1]

    def add_gradient(self) -> torch.Tensor:
        loss = self.objective.loss(self.model, ROWS)
        loss.backward()  # type: ignore[no-untyped-call]
        self.losses.append(loss.item())
        return loss.detach()

    def go(self) -> dict[str, torch.Tensor]:
        batch = Batch(self.model, 0, self.add_gradient)
        self.hook.before_step(batch)
        self.add_gradient()
        self.hook.after_backward(batch)
        return {name: each.grad.clone() for name, each in self.model.named_parameters() if each.grad is not None}


def lengths(values: torch.Tensor) -> torch.Tensor:
    return values.square().sum(dim=(1, 2)).sqrt()


@pytest.mark.parametrize("layers", ["all", 1])
def test_fgm_makes_the_loss_larger_by_a_change_of_the_given_length(layers: str | int) -> None:
    step = Step(layers, "fgm")
    step.go()
    clean, changed = step.inputs
    assert step.losses[1] > step.losses[0]
    real = step.mask[:, :, None]
    assert torch.allclose(lengths(changed - clean), EPSILON * lengths(clean * real), rtol=1e-4)
    assert torch.equal(((changed - clean) * (1 - real)).abs().max(), torch.tensor(0.0)), "padding is not changed"
    drawn = Step(layers, "fgm").objective
    for seed in range(3):
        torch.manual_seed(seed)
        noise = torch.randn_like(clean) * real
        noise *= (EPSILON * lengths(clean * real) / lengths(noise))[:, None, None]
        assert loss_of(drawn, layers, noise) < step.losses[1], "no drawn change of that length is as bad"


def loss_of(objective: Supervised, layers: str | int, change: torch.Tensor) -> float:
    model = parts(layers)[0].eval()
    encoder = model.encoder
    assert isinstance(encoder, nn.Module)
    watched = encoder.get_input_embeddings() if layers == "all" else encoder.embeddings  # type: ignore[operator]
    watched.register_forward_hook(lambda _module, _given, output: output + change)
    return objective.loss(model, ROWS).item()


def test_fgm_adds_the_gradient_of_the_changed_inputs() -> None:
    both = Step("all", "fgm").go()
    plain = Step("all", "fgm")
    plain.add_gradient()
    clean = {name: each.grad for name, each in plain.model.named_parameters() if each.grad is not None}
    name = "head.weight"
    assert not torch.allclose(both[name], 2 * clean[name], rtol=1e-3)
    tiny = Step("all", "fgm", epsilon=1e-6).go()
    assert torch.allclose(tiny[name], 2 * clean[name], rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("layers", ["all", 1])
def test_freelb_climbs_within_the_length_and_takes_the_mean(layers: str | int) -> None:
    torch.manual_seed(2)
    step = Step(layers, "freelb", steps=4)
    step.go()
    assert len(step.inputs) == 4
    clean = Step(layers, "fgm")
    clean.add_gradient()
    limit = EPSILON * lengths(clean.inputs[0] * step.mask[:, :, None])
    for given in step.inputs:
        assert (lengths(given - clean.inputs[0]) <= limit * 1.0001).all()
    assert step.losses == sorted(step.losses), "every step climbs"
    tiny, plain = Step(layers, "freelb", steps=4, epsilon=1e-7).go(), Step(layers, "freelb", steps=1, epsilon=1e-7).go()
    assert all(torch.allclose(tiny[name], plain[name], rtol=1e-3, atol=1e-6) for name in plain)


def test_all_passes_of_freelb_have_the_same_dropout() -> None:
    torch.manual_seed(2)
    step = Step("all", "freelb", steps=3, epsilon=1e-7, train=True)
    step.go()
    assert step.losses == pytest.approx([step.losses[0]] * 3, rel=1e-5)
    fgm = Step("all", "fgm", epsilon=1e-7, train=True)
    fgm.go()
    assert abs(fgm.losses[0] - fgm.losses[1]) > 1e-4, "fgm draws another"


def test_outside_a_step_nothing_is_changed() -> None:
    step = Step("all", "freelb")
    assert isinstance(step.model, Classifier)
    before = step.objective.score(step.model)
    step.go()
    assert step.objective.score(step.model) == before
