"""Ways of healing: within their bounds, the same for the same seed and answers, and better where it is told so."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from penjing.compress.distill import Options
from penjing.core.errors import MissingPackageError
from penjing.core.options import build_options
from penjing.make.search.heal import COPIES, EPOCHS, GOLD, LEARNING_RATE, TEMPERATURE, Healing


def ways(seed: int, count: int, value: Callable[[dict[str, Any]], float]) -> list[dict[str, Any]]:
    healing, found = Healing(seed), []
    for _ in range(count):
        found.append(healing.ask())
        healing.tell(value(found[-1]))
    return found


def far(options: dict[str, Any]) -> float:
    """Best at eight epochs of a low temperature."""
    return -abs(options["epochs"] - 8) - options["temperature"]


def test_the_same_seed_and_answers_propose_the_same_ways() -> None:
    assert ways(0, 12, far) == ways(0, 12, far) != ways(1, 12, far)
    # What is proposed later follows from what was told.
    other = ways(0, 12, lambda options: -far(options))
    assert other[:5] == ways(0, 5, far) and other != ways(0, 12, far)


def test_they_are_options_of_the_method_within_their_bounds() -> None:
    for options in ways(3, 20, far):
        build_options(Options, options, "here")
        pairs = zip(options.values(), (EPOCHS, COPIES, LEARNING_RATE, TEMPERATURE, GOLD), strict=True)
        assert all(low <= value <= high for value, (low, high) in pairs), options


def test_later_ways_are_better_than_the_first() -> None:
    found = [far(options) for options in ways(0, 30, far)]
    assert sum(found[-10:]) > sum(found[:10])


def test_without_optuna_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingPackageError, match="needs the package `optuna`"):
        Healing(0)
