"""The options of every tuning of an encoder: one rate or several, and what does not go together."""

from __future__ import annotations

import pytest

from penjing.core.errors import RecipeError
from penjing.core.options import build_options
from penjing.tune.full import Options
from penjing.tune.options import TrainingOptions


@pytest.mark.parametrize(("given", "rates"), [(1e-4, (1e-4,)), ([1e-4, 2e-4], (1e-4, 2e-4))])
def test_one_rate_or_several(given: float | list[float], rates: tuple[float, ...]) -> None:
    assert Options(learning_rate=given).learning_rate == rates


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"learning_rate": True}, "learning_rate"),
        ({"learning_rate": []}, "learning_rate"),
        ({"learning_rate": 0.2}, "learning_rate"),
        ({"optimizer": "sgd"}, "needs other rates than the default ones"),
        ({"layers": "some"}, "layers"),
    ],
)
def test_what_is_wrong_is_told_with_the_option(given: dict[str, object], what: str) -> None:
    with pytest.raises(RecipeError, match=what) as told:
        build_options(Options, given, "recipe.yaml:1:1")
    assert told.value.fix


def test_a_method_takes_no_further_tokens_and_keeps_nothing_by_itself() -> None:
    options = TrainingOptions()
    assert (options.further_tokens, options.keeps_base, options.whole, options.fixed_loss) == (0, False, False, False)
