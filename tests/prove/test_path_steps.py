"""Steps of a path end at the first that fails, by exact p-values; thresholds are kept in millionths and back."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from penjing.core.certificate import LimitTest
from penjing.prove.path_steps import NEVER, each_once, last_passed, least_of, threshold_of, try_steps

PATH = [{"a": 0.9}, {"a": 0.8}, {"a": 0.7}, {"a": 0.6}]
VALUES = {0.9: (0.0, 0.01), 0.8: (0.049, 0.05), 0.7: (0.0, 0.0500000001), 0.6: (0.0, 0.0)}


def _tests(thresholds: Mapping[str, float | None]) -> list[LimitTest]:
    values = VALUES[thresholds["a"] or 0.0]
    return [LimitTest(kind="error", of=str(n), limit=0.1, cases=9, errors=0, p_value=p) for n, p in enumerate(values)]


def test_a_step_passes_by_its_largest_exact_p_value_and_the_first_failure_ends_the_path() -> None:
    steps = try_steps(PATH, 0.05, _tests)
    assert [step.thresholds for step in steps] == PATH[:3]
    assert [step.passed for step in steps] == [True, True, False]
    assert [step.p_value for step in steps] == [0.01, 0.05, 0.05], "kept with six digits"
    assert [test.p_value for test in steps[1].tests] == [0.049, 0.05]
    assert last_passed(steps) == steps[1]
    assert last_passed(steps[2:]) is None and try_steps([], 0.05, _tests) == []


def test_equal_thresholds_stay_once_in_their_order() -> None:
    assert each_once(iter([{"a": 0.9}, {"a": None}, {"a": 0.9}])) == ({"a": 0.9}, {"a": None})


@pytest.mark.parametrize(("threshold", "least"), [(None, NEVER), (0.0, 0), (0.123457, 123457), (1.0, 1_000_000)])
def test_thresholds_in_millionths(threshold: float | None, least: int) -> None:
    assert least_of(threshold) == least and threshold_of(least, 0) == threshold


def test_a_threshold_is_lowered_by_the_tolerance() -> None:
    assert (threshold_of(500_000, 10), threshold_of(5, 10), threshold_of(1_000_001, 10)) == (0.49999, 0.0, None)
