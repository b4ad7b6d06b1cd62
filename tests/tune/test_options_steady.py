"""Options of a steadier training: each is off by default, and has its bounds."""

from __future__ import annotations

import pytest

from penjing.core.errors import RecipeError
from penjing.core.options import build_options
from penjing.tune.options_steady import SteadyOptions


def test_nothing_is_on_by_default() -> None:
    options = SteadyOptions()
    assert (options.optimizer, options.schedule, options.precision) == ("adamw", "linear", "float32")
    assert (options.layer_decay, options.accumulate, options.encoder_dropout) == (1.0, 1, "base")
    assert (options.reinit, options.unfreeze, options.rdrop, options.mixup, options.ema) == (0, 0, 0, 0, 0)
    assert options.adversarial == "none"


@pytest.mark.parametrize(
    ("option", "wrong"),
    [
        ("optimizer", "lion"),
        ("schedule", "step"),
        ("layer_decay", 0),
        ("layer_decay", 1.1),
        ("reinit", -1),
        ("unfreeze", 1.5),
        ("encoder_dropout", 1),
        ("ema", 1),
        ("epsilon", 0),
        ("adversarial_steps", 0),
        ("accumulate", 0),
        ("precision", "fp16"),
    ],
)
def test_what_is_out_of_bounds_is_told_with_the_option(option: str, wrong: object) -> None:
    with pytest.raises(RecipeError, match=option):
        build_options(SteadyOptions, {option: wrong}, "recipe.yaml:1:1")
