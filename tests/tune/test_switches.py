"""Switches through `tune.full`: killed, it gives the same artifact, also with cached layers, and the same card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.tune.test_full import table, weights

from penjing.core.errors import RunInterruptedError, UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.model.base import open_base
from penjing.tune.full import Options, apply

GIVEN: dict[str, Any] = {
    "epochs": 2, "learning_rate": [1e-3, 2e-3], "head_factor": 2, "max_tokens": 16, "reinit": 1, "unfreeze": 0.5,
    "encoder_dropout": 0.2, "rdrop": 0.5, "ema": 0.9, "adversarial": "fgm", "layer_decay": 0.8, "loss": "focal",
    "class_weights": "balanced", "schedule": "plateau", "optimizer": "adafactor", "accumulate": 2,
}  # fmt: skip


@pytest.fixture
def inputs(tiny_base: Path) -> Inputs:
    return Inputs(open_base(str(tiny_base), Path("/")), table(120, 1), table(60, 2), language="en")


def tune(inputs: Inputs, folder: Path, stop: int = 0, **changes: Any) -> Artifact:
    calls = iter(range(1, 10_000))
    run = Run(folder, folder.with_suffix(".scratch"), threads=1, stop=lambda: next(calls) == stop)
    return apply(inputs, Options(**GIVEN | changes), run)


@pytest.mark.parametrize("layers", ["all", 1])
def test_all_together_killed_twice_they_give_the_same_artifact(
    inputs: Inputs,
    tmp_path: Path,
    layers: str | int,
) -> None:
    whole = tune(inputs, tmp_path / "whole", layers=layers)
    for stop in (4, 7):
        with pytest.raises(RunInterruptedError):
            tune(inputs, tmp_path / "parts", stop, layers=layers)
    parts = tune(inputs, tmp_path / "parts", layers=layers)
    assert parts.id == whole.id
    # A training that is read from its end counts what learned in the same way.
    (tmp_path / "parts").rename(tmp_path / "first")
    assert tune(inputs, tmp_path / "parts", layers=layers).id == whole.id
    assert whole.card.lineage[-1]["options"]["unfreeze"] == 0.5
    top = sum(each.numel() for name, each in weights(whole).items() if "layer.1." in name or name.startswith("head."))
    assert whole.card.notes["learned_parameters"] == (whole.card.parameters if layers == "all" else top)


def test_new_layers_must_be_trained(inputs: Inputs, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`reinit` draws 2 layers anew, and 1 are trained"):
        tune(inputs, tmp_path / "a", layers=1, reinit=2)


def test_another_switch_gives_other_weights(inputs: Inputs, tmp_path: Path) -> None:
    plain: dict[str, Any] = {"epochs": 1, "learning_rate": 2e-3, "max_tokens": 16}
    made = {}
    for name, given in (("plain", {}), ("reinit", {"reinit": 1}), ("dropout", {"encoder_dropout": 0.4})):
        run = Run(tmp_path / name, tmp_path / f"{name}.scratch", threads=1)
        made[name] = weights(apply(inputs, Options(**plain | given), run))
    for name in ("reinit", "dropout"):
        assert any(not value.equal(made["plain"][key]) for key, value in made[name].items()), name
