"""The policy of limits by label has a format of its own, which others cannot have."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from penjing.core.canon import canonical_json
from penjing.decide.policy import PolicySpec

PLAIN = {
    "format": 4, "task": {"type": "several", "labels": ["a", "b"], "separator": ";", "none": "none"}, "thresholds": {},
    "masking": "2", "folding": "2", "rules": "2", "facts": "4",
}  # fmt: skip


def test_format_6_is_that_of_labels() -> None:
    spec = PolicySpec.model_validate({**PLAIN, "format": 6, "certify": "label", "scope": True})
    assert spec.opened_task().scopes == ("yes.a", "no.a", "yes.b", "no.b", "empty")
    assert PolicySpec.model_validate_json(canonical_json(spec.model_dump(mode="json"))) == spec
    assert spec.newest_rules().format == 6
    assert "certify" not in PolicySpec.model_validate(PLAIN).model_dump(mode="json")
    for wrong in ({"certify": "label"}, {"format": 6}, {"format": 5, "certify": "label", "scope": True}):
        with pytest.raises(ValidationError, match="format 6 for certificates label by label"):
            PolicySpec.model_validate({**PLAIN, **wrong})
