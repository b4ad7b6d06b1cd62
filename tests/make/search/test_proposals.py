"""Proposals depend on the seed and on the trials before them alone, repeat nothing, and find what is better."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import pytest

from penjing.core.errors import MissingPackageError
from penjing.core.nouns import Scalar
from penjing.make.search.proposals import FEWEST, RANDOM, importances, propose
from penjing.make.search.ranges import Range
from penjing.make.search.trials import Trial

RATE = Range("rate", 1e-4, (), 1e-5, 1e-2, log=True)
LAYERS = Range("layers", 3, (), 1, 6, step=1.0, whole=True)
KIND = Range("kind", "b", ("a", "b", True, 1))


def far(values: dict[str, Scalar]) -> float:
    """Best at a rate of 1e-3; the layers hardly matter."""
    import math

    return -abs(math.log10(float(values["rate"] or 1)) + 3) - 0.01 * abs(float(values["layers"] or 1) - 2)


def history(
    ranges: Sequence[Range], count: int, seed: int = 0, value: Callable[[dict[str, Scalar]], float] = far
) -> list[Trial]:
    trials: list[Trial] = []
    for number in range(1, count + 1):
        values = propose(ranges, trials, seed)
        assert values is not None
        trials.append(Trial(number, values, "finished", value(values)))
    return trials


def test_the_first_trial_has_the_defaults_and_the_same_seed_gives_the_same_trials() -> None:
    both = (RATE, LAYERS)
    found = history(both, 12)
    assert found[0].values == {"rate": 1e-4, "layers": 3}
    assert found == history(both, 12)
    assert found[1:] != history(both, 12, seed=1)[1:]
    assert all(1e-5 <= float(one.values["rate"] or 0) <= 1e-2 for one in found)
    assert all(one.values["layers"] in range(1, 7) for one in found)
    # Whoever knows only the trials before a proposal makes the same.
    assert [propose(both, found[:known], 0) for known in range(1, 12)] == [one.values for one in found[1:]]
    other = [*found[:RANDOM], *(Trial(one.number, one.values, "ended", None, ((0.1,),)) for one in found[RANDOM:])]
    assert propose(both, other, 0) != propose(both, found, 0)


def test_later_trials_are_better() -> None:
    found = [trial.score or 0.0 for trial in history((RATE, LAYERS), 30)]
    assert sum(found[-10:]) > sum(found[:10])


def test_nothing_is_tried_twice_and_the_search_ends_with_the_last_combination() -> None:
    both = (KIND, LAYERS)
    found = history(both, 24, value=lambda values: float(values["layers"] or 0))
    keys = {(type(one.values["kind"]), one.values["kind"], one.values["layers"]) for one in found}
    assert len(keys) == 24, "true and 1 are two values"
    assert propose(both, found, 0) is None


def test_failed_and_ended_trials_are_known_too() -> None:
    trials = [Trial(1, {"rate": 1e-4, "layers": 3}, "failed"), Trial(2, {"rate": 1e-3, "layers": 2}, "ended")]
    trials += [Trial(number, {"rate": number / 1e3, "layers": 2}, "ended", None, ((0.5,),)) for number in (3, 4, 5, 6)]
    assert propose((RATE, LAYERS), trials, 0) not in [None, *(one.values for one in trials)]


def test_what_matters_explains_most_and_few_trials_explain_nothing() -> None:
    trials = history((RATE, LAYERS), 20)
    shares = importances((RATE, LAYERS), trials, 0)
    assert shares == importances((RATE, LAYERS), trials, 0)
    assert list(shares) == ["rate", "layers"] and shares["rate"] > 0.8 and abs(sum(shares.values()) - 1) < 1e-3
    assert importances((RATE, LAYERS), trials[: FEWEST - 1], 0) == {}
    assert importances((RATE,), trials, 0) == {}
    flat = [Trial(one.number, one.values, "finished", 0.5) for one in trials]
    assert importances((RATE, LAYERS), flat, 0) == {}


def test_without_optuna_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingPackageError, match="need the package `optuna`"):
        propose((RATE,), [Trial(1, {"rate": 1e-4}, "finished", 1.0)], 0)
