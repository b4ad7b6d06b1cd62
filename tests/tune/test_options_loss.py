"""Options of the loss: by default that of the task; what is wrong is told with its option."""

from __future__ import annotations

import pytest

from penjing.core.errors import RecipeError
from penjing.core.options import build_options
from penjing.tune.options_loss import LossOptions


def test_by_default_every_row_counts_alike_in_the_loss_of_the_task() -> None:
    options = LossOptions()
    assert (options.loss, options.class_weights, options.costs, options.fixed_loss) == ("auto", "none", {}, False)


@pytest.mark.parametrize("loss", ["focal", "asymmetric", "cost", "ours.py:hinge", "losses/ours.py:_own2"])
def test_a_named_loss_or_a_function_in_a_file(loss: str) -> None:
    assert build_options(LossOptions, {"loss": loss}, "recipe.yaml:1:1").loss == loss


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"loss": "hinge"}, "loss"),
        ({"loss": "ours.txt:hinge"}, "loss"),
        ({"loss": "ours.py:2nd"}, "loss"),
        ({"focal_gamma": -1}, "focal_gamma"),
        ({"asymmetric_margin": 1}, "asymmetric_margin"),
        ({"costs": {"a": {"b": -0.5}}}, "`b` is `-0.5`"),
        ({"class_weights": {"a": 0}}, "`a` is `0`"),
    ],
)
def test_what_is_wrong_is_told_with_its_name(given: dict[str, object], what: str) -> None:
    with pytest.raises(RecipeError, match=what) as told:
        build_options(LossOptions, given, "recipe.yaml:1:1")
    assert told.value.fix
