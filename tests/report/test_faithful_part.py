"""The part of a report on evidence: numbers only, and nothing beside them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from penjing.report.faithful_part import Faithful, Faithfulness

FALLS = {"evidence": 0.4, "random": 0.1}


def test_a_rival_that_was_not_tried_is_none() -> None:
    made = Faithfulness.model_validate(
        {"rows": 3, "sufficiency": FALLS, "comprehensiveness": {**FALLS, "nearest": 0.2}}
    )
    assert made.sufficiency == Faithful(evidence=0.4, random=0.1) and made.sufficiency.tfidf is None
    assert made.comprehensiveness.nearest == 0.2


@pytest.mark.parametrize(
    "wrong", [{"rows": -1}, {"sufficiency": {"evidence": 0.1}}, {"sufficiency": {**FALLS, "random": float("nan")}},
              {"more": 1}],
)  # fmt: skip
def test_what_is_no_such_figure_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Faithfulness.model_validate({"rows": 3, "sufficiency": FALLS, "comprehensiveness": FALLS, **wrong})
