"""The options of every objective: their bounds and what is the default."""

from __future__ import annotations

from typing import Any

import pytest

from penjing.core.errors import RecipeError
from penjing.core.options import build_options
from penjing.pretrain.parts.options import LoopOptions


def test_the_defaults_are_within_their_own_bounds() -> None:
    assert LoopOptions.model_validate(LoopOptions().model_dump()) == LoopOptions()


@pytest.mark.parametrize(
    "wrong", [{"tokens": 0}, {"learning_rate": 0}, {"schedule": "step"}, {"length": 4}, {"spike": 1.0}, {"clip": 0},
              {"precision": "fp16"}, {"warmup": 1.5}, {"lenght": 64}],
)  # fmt: skip
def test_what_cannot_be_trained_with_is_refused_with_its_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match=next(iter(wrong))):
        build_options(LoopOptions, wrong, "steps")
