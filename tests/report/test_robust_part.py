"""The typed figures on noise: they survive JSON, and numbers that are none are refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

from penjing.report.robust_part import NoiseRow, Ranged, RobustPart

HALF = {"value": 0.5, "low": 0.4, "high": 0.6}
ROW: dict[str, Any] = {
    "kind": "typos", "strength": 0.1, "rows": 20, "score_before": HALF, "score_after": HALF, "difference": HALF,
    "automated_before": 10, "automated_after": 9, "other_outcome": 1, "reviewed": 2, "errors": 1, "errors_before": 0,
    "error_high": 0.4,
}  # fmt: skip


def test_it_comes_back_from_json_as_it_was() -> None:
    part = RobustPart(rows=20, kinds=(NoiseRow(**ROW),), unaltered=("case",), skipped=("synonyms",))
    assert RobustPart.model_validate_json(part.model_dump_json()) == part


@pytest.mark.parametrize("wrong", [{"rows": -1}, {"error_high": 1.1}, {"strength": math.nan}, {"unknown": 1}])
def test_figures_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NoiseRow(**ROW | wrong)
    with pytest.raises(ValidationError):
        Ranged(value=math.inf, low=0, high=1)
