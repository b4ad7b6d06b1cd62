"""The audit's arithmetic and words."""

from __future__ import annotations

import math

from penjing.data.audit import Audit, Problem, language_shares, length_quantiles, name_rows, provable, rows_that_certify


def test_what_calibration_rows_certify() -> None:
    assert rows_that_certify(0.05) == 59
    assert rows_that_certify(0.01) == 299
    assert provable(59, {"a": 10}).certifiable_error <= 0.05  # type: ignore[operator]
    assert provable(58, {"a": 10}).certifiable_error > 0.05  # type: ignore[operator]
    assert provable(0, {}).certifiable_error is None


def test_half_widths() -> None:
    margin = provable(100, {"a": 50, "b": 50})
    assert margin.accuracy_half_width == round(1.96 * math.sqrt(0.09 / 100), 4)
    assert margin.macro_f1_half_width == margin.accuracy_half_width
    assert provable(100, {"a": 95, "b": 5}).macro_f1_half_width > 2 * margin.accuracy_half_width  # type: ignore[operator]


def test_languages() -> None:
    assert language_shares(["我的iPhone 15 Pro很好用啊", "好"])[0] == "zh"
    assert language_shares(["It is fine", "Ok"])[0] == "en"
    overall, shares = language_shares(["It is fine", "很好", "123"])
    assert overall == "mixed"
    assert shares == {"zh": 0.3333, "en": 0.3333, "other": 0.3333}


def test_row_numbers_in_words() -> None:
    assert name_rows({"a.csv": [3]}) == "row 3"
    assert name_rows({"a.csv": [3, 4], "b.csv": [1]}) == "a.csv rows 3, 4; b.csv row 1"
    assert name_rows({"a.csv": list(range(12))}).endswith("9 and 2 more")


def test_lengths() -> None:
    assert length_quantiles(["a" * n for n in range(1, 102)]) == {
        "min": 1,
        "p50": 51,
        "p90": 91,
        "p99": 100,
        "max": 101,
    }


def test_errors_forbid_training_and_the_json_comes_back() -> None:
    audit = Audit(problems=[Problem(severity="error", code="one_label", message="one label only")])
    assert not audit.trainable
    assert Audit.model_validate_json(audit.model_dump_json()) == audit
