"""The folder of an encoder with n-grams that cannot be used is refused in words; its answers: tests/compress."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penjing.core.errors import DamageError
from penjing.runtime.ngrams import WEIGHTS, BranchWeights, read_weights, weighted_sum


def test_the_weights_are_read(tmp_path: Path) -> None:
    weights = BranchWeights(encoder=0.7, ngrams=1.25)
    (tmp_path / WEIGHTS).write_text(weights.model_dump_json())
    assert read_weights(tmp_path) == weights


def test_each_row_is_summed_by_itself() -> None:
    drawn = np.random.default_rng(0)
    one, other = (drawn.normal(scale=5, size=(40, 7)).astype(np.float32) for _ in range(2))
    weights = BranchWeights(encoder=0.7, ngrams=1.25)
    both = weighted_sum(weights, one, other)
    assert both == pytest.approx(0.7 * one + 1.25 * other, abs=1e-5) and both.dtype == np.float32
    alone = [weighted_sum(weights, one[place : place + 1], other[place : place + 1])[0] for place in range(40)]
    assert np.array_equal(both, alone)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (None, "No such file"),
        ("", "the whole is of another kind"),
        ("{}", "the key `encoder` is missing"),
        ('{"encoder": 1}', "the key `ngrams` is missing"),
        ('{"encoder": 1, "ngrams": -1}', "`ngrams` is `-1`; it must be a number at least 0"),
        ('{"encoder": 1, "ngrams": NaN}', "`ngrams` is `nan`"),
        ('{"encoder": 1, "ngrams": 1, "x": 1}', "unknown key `x`"),
    ],
)
def test_what_is_none_is_refused(tmp_path: Path, raw: str | None, said: str) -> None:
    if raw is not None:
        (tmp_path / WEIGHTS).write_text(raw)
    with pytest.raises(DamageError, match=r"ngrams\.json cannot be used") as caught:
        read_weights(tmp_path)
    assert said in str(caught.value) and "pydantic" not in str(caught.value)
