"""AdaLoRA: the loss that keeps parts apart, the budget, the hook's state, and the merge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.tune.test_full import base_folder, inputs  # noqa: F401 - fixtures
from torch import nn

from penjing.core.errors import RecipeError
from penjing.core.nouns import Inputs, Run
from penjing.core.options import build_options
from penjing.model.adapters import FOLDER, read_adapter
from penjing.model.encoder import Classifier
from penjing.train.hooks import Batch, Moment
from penjing.tune.adalora import BudgetHook, Options, _merge, _prepare, apply, not_orthogonal
from penjing.tune.job import Job, prepare_job, whole_model

QUICK = {"max_tokens": 16, "initial_rank": 3, "rank": 1, "interval": 2, "layers": "all"}


def prepared(inputs: Inputs, folder: Path, **options: Any) -> tuple[Classifier, Job]:  # noqa: F811
    run = Run(folder / "out", folder / "scratch", threads=1)
    job = prepare_job("tune.adalora", inputs, Options(**QUICK | options), run)
    classifier, _ = whole_model(job)
    assert isinstance(classifier, Classifier)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        _prepare(classifier, job)
    draw = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, parameter in classifier.named_parameters():
            if "lora_" in name:
                parameter.add_(torch.randn(parameter.shape, generator=draw) * 0.3)
    return classifier.eval(), job


def test_merged_outputs_are_those_of_the_parts(inputs: Inputs, tmp_path: Path) -> None:  # noqa: F811
    classifier, job = prepared(inputs, tmp_path)
    ids = torch.randint(5, 40, (6, 12), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        values = next(one for name, one in classifier.named_parameters() if "lora_E" in name)
        values[0] = 0
        before = classifier(ids, torch.ones_like(ids))
        _merge(classifier, job)
        after = classifier(ids, torch.ones_like(ids))
    assert not any("lora" in name for name, _ in classifier.named_modules())
    assert float((before - after).abs().max()) < 1e-5 * max(1.0, float(before.abs().max()))


def test_the_loss_is_zero_where_the_parts_are_orthogonal() -> None:
    class Update(nn.Module):
        def __init__(self, down: torch.Tensor, up: torch.Tensor) -> None:
            super().__init__()
            self.lora_A = nn.ParameterDict({"default": down})
            self.lora_B = nn.ParameterDict({"default": up})

    unit = torch.eye(4)[:2]
    assert float(not_orthogonal(nn.Sequential(Update(unit, unit.T))).detach()) == 0
    twice = nn.Sequential(Update(2 * unit, unit.T))
    assert float(not_orthogonal(twice).detach()) == pytest.approx(3 * 2**0.5 / 2)


def train(model: nn.Module, hook: BudgetHook, first: int, last: int) -> None:
    for step in range(first, last):
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.grad = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(step))
        hook.after_backward(Batch(model, step, lambda: torch.zeros(())))
        hook.after_step(Moment(step + 1, 40, 0.0, {}))


def ranks(model: nn.Module) -> int:
    return sum(int((one != 0).sum()) for name, one in model.named_parameters() if "lora_E" in name)


def test_the_budget_falls_to_the_mean_rank_and_its_state_goes_on(inputs: Inputs, tmp_path: Path) -> None:  # noqa: F811
    found = []
    for name in ("whole", "parts"):
        classifier, job = prepared(inputs, tmp_path / name)
        assert isinstance(job.options, Options)
        hook = BudgetHook(classifier, job.options)
        matrices = sum("lora_E" in one for one, _ in classifier.named_parameters())
        assert ranks(classifier) == 3 * matrices
        train(classifier, hook, 0, 17)
        assert matrices < ranks(classifier) < 3 * matrices
        if name == "parts":
            state = {key: one.clone() for key, one in hook.state().items()}
            hook = BudgetHook(classifier, job.options)
            hook.load_state(state)
        train(classifier, hook, 17, 40)
        # A part that was zero before and is chosen now has no value yet: no optimizer gives it one here.
        assert 0.7 * matrices * job.options.rank < ranks(classifier) <= matrices * job.options.rank
        found.append({key: one.clone() for key, one in classifier.state_dict().items()})
    assert all(torch.equal(one, found[1][key]) for key, one in found[0].items())


def test_an_evaluation_is_within_the_budget(inputs: Inputs, tmp_path: Path) -> None:  # noqa: F811
    classifier, job = prepared(inputs, tmp_path)
    assert isinstance(job.options, Options)
    hook = BudgetHook(classifier, job.options)
    train(classifier, hook, 0, 38)
    matrices = sum("lora_E" in one for one, _ in classifier.named_parameters())
    with torch.no_grad():
        for name, parameter in classifier.named_parameters():
            if "lora_E" in name:
                parameter.add_(0.01)
    assert ranks(classifier) > 2 * matrices
    with hook.around_evaluation(classifier):
        assert ranks(classifier) == matrices * job.options.rank


def test_the_small_folder_holds_the_parts_that_are_left(inputs: Inputs, tmp_path: Path) -> None:  # noqa: F811
    given = Options(**QUICK | {"epochs": 6, "learning_rate": 1e-2})  # type: ignore[arg-type]
    made = apply(inputs, given, Run(tmp_path / "out", tmp_path / "scratch", threads=1))
    adapter = read_adapter(made.folder / FOLDER)
    parts = sum(len(one) for name, one in adapter.changes.items() if name.endswith(":A"))
    assert adapter.info.rank == 1 and 0 < parts <= 3 * 12


def test_the_last_rank_is_at_most_the_first() -> None:
    with pytest.raises(RecipeError, match="`rank` is 9, more than `initial_rank`, which is 4") as caught:
        build_options(Options, {"rank": 9, "initial_rank": 4}, "recipe.yaml:1:1")
    assert caught.value.fix == "set `rank` to at most 4"


def test_a_step_in_which_some_parts_do_not_learn_counts_for_none(inputs: Inputs, tmp_path: Path) -> None:  # noqa: F811
    classifier, job = prepared(inputs, tmp_path)
    assert isinstance(job.options, Options)
    hook = BudgetHook(classifier, job.options)
    train(classifier, hook, 0, 1)
    before = {name: one.clone() for name, one in hook.state().items()}
    for name, parameter in classifier.named_parameters():
        if "layer.0." in name:
            parameter.grad = None
    hook.after_backward(Batch(classifier, 1, lambda: torch.zeros(())))
    after = hook.state()
    assert int(after["step"]) == 2
    assert all(torch.equal(one, before[name]) for name, one in after.items() if name != "step")
