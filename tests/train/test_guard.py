"""The guard: what is a bad step, and that a training goes on from a good state without the bad batches, exactly."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from penjing.core.errors import RunInterruptedError
from penjing.core.nouns import Run
from penjing.train.batches import Ints
from penjing.train.guard import Guard, trained_steps
from penjing.train.loop import Outcome, Plan, fit
from penjing.train.optim import Optimizing


@pytest.mark.parametrize(("loss", "bad"), [(1.0, False), (1.9, False), (2.2, True), (math.nan, True), (math.inf, True)])
def test_a_spike_is_above_twice_the_median(loss: float, bad: bool) -> None:
    assert Guard(10).is_bad(loss, 1.0, [1.0, 1.01, 0.99] * 20) == bad


def test_losses_that_vary_much_have_no_spike_within_ten_deviations() -> None:
    losses = [1.0, 3.0, 5.0] * 20
    assert not Guard(10).is_bad(3 + 1.4826 * 2 * 9.9, 1.0, losses)
    assert Guard(10).is_bad(3 + 1.4826 * 2 * 10.1, 1.0, losses)


def test_a_loss_near_zero_has_no_spike_below_a_twentieth_of_its_start() -> None:
    losses = [4.0] * 10 + [0.001, 0.0011, 0.0009] * 30
    assert not Guard(10).is_bad(0.0139, 1.0, losses)
    assert not Guard(10).is_bad(0.19, 1.0, losses)
    assert Guard(10).is_bad(0.21, 1.0, losses)


def test_the_first_steps_have_no_spike_and_a_gradient_that_is_not_finite_is_bad() -> None:
    assert not Guard(10).is_bad(100.0, 1.0, [1.0] * 49)
    assert Guard(10).is_bad(1.0, math.inf, [])


@dataclass
class Planted:
    """y = x by a linear model with dropout, in three epochs of ten batches; a planted batch has no finite loss."""

    planted: tuple[int, ...] = ()
    seen: list[int] = field(default_factory=list)

    def sizes(self) -> list[int]:
        return [10, 10, 10]

    def batches(self, epoch: int) -> list[Ints]:
        return [np.array([10 * epoch + place]) for place in range(10)]

    def pieces(self, model: nn.Module, rows: Ints) -> Iterator[torch.Tensor]:
        self.seen.append(int(rows[0]))
        yield self.loss(model, rows)

    def loss(self, model: nn.Module, rows: Ints) -> torch.Tensor:
        draw = torch.from_numpy(np.random.default_rng(int(rows[0])).random((4, 1))).float()
        loss: torch.Tensor = (model(draw) - draw).square().mean()
        return loss * math.nan if int(rows[0]) in self.planted else loss

    def score(self, model: nn.Module) -> dict[str, float]:
        draw = torch.linspace(0, 1, 5)[:, None]
        return {"loss": float((model(draw) - draw).square().mean())}


def go(folder: Path, planted: tuple[int, ...], stops: frozenset[int] = frozenset(), most: int = 10) -> Outcome:
    calls = iter(range(1, 1000))
    run = Run(folder / "out", folder, threads=1, stop=lambda: next(calls) in stops)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(1, 8), nn.Dropout(0.1), nn.Linear(8, 1))
    plan = Plan(3, Optimizing(0.01), metric="loss", patience=99, checkpoint_seconds=0, guard=Guard(4, most=most))
    return fit(model, Planted(planted), plan, run, folder / "c", "key")


def test_a_planted_nan_costs_the_batches_since_the_last_good_state(tmp_path: Path) -> None:
    found = go(tmp_path, (14,))
    assert found.skipped == [[12, 15]]
    assert len(found.losses) == 27 and all(map(math.isfinite, found.losses))
    assert trained_steps(30, found.skipped) == [*range(1, 13), *range(16, 31)]
    assert not found.diverged and [one["step"] for one in found.evaluations] == [10, 20, 30]


def test_after_it_the_training_is_that_which_never_saw_these_batches(tmp_path: Path) -> None:
    """The weights after the step back are those of the good state: the next loss is that of a training without it."""
    found, plain = go(tmp_path / "a", (14,)), go(tmp_path / "b", ())
    assert found.losses[:12] == plain.losses[:12]
    assert found.losses[12] != plain.losses[12], "batch 15 is read with the weights of step 12"


@pytest.mark.parametrize("stops", [{3}, {12, 14}, {16, 22}])
def test_killed_around_it_the_bits_are_the_same(tmp_path: Path, stops: set[int]) -> None:
    whole = go(tmp_path / "whole", (2, 14))
    for stop in sorted(stops):
        with pytest.raises(RunInterruptedError):
            go(tmp_path / "parts", (2, 14), frozenset({min(stop, 12)}))
    parts = go(tmp_path / "parts", (2, 14))
    assert (parts.losses, parts.evaluations, parts.skipped) == (whole.losses, whole.evaluations, whole.skipped)
    assert all(torch.equal(parts.weights[name], value) for name, value in whole.weights.items())


def test_too_many_bad_steps_end_it(tmp_path: Path) -> None:
    assert go(tmp_path, tuple(range(30)), most=3).diverged
