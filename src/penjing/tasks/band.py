"""Whether an answer may change where each of its probabilities changes by a band of millionths.

Probabilities have six decimals. Whole millionths are compared, so that no comparison rounds. With a band of 0 no
probability changes, and no answer does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MICRO = 1_000_000


def margin_within(facts: Mapping[str, Any], band: int) -> bool:
    """Whether the fact `margin` is at most the band: of two probabilities that may both change it is twice as wide."""
    return bool(band) and round(facts["margin"] * MICRO) <= band


def half_within(facts: Mapping[str, Any], band: int) -> bool:
    """Whether the fact `p` is at most one half plus the band: above it no other answer is as probable."""
    return bool(band) and round(facts["p"] * MICRO) <= MICRO // 2 + band
