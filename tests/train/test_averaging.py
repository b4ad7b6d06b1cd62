"""The average of the weights by hand, and where it is seen."""

from __future__ import annotations

import torch
from torch import nn

from penjing.train.averaging import AverageHook
from penjing.train.hooks import Moment


def test_it_is_the_moving_average_and_only_scored() -> None:
    model = nn.Linear(1, 1)
    model.bias.requires_grad_(False)
    hook, wanted = AverageHook(model, 0.3), 0.0
    for step in range(1, 8):
        with torch.no_grad():
            model.weight.fill_(step)
            model.bias.fill_(step)
        hook.after_step(Moment(step, 9, 0.0, {}, model))
        decay = min(0.3, step / (step + 10))
        wanted = float(step) if step == 1 else decay * wanted + (1 - decay) * step
    with hook.around_evaluation(model):
        assert abs(model.weight.item() - wanted) < 1e-6
        assert model.bias.item() == 7, "what does not learn has no average"
    assert model.weight.item() == 7
    other = AverageHook(model, 0.3)
    other.load_state({name: value.clone() for name, value in hook.state().items()})
    for each in (hook, other):
        each.after_step(Moment(8, 9, 0.0, {}, model))
    assert torch.equal(hook.state()["mean/weight"], other.state()["mean/weight"])


def test_before_the_first_step_the_weights_are_scored_as_they_are() -> None:
    model = nn.Linear(1, 1)
    before = model.weight.item()
    with AverageHook(model, 0.9).around_evaluation(model):
        assert model.weight.item() == before
