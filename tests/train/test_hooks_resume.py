"""Every hook and switch of a training: killed at a random step, it goes on to the same bits; and it changes them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.train.toys import TASK, labelled, parts
from torch import nn

from penjing.core.errors import RunInterruptedError
from penjing.core.nouns import Run
from penjing.train.batches import Budget
from penjing.train.hooks import Hook
from penjing.train.loop import Outcome, Plan, fit
from penjing.train.optim import Optimizing
from penjing.train.supervised import Supervised
from penjing.tune.options import TrainingOptions
from penjing.tune.switches import hooks_of, in_steps, optimizing_of, through_of

EPOCHS = 2
# Every switch of `tune/options_steady.py`, alone; a new one is tested by being here.
SWITCHES: dict[str, dict[str, Any]] = {
    "plain": {},
    "adafactor": {"optimizer": "adafactor"},
    "sgd": {"optimizer": "sgd", "learning_rate": 0.01},
    "cosine": {"schedule": "cosine"},
    "wsd": {"schedule": "wsd"},
    "plateau": {"schedule": "plateau"},
    "layer_decay": {"layer_decay": 0.5},
    "unfreeze": {"unfreeze": 0.8},
    "rdrop": {"rdrop": 2.0},
    "mixup": {"mixup": 0.5},
    "ema": {"ema": 0.9},
    "fgm": {"adversarial": "fgm", "epsilon": 0.2},
    "freelb": {"adversarial": "freelb", "epsilon": 0.2},
    "accumulate": {"accumulate": 3},
    "bf16": {"precision": "bf16"},
    "all": {"unfreeze": 0.5, "rdrop": 1.0, "ema": 0.8, "adversarial": "freelb", "accumulate": 2, "layer_decay": 0.8},
}


class KilledError(Exception):
    """Stands for the end of the process, without a checkpoint."""


def go(folder: Path, options: TrainingOptions, layers: str | int, stop: Callable[[], bool] = lambda: False) -> Outcome:
    model, rows = parts(layers)
    known = labelled(rows)
    plain = Supervised(TASK, known, known, Budget(4, 64), seed=5, through=through_of(options))
    objective = in_steps(plain, options)
    total = EPOCHS * -(-len(plain.batches(0)) // options.accumulate)
    hooks: list[Hook] = hooks_of(options, model, total, "cpu")
    plan = Plan(EPOCHS, optimizing_of(options, options.learning_rate[0]), precision=options.precision)
    run = Run(folder / "out", folder, seed=4, threads=1, stop=stop)
    return fit(model, objective, replace(plan, checkpoint_seconds=1e9), run, folder / "c", "key", hooks)


def options_of(name: str) -> TrainingOptions:
    return TrainingOptions(**{"learning_rate": 3e-3, "head_factor": 1, "epochs": EPOCHS} | SWITCHES[name])


def bits(outcome: Outcome) -> tuple[Any, ...]:
    weights = {name: value.numpy().tobytes() for name, value in outcome.weights.items()}
    return weights, outcome.losses, outcome.evaluations


@cache
def plain_bits(folder: Path) -> tuple[Any, ...]:
    return bits(go(folder, options_of("plain"), "all"))


@pytest.mark.parametrize("layers", ["all", 1])
@pytest.mark.parametrize("name", SWITCHES)
def test_killed_at_a_random_step_it_goes_on_to_the_same_bits(tmp_path: Path, name: str, layers: str | int) -> None:
    options = options_of(name)
    whole = go(tmp_path / "whole", options, layers)
    assert whole.scores and not whole.diverged
    draw = random.Random(f"{name} {layers}")
    stopped = draw.randint(1, len(whole.losses) - 2)
    killed = draw.randint(1, len(whole.losses) - stopped - 1)
    calls = iter(range(1, 10_000))
    with pytest.raises(RunInterruptedError):
        go(tmp_path / "parts", options, layers, lambda: next(calls) == stopped)
    again = iter(range(1, 10_000))

    def kill() -> bool:
        if next(again) == killed:
            raise KilledError
        return False

    with pytest.raises(KilledError):
        go(tmp_path / "parts", options, layers, kill)
    assert bits(go(tmp_path / "parts", options, layers)) == bits(whole)


@pytest.mark.parametrize("name", [name for name in SWITCHES if name != "plain"])
def test_it_changes_the_training(tmp_path: Path, name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert bits(go(tmp_path, options_of(name), "all")) != plain_bits(tmp_path_factory.getbasetemp() / "plain")


def test_every_switch_is_here() -> None:
    from penjing.tune.options_steady import SteadyOptions

    named = {key for given in SWITCHES.values() for key in given}
    # These act before the training; tests/model/test_start.py.
    assert set(SteadyOptions.model_fields) - named == {"reinit", "encoder_dropout", "adversarial_steps"}


def test_the_settings_of_a_plain_training_are_those_of_before() -> None:
    """With every switch off nothing is put into the training, so that its bits stay what they were."""
    options = TrainingOptions()
    assert optimizing_of(options, 1e-4) == Optimizing(1e-4, 10.0, 0.01, 0.1)
    assert (hooks_of(options, nn.Identity(), 9, "cpu"), through_of(options)) == ([], None)
    marker: Any = object()
    assert in_steps(marker, options) is marker
