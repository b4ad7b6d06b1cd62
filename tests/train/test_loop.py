"""The loop: stops early with the best weights, stops when asked, and goes on to the same bits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from penjing.core.errors import RunInterruptedError, TrainingEndedError
from penjing.core.nouns import Run
from penjing.train.batches import Ints
from penjing.train.hooks import Batch, Hook, Moment
from penjing.train.loop import Outcome, Plan, fit, title_of
from penjing.train.optim import Optimizing

ROWS, BATCH = 40, 8
PER_EPOCH = ROWS // BATCH


@dataclass
class Regress:
    """y = 2 x - 1 by a linear model behind dropout; `told` are scores that replace the true ones."""

    told: list[float] = field(default_factory=list)
    asked: int = 0
    seen: list[int] = field(default_factory=list)
    broken_at: int = -1

    def batches(self, epoch: int) -> list[Ints]:
        return list(np.random.default_rng(epoch).permutation(ROWS).reshape(-1, BATCH))

    def loss(self, model: nn.Module, rows: Ints) -> torch.Tensor:
        self.seen += rows.tolist()
        x = torch.from_numpy(rows).float()[:, None] / ROWS
        loss = (model(x) - (2 * x - 1)).square().mean()
        return loss * math.nan if len(self.seen) == BATCH * self.broken_at else loss

    def score(self, model: nn.Module) -> dict[str, float]:
        x = torch.linspace(0, 1, 9)[:, None]
        loss = (model(x) - (2 * x - 1)).square().mean().item()
        self.asked += 1
        return {"macro_f1": self.told[self.asked - 1] if self.told else -loss, "loss": loss}


def model() -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(1, 16), nn.Dropout(0.2), nn.Linear(16, 1))


def plan(epochs: float = 6, patience: int = 100, metric: str = "macro_f1") -> Plan:
    return Plan(epochs, Optimizing(0.01), metric=metric, patience=patience, checkpoint_seconds=0)


def to_rung(whole: Plan) -> Plan:
    return replace(whole, to_rung=True)


def flat(outcome: Outcome) -> list[float]:
    return [value for name in sorted(outcome.weights) for value in outcome.weights[name].flatten().tolist()]


def run_at(folder: Path, stops: set[int] = frozenset(), threads: int = 1) -> Run:  # type: ignore[assignment]
    calls = iter(range(1, 10_000))
    return Run(out=folder / "out", scratch=folder, seed=4, threads=threads, stop=lambda: next(calls) in stops)


@pytest.mark.parametrize("stop", [0, 2, 12])
def test_from_the_rung_it_goes_on_to_the_same_bits(tmp_path: Path, stop: int) -> None:
    """The rung is a part of the whole schedule: a training that halted there has the bits of one that did not."""
    whole = fit(model(), Regress(), plan(), run_at(tmp_path), tmp_path / "whole", "key")
    halting = Plan(6, Optimizing(0.01), patience=100, checkpoint_seconds=0, rung=8)
    first = fit(model(), Regress(), to_rung(halting), run_at(tmp_path), tmp_path / "c", "key")
    assert len(first.losses) == 8
    assert set(first.rung) == {"macro_f1", "loss"}
    again = fit(model(), Regress(), to_rung(halting), run_at(tmp_path), tmp_path / "c", "key")
    assert (again.rung, again.losses) == (first.rung, first.losses), "asked again nothing is trained"
    if stop:
        with pytest.raises(RunInterruptedError):
            fit(model(), Regress(), halting, run_at(tmp_path, {stop}), tmp_path / "c", "key")
        later = fit(model(), Regress(), to_rung(halting), run_at(tmp_path), tmp_path / "c", "key")
        assert later.rung == first.rung, "killed behind the rung, what was found there is known"
    ended = fit(model(), Regress(), halting, run_at(tmp_path), tmp_path / "c", "key")
    assert flat(ended) == flat(whole)
    assert (ended.losses, ended.evaluations) == (whole.losses, whole.evaluations)
    assert ended.rung == first.rung


def test_what_ends_before_the_rung_is_compared_by_what_it_came_to(tmp_path: Path) -> None:
    short = Plan(2, Optimizing(0.01), checkpoint_seconds=0, rung=99)
    ended = fit(model(), Regress(), to_rung(short), run_at(tmp_path), tmp_path / "c", "key")
    assert ended.rung == ended.scores
    assert len(ended.losses) == 2 * PER_EPOCH


def test_it_learns_and_leaves_the_best_weights_in_the_model(tmp_path: Path) -> None:
    trained, objective = model(), Regress()
    outcome = fit(trained, objective, plan(epochs=20), run_at(tmp_path), tmp_path / "c", "key")
    assert objective.seen[:ROWS] != objective.seen[ROWS : 2 * ROWS]
    assert all(sorted(objective.seen[i * ROWS : (i + 1) * ROWS]) == list(range(ROWS)) for i in range(20))
    assert outcome.scores["loss"] == min(one["loss"] for one in outcome.evaluations) < 0.05
    assert len(outcome.losses) == 20 * PER_EPOCH
    assert not trained.training
    for name, parameter in trained.named_parameters():
        assert torch.equal(parameter, outcome.weights[name])


def test_early_stopping_picks_the_best_epoch(tmp_path: Path) -> None:
    objective = Regress(told=[0.1, 0.5, 0.4, 0.5, 0.3, 0.9])
    outcome = fit(model(), objective, plan(epochs=6, patience=2), run_at(tmp_path), tmp_path / "c", "key")
    # The fourth epoch ties with the second and has the lower loss, so patience begins anew there.
    assert [one["macro_f1"] for one in outcome.evaluations] == [0.1, 0.5, 0.4, 0.5, 0.3, 0.9]
    objective = Regress(told=[0.1, 0.5, 0.4, 0.3, 0.3, 0.9])
    outcome = fit(model(), objective, plan(epochs=6, patience=2), run_at(tmp_path), tmp_path / "d", "key")
    assert len(outcome.evaluations) == 5
    assert outcome.scores["macro_f1"] == 0.5
    # Resumed, it is the same outcome without a step.
    again = fit(model(), Regress(), plan(epochs=6, patience=2), run_at(tmp_path), tmp_path / "d", "key")
    assert (again.scores, again.evaluations, flat(again)) == (outcome.scores, outcome.evaluations, flat(outcome))


def test_the_loss_can_choose(tmp_path: Path) -> None:
    objective = Regress(told=[0.9, 0.1, 0.1])
    outcome = fit(model(), objective, plan(epochs=3, metric="loss"), run_at(tmp_path), tmp_path / "c", "key")
    assert outcome.scores["loss"] == min(one["loss"] for one in outcome.evaluations)


@pytest.mark.parametrize("epochs", [0.2, 0.5, 1.6, 2])
def test_a_fraction_of_an_epoch_is_a_fraction_of_its_batches(tmp_path: Path, epochs: float) -> None:
    outcome = fit(model(), Regress(), plan(epochs=epochs), run_at(tmp_path), tmp_path / "c", "key")
    assert len(outcome.losses) == round(epochs * PER_EPOCH)
    assert outcome.evaluations[-1]["step"] == len(outcome.losses)


@pytest.mark.parametrize("stops", [{1}, {PER_EPOCH}, {7, 8, 9}, {3, 13, 23, 28}])
def test_stopped_and_resumed_it_ends_in_the_same_bits(tmp_path: Path, stops: set[int]) -> None:
    whole = fit(model(), Regress(), plan(), run_at(tmp_path), tmp_path / "whole", "key")
    interrupted = 0
    for step in sorted(stops):
        with pytest.raises(RunInterruptedError, match=f"stopped at step {step} of"):
            fit(model(), Regress(), plan(), run_at(tmp_path, {step - interrupted}), tmp_path / "parts", "key")
        interrupted = step
    parts = fit(model(), Regress(), plan(), run_at(tmp_path), tmp_path / "parts", "key")
    assert flat(parts) == flat(whole)
    assert (parts.losses, parts.evaluations) == (whole.losses, whole.evaluations)


def test_a_torn_checkpoint_costs_time_and_nothing_else(tmp_path: Path) -> None:
    whole = fit(model(), Regress(), plan(), run_at(tmp_path), tmp_path / "whole", "key")
    with pytest.raises(RunInterruptedError):
        fit(model(), Regress(), plan(), run_at(tmp_path, {17}), tmp_path / "torn", "key")
    newest = max((tmp_path / "torn").glob("*.safetensors"))
    newest.write_bytes(newest.read_bytes()[:-9])
    assert flat(fit(model(), Regress(), plan(), run_at(tmp_path), tmp_path / "torn", "key")) == flat(whole)


def test_another_key_begins_anew(tmp_path: Path) -> None:
    with pytest.raises(RunInterruptedError):
        fit(model(), Regress(), plan(), run_at(tmp_path, {17}), tmp_path / "c", "key")
    objective = Regress()
    fit(model(), objective, plan(), run_at(tmp_path), tmp_path / "c", "another")
    assert len(objective.seen) == 6 * ROWS


def test_a_loss_that_is_not_finite_ends_it(tmp_path: Path) -> None:
    late = fit(model(), Regress(broken_at=PER_EPOCH + 2), plan(), run_at(tmp_path), tmp_path / "late", "key")
    assert late.diverged
    assert len(late.evaluations) == 1
    assert all(math.isfinite(value) for value in flat(late))
    early = fit(model(), Regress(broken_at=1), plan(), run_at(tmp_path), tmp_path / "early", "key")
    assert (early.diverged, early.scores, early.weights) == (True, {}, {})


def test_hooks_see_every_step(tmp_path: Path) -> None:
    seen: list[Moment] = []

    class Watch(Hook):
        def after_step(self, moment: Moment) -> None:
            seen.append(moment)

    outcome = fit(model(), Regress(), plan(epochs=2), run_at(tmp_path), tmp_path / "c", "key", [Watch()])
    assert [moment.step for moment in seen] == list(range(1, 2 * PER_EPOCH + 1))
    assert [moment.loss for moment in seen] == outcome.losses
    assert seen[0].scores == {} and seen[-1].scores == {"macro_f1": outcome.scores["macro_f1"]}


class Average(Hook):
    """An exponential moving average of the weights, which stands in for them where the model is scored."""

    def __init__(self) -> None:
        self.mean: dict[str, torch.Tensor] = {}

    def after_step(self, moment: Moment) -> None:
        assert moment.model is not None
        for name, parameter in moment.model.named_parameters():
            now = parameter.detach()
            self.mean[name] = now.clone() if name not in self.mean else 0.8 * self.mean[name] + 0.2 * now

    @contextmanager
    def around_evaluation(self, model: nn.Module) -> Iterator[None]:
        own = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
        self.put(model, self.mean or own)
        yield
        self.put(model, own)

    @staticmethod
    def put(model: nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
        for name, parameter in model.named_parameters():
            parameter.data.copy_(weights[name])

    def state(self) -> dict[str, torch.Tensor]:
        return self.mean

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        self.mean = dict(state)


class Sharper(Hook):
    """A step along the gradient before the real one: the loss at that place gives its gradient too."""

    def after_backward(self, batch: Batch) -> None:
        moved = [(parameter, 0.05 * parameter.grad.sign()) for parameter in batch.model.parameters()]
        for parameter, by in moved:
            parameter.data.add_(by)
        assert batch.add_gradient().requires_grad is False
        for parameter, by in moved:
            parameter.data.sub_(by)


@pytest.mark.parametrize("stops", [{3}, {PER_EPOCH, 17}])
def test_a_hooks_memory_goes_on_to_the_same_bits(tmp_path: Path, stops: set[int]) -> None:
    def go(name: str, stop: set[int] = frozenset()) -> Outcome:  # type: ignore[assignment]
        hooks = [Average(), Sharper()]
        return fit(model(), Regress(), plan(), run_at(tmp_path, stop), tmp_path / name, "key", hooks)

    whole, interrupted = go("whole"), 0
    for step in sorted(stops):
        with pytest.raises(RunInterruptedError):
            go("parts", {step - interrupted})
        interrupted = step
    parts = go("parts")
    assert flat(parts) == flat(whole)
    assert (parts.losses, parts.evaluations) == (whole.losses, whole.evaluations)
    plain = fit(model(), Regress(), plan(), run_at(tmp_path), tmp_path / "plain", "key")
    assert flat(plain) != flat(whole)


def test_what_is_scored_is_what_is_kept(tmp_path: Path) -> None:
    trained, objective = model(), Regress()
    outcome = fit(trained, objective, plan(), run_at(tmp_path), tmp_path / "c", "key", [Average()])
    assert objective.score(trained)["loss"] == outcome.scores["loss"]


def test_hooks_act_in_their_order_within_a_step(tmp_path: Path) -> None:
    seen: list[str] = []

    class Named(Hook):
        def before_step(self, batch: Batch) -> None:
            seen.append(f"before {batch.step} {batch.model[0].weight.grad is None}")

        def after_backward(self, batch: Batch) -> None:
            seen.append(f"after {batch.step} {batch.model[0].weight.grad is None}")

        def after_step(self, moment: Moment) -> None:
            seen.append(f"step {moment.step}")

    fit(model(), Regress(), plan(epochs=0.4), run_at(tmp_path), tmp_path / "c", "key", [Named()])
    assert seen == ["before 0 True", "after 0 False", "step 1", "before 1 True", "after 1 False", "step 2"]


def test_parameters_that_need_no_gradient_stay(tmp_path: Path) -> None:
    trained = model()
    before = trained[0].weight.detach().clone()
    trained[0].requires_grad_(False)
    outcome = fit(trained, Regress(), plan(), run_at(tmp_path), tmp_path / "c", "key")
    assert torch.equal(trained[0].weight, before)
    assert set(outcome.weights) == {"2.weight", "2.bias"}


class InPieces(Regress):
    """The same objective, whose batches of eight rows are computed in parts of two."""

    def sizes(self) -> list[int]:
        return [PER_EPOCH] * 6

    def pieces(self, model: nn.Module, rows: Ints) -> Iterator[torch.Tensor]:
        for part in np.array_split(rows, 4):
            yield self.loss(model, part) * len(part) / len(rows)


def test_the_gradient_of_pieces_is_that_of_the_whole_batch(tmp_path: Path) -> None:
    still = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
    start = {name: value.clone() for name, value in still.state_dict().items()}
    found = []
    for name, objective in (("whole", Regress()), ("parts", InPieces())):
        still.load_state_dict(start)
        found.append(fit(still, objective, plan(), run_at(tmp_path), tmp_path / name, "key"))
    assert found[0].losses == pytest.approx(found[1].losses, rel=1e-4)


def test_bf16_changes_the_products_and_not_the_weights(tmp_path: Path) -> None:
    numbers = {}
    for precision in ("float32", "bf16"):
        chosen = replace(plan(epochs=1), precision=precision)
        outcome = fit(model(), Regress(), chosen, run_at(tmp_path), tmp_path / precision, "key")
        assert all(value.dtype == torch.float32 for value in outcome.weights.values())
        numbers[precision] = outcome.losses
    assert numbers["float32"] != numbers["bf16"]
    assert numbers["float32"] == pytest.approx(numbers["bf16"], rel=0.1)


def test_the_title_names_the_steps_that_are_taken() -> None:
    assert title_of(0, 36, 36) == "training, 36 steps"
    assert title_of(0, 12, 36) == "training, steps 1 to 12 of 36"
    assert title_of(15, 36, 36) == "training, steps 16 to 36 of 36"


@pytest.mark.parametrize("stop", [0, 13])
def test_a_watch_sees_every_evaluation_and_ends_a_training(tmp_path: Path, stop: int) -> None:
    seen: list[tuple[str, list[float]]] = []

    def watch(name: str, evaluations: Sequence[Mapping[str, float]]) -> bool:
        seen.append((name, [one["macro_f1"] for one in evaluations]))
        return len(evaluations) == 4

    folder, told = tmp_path / "rate-1", [0.1, 0.5, 0.3, 0.2, 0.9, 0.9]
    run = replace(run_at(tmp_path, {stop} if stop else frozenset()), watch=watch)
    if stop:
        with pytest.raises(RunInterruptedError):
            fit(model(), Regress(told), plan(), run, folder, "key")
        told = told[2:]
    with pytest.raises(TrainingEndedError):
        fit(model(), Regress(told), plan(), replace(run, stop=lambda: False), folder, "key")
    assert {name for name, _ in seen} == {"rate-1"}
    assert seen[-1][1] == [0.1, 0.5, 0.3, 0.2], "after a kill the scores before it are known"
    assert [len(scores) for _, scores in seen] == [1, 2, 3, 4]


def test_a_watch_ends_no_training_that_is_over_and_none_at_its_rung(tmp_path: Path) -> None:
    calls: list[int] = []
    run = replace(run_at(tmp_path), watch=lambda _, evaluations: calls.append(len(evaluations)) or len(evaluations) > 1)
    halting = Plan(2, Optimizing(0.01), patience=100, checkpoint_seconds=0, rung=8)
    fit(model(), Regress(), to_rung(halting), run, tmp_path / "c", "key")
    assert calls == []
    ended = fit(model(), Regress(), halting, run, tmp_path / "c", "key")
    assert len(ended.evaluations) == 2 and calls == [2], "the last evaluation ends nothing"
    again = fit(model(), Regress(), halting, run, tmp_path / "c", "key")
    assert again.evaluations == ended.evaluations and calls == [2, 2], "a finished training is told too"
