"""A certificate reads back as it was written, and refuses what it does not know."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from penjing.core.canon import canonical_json
from penjing.core.certificate import Certificate, LimitTest, Need, PathStep, ThresholdTest

STEP = ThresholdTest(scope="*", threshold=0.9, automated=300, errors=2, p_value=0.01, passed=True)
MADE = Certificate(
    max_error=0.05, confidence=0.95, certified=True, thresholds={"no": 0.9, "yes": None}, grid={"*": (0.9, 0.8)},
    steps=(STEP,), rows=400, automation=0.75, error=0.01, high=0.04, forced=0.0, ruled=0.1, rows_missing=0, missing={},
    reviewed=(), calibration=("ab",), used=("cd",),
)  # fmt: skip


def test_it_reads_back_to_the_same_bytes() -> None:
    written = canonical_json(MADE.model_dump(mode="json"))
    again = Certificate.model_validate_json(written)
    assert again == MADE
    assert canonical_json(again.model_dump(mode="json")) == written


def test_earlier_formats_keep_their_keys() -> None:
    first = MADE.model_dump(mode="json")
    assert first["rows_missing"] == 0 and not {"an_error", "needs", "max_miss", "path", "path_steps"} & first.keys()
    second = MADE.model_copy(update={"format": 2, "an_error": "x"}).model_dump(mode="json")
    assert second.keys() - first.keys() == {"an_error"}


def test_format_3_reads_back_to_the_same_bytes() -> None:
    test = LimitTest(kind="miss", of="yes", limit=0.05, cases=60, errors=0, p_value=0.046)
    step = PathStep(thresholds={"no": None, "yes": 0.9}, tests=(test,), p_value=0.046, passed=True)
    found = {"format": 3, "needs": {"*": Need(answer="enough", rows=12)}, "max_miss": {"yes": 0.05}}
    made = MADE.model_copy(update={**found, "path": (step.thresholds,), "path_steps": (step,)})
    written = canonical_json(made.model_dump(mode="json"))
    again = Certificate.model_validate_json(written)
    assert canonical_json(again.model_dump(mode="json")) == written
    assert again.path_steps == (step,) and "rows_missing" not in made.model_dump()


def test_what_it_does_not_know_is_refused() -> None:
    with pytest.raises(ValidationError, match="other"):
        Certificate.model_validate({**MADE.model_dump(), "other": 1})
