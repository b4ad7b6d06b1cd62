"""What Optuna proposes to try next, and which options mattered, from the trials that have ended.

    next values ~ argmax l(x) / g(x)   l, g: densities of the options of the better and of the other trials (TPE)

Source: Akiba et al., Optuna: A Next-generation Hyperparameter Optimization Framework, 2019; Bergstra et al., Algorithms
for Hyper-Parameter Optimization, 2011 (TPE); Hutter, Hoos, Leyton-Brown, An Efficient Approach for Assessing
Hyperparameter Importance, 2014 (functional analysis of variance over a random forest).
A proposal is a function of the seed, the ranges and the trials before it: each has a sampler of its own, so that a
search that was killed proposes what it would have proposed. The first trial has the defaults, those up to the fifth are
random. Values that were tried are not proposed again.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

from penjing.core.errors import MissingPackageError
from penjing.core.nouns import Scalar
from penjing.make.search.ranges import Range
from penjing.make.search.trials import Trial

Values = Mapping[str, Scalar]
RANDOM = 5  # trials before the densities are used
FEWEST = 8  # finished trials from which on importances are told
_ATTEMPTS = 20
_MOST_LISTED = 20_000  # combinations that are listed to find one that was not tried


def load_optuna(where: str = "") -> Any:
    """The package. Raises MissingPackageError."""
    try:
        import optuna
    except ModuleNotFoundError:
        raise MissingPackageError(
            "ranges of options need the package `optuna`", where=where or None, fix="pip install 'penjing[train]'"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def propose(ranges: Sequence[Range], trials: Sequence[Trial], seed: int) -> dict[str, Scalar] | None:
    """The values of the next trial; None if every combination was tried. Raises MissingPackageError without Optuna."""
    if not trials:
        return {one.option: one.first for one in ranges}
    tried = {_key(trial.values, ranges) for trial in trials}
    total = _combinations(ranges)
    if total is not None and len(tried) >= total:
        return None
    optuna, base = load_optuna(), _seed(seed, len(trials))
    study = _study(optuna, ranges, trials)
    for attempt in range(_ATTEMPTS):
        study.sampler = optuna.samplers.TPESampler(seed=(base + attempt) % 2**32, n_startup_trials=RANDOM)
        asked = study.ask({one.option: _distribution(optuna, one) for one in ranges}).params
        study.tell(study.trials[-1].number, state=optuna.trial.TrialState.FAIL)
        values = {
            one.option: one.written(asked[one.option]) if not one.choices else asked[one.option] for one in ranges
        }
        if _key(values, ranges) not in tried:
            return values
    return _untried(ranges, tried, base)


def importances(ranges: Sequence[Range], trials: Sequence[Trial], seed: int) -> dict[str, float]:
    """The share of the variance of the score that each option explains, largest first; sums to 1.

    Empty for fewer than `FEWEST` finished trials, for one option, or where all scores are equal.
    """
    finished = [trial for trial in trials if trial.state == "finished"]
    if len(finished) < FEWEST or len(ranges) < 2 or len({trial.score for trial in finished}) < 2:
        return {}
    optuna = load_optuna()
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=_seed(seed, 0) % 2**31)
    found = optuna.importance.get_param_importances(_study(optuna, ranges, finished), evaluator=evaluator)
    return {str(name): round(float(share), 4) for name, share in found.items()}


def _study(optuna: Any, ranges: Sequence[Range], trials: Sequence[Trial]) -> Any:
    study = optuna.create_study(direction="maximize")
    # A pruned trial without a score counts as the worst. Failed trials are told so too: the sampler does not see those
    # that Optuna calls failed, and would go on proposing what fails.
    states = {"finished": optuna.trial.TrialState.COMPLETE}
    distributions = {one.option: _distribution(optuna, one) for one in ranges}
    for trial in trials:
        study.add_trial(
            optuna.trial.create_trial(
                state=states.get(trial.state, optuna.trial.TrialState.PRUNED),
                value=trial.score if trial.state == "finished" else None,
                params=dict(trial.values),
                distributions=distributions,
                intermediate_values=dict(enumerate(trial.curve)),
            )
        )
    return study


def _distribution(optuna: Any, one: Range) -> Any:
    if one.choices:
        return optuna.distributions.CategoricalDistribution(one.choices)
    if one.whole:
        return optuna.distributions.IntDistribution(int(one.low), int(one.top), log=one.log, step=int(one.step or 1))
    return optuna.distributions.FloatDistribution(one.low, one.top, log=one.log, step=one.step)


def _seed(seed: int, number: int) -> int:
    return random.Random(f"{seed} {number}").randrange(2**31)


def _combinations(ranges: Sequence[Range]) -> int | None:
    counts = [one.count for one in ranges]
    return prod(count for count in counts if count is not None) if None not in counts else None


def _untried(ranges: Sequence[Range], tried: set[Any], seed: int) -> dict[str, Scalar] | None:
    """A combination that was not tried, drawn from all; None if there are too many to list and TPE found none."""
    total = _combinations(ranges)
    if total is None or total > _MOST_LISTED:
        return None
    names = [one.option for one in ranges]
    every = [dict(zip(names, values, strict=True)) for values in product(*(one.values() for one in ranges))]
    left = [values for values in every if _key(values, ranges) not in tried]
    return random.Random(seed).choice(left) if left else None


def _key(values: Values, ranges: Sequence[Range]) -> tuple[Any, ...]:
    """True and 1 are different values of a choice."""
    return tuple((isinstance(values[one.option], bool), values[one.option]) for one in ranges)
