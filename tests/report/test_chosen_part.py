"""The part on a choice out of fold: differences are read from the paired comparison, and wrong numbers are refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from penjing.measure.evaluate import Paired
from penjing.report.chosen_part import ChosenByFolds, PairedDifference

PAIRED = PairedDifference(value=0.041, low=0.005, high=0.08, lower=0.012, upper=0.075)
WHOLE: dict[str, Any] = {
    "rows": 160, "units": 150, "folds": 5, "metric": "macro_f1", "form": "compress.int8",
    "linear_score": 0.7, "tuned_score": 0.745, "form_score": 0.741, "tuned": PAIRED, "chosen": PAIRED,
}  # fmt: skip


def test_a_difference_is_read_from_the_comparison_of_the_same_rows() -> None:
    given = Paired(value=0.041, low=0.005, high=0.08, lower=0.012, upper=0.075)
    assert PairedDifference.model_validate(given) == PAIRED


def test_it_is_the_same_after_json() -> None:
    part = ChosenByFolds(**WHOLE)
    assert ChosenByFolds.model_validate_json(part.model_dump_json()) == part


@pytest.mark.parametrize("wrong", [{"rows": 0}, {"units": 0}, {"folds": 1}, {"form_score": float("nan")}, {"x": 1}])
def test_what_no_choice_has_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ChosenByFolds(**(WHOLE | wrong))
