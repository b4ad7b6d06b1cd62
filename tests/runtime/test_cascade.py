"""A cascade's folder that cannot be used is refused in words; how it answers is tested in tests/compress."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penjing.core.errors import DamageError
from penjing.runtime.cascade import EXITS, CascadeExit, divided, read_exits, sureness
from penjing.tasks.metrics import softmax


def test_the_threshold_is_read(tmp_path: Path) -> None:
    (tmp_path / EXITS).write_text(CascadeExit(threshold=0.9, audit=0.01).model_dump_json())
    assert read_exits(tmp_path).threshold == 0.9


def test_a_model_of_the_errors_is_read(tmp_path: Path) -> None:
    raw = '{"audit":0.01,"deferral":{"bias":-3.0,"coefficients":{"others":1.5},"cutoffs":[0.1,-1.0]},"format":2}'
    (tmp_path / EXITS).write_text(raw)
    found = read_exits(tmp_path).deferral
    assert found is not None and found.cutoffs == (0.1, -1.0)
    assert (found.coefficients.others, found.coefficients.rare) == (1.5, 0.0)


def test_one_without_weights_weighs_all_labels_alike(tmp_path: Path) -> None:
    (tmp_path / EXITS).write_text('{"audit":0.01,"format":1,"threshold":0.9}')
    assert read_exits(tmp_path).weights == ()


def test_sure_is_the_probability_that_the_label_would_have_if_all_were_equally_frequent() -> None:
    logits = np.random.default_rng(0).normal(scale=3, size=(50, 4)).astype(np.float32)
    p = softmax(logits, 1.7)
    scaled = divided(logits, 1.7)
    assert sureness(scaled, np.ones(4)) == pytest.approx(p.max(axis=1), abs=1e-6)
    # Labels with shares of 60, 30, 6 and 4 %: a posterior divided by its prior, and made to sum to 1 again.
    prior = np.array([0.6, 0.3, 0.06, 0.04])
    equal = p / prior / (p / prior).sum(axis=1, keepdims=True)
    assert sureness(scaled, 0.6 / prior) == pytest.approx(equal[np.arange(50), p.argmax(axis=1)], abs=1e-6)
    # One text at a time it is the same to the last digit.
    one = [sureness(divided(logits[place : place + 1], 1.7), 0.6 / prior)[0] for place in range(50)]
    assert one == sureness(scaled, 0.6 / prior).tolist()


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "{}",
        '{"threshold": -1, "audit": 0}',
        '{"threshold": 1, "audit": 0, "weights": [1, 0]}',
        '{"threshold": 1, "audit": 0, "x": 1}',
        '{"format": 2, "threshold": 1, "audit": 0}',
        '{"format": 1, "audit": 0, "deferral": {"bias": 0, "coefficients": {}, "cutoffs": [1]}}',
        '{"format": 2, "audit": 0, "threshold": 1, "deferral": {"bias": 0, "coefficients": {}, "cutoffs": [1]}}',
        '{"format": 2, "audit": 0, "deferral": {"bias": 0, "coefficients": {"age": 1}, "cutoffs": [1]}}',
        '{"format": 2, "audit": 0, "deferral": {"bias": NaN, "coefficients": {}, "cutoffs": [1]}}',
        "[" * 9999,
    ],
)
def test_a_file_that_is_none_is_damage(raw: str, tmp_path: Path) -> None:
    (tmp_path / EXITS).write_text(raw)
    with pytest.raises(DamageError, match=r"cascade\.json cannot be used"):
        read_exits(tmp_path)


def test_a_missing_file_is_damage(tmp_path: Path) -> None:
    with pytest.raises(DamageError, match=r"cascade\.json cannot be used"):
        read_exits(tmp_path)
