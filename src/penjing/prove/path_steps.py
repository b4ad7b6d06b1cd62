"""The steps of a path of thresholds: tested in order, up to and including the first that does not pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from penjing.core.certificate import LimitTest, PathStep
from penjing.decide.schema import MICRO

# A least p in millionths that no answer reaches.
NEVER = 2 * MICRO


def try_steps(
    path: Sequence[Mapping[str, float | None]],
    delta: float,
    tests_of: Callable[[Mapping[str, float | None]], Iterable[LimitTest]],
) -> list[PathStep]:
    """Test the steps in order. A step passes if every limit does: its p-value is the largest of theirs.

    tests_of: the test of each limit at these thresholds. P-values are compared exactly and kept with six digits.
    """
    steps = list[PathStep]()
    for thresholds in path:
        exact = list(tests_of(thresholds))
        worst = max(test.p_value for test in exact)
        tests = tuple(test.model_copy(update={"p_value": _six_digits(test.p_value)}) for test in exact)
        passed = worst <= delta
        steps.append(PathStep(thresholds=dict(thresholds), tests=tests, p_value=_six_digits(worst), passed=passed))
        if not passed:
            break
    return steps


def last_passed(steps: Sequence[PathStep]) -> PathStep | None:
    """The last step that passed, which has the thresholds of the certificate."""
    return next((step for step in reversed(steps) if step.passed), None)


def each_once(path: Iterable[dict[str, float | None]]) -> tuple[dict[str, float | None], ...]:
    """The thresholds in their order, without repetitions."""
    found = list(path)
    return tuple(one for place, one in enumerate(found) if one not in found[:place])


def threshold_of(least: int, band: int) -> float | None:
    """A least p in millionths as a threshold, lowered by the tolerance; None for one that no answer reaches."""
    return None if least > MICRO else round(max(0, least - band) / MICRO, 6)


def least_of(threshold: float | None) -> int:
    """A threshold in millionths; NEVER for None."""
    return NEVER if threshold is None else round(threshold * MICRO)


def _six_digits(value: float) -> float:
    return float(f"{value:.6g}")
