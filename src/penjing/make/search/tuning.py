"""The search over options of the first step: each trial is a step through the cache, and validation chooses the best.

    best = argmax over trials of the task's first metric on validation rows;   of a tie the first trial
    a training ends early if, after its k-th evaluation,   max_(i<=k) s_i < median over trials of max_(i<=k) s_i

Source: Akiba et al., Optuna, 2019 (what is tried next: `proposals.py`); Golovin et al., Google Vizier: A Service for
Black-Box Optimization, 2017 (the median rule, here over the finished trials, from four of them on).
The first trial has the defaults, so the search does not end worse than they are on validation rows. Trials that have
ended are in a file (`trials.py`): a search that was killed continues with the trial that was interrupted, and a later
run with the same content repeats none. The weights of the best trial alone are kept.
When: some thousand rows or a costly mistake, and hours of time. When not: a few hundred validation rows, where the best
of many trials is partly due to chance. Its validation score is optimistic; certificate and test are on other rows.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from pydantic import ValidationError

from penjing.core.canon import digest
from penjing.core.errors import DataError, MissingPackageError, TrainingEndedError, UsageError
from penjing.core.methods import Done, Step
from penjing.core.nouns import Inputs, Progress, Scalar
from penjing.core.options import explain
from penjing.core.pace import time_in_words
from penjing.core.recipe import Recipe
from penjing.make.cache import Cache
from penjing.make.overall import Overall
from penjing.make.plan import with_values
from penjing.make.search.proposals import importances, propose
from penjing.make.search.ranges import Range
from penjing.make.search.trials import Trial, append_trial, best_of, read_trials
from penjing.report.search_part import SearchPart, TrialRow, step_as_yaml, values_in_words
from penjing.tasks import task_for
from penjing.tasks.measure import metric_names

FEWEST_PEERS = 4  # finished trials before a training can be ended early


@dataclass(frozen=True)
class SearchBudget:
    """How long a search may take: most trials (0: any number), and minutes after which none begins (0: any)."""

    trials: int
    minutes: float

    def is_spent(self, trials: Sequence[Trial]) -> bool:
        """Whether no trial may begin after these."""
        over = bool(self.trials) and len(trials) >= self.trials
        return over or (bool(self.minutes) and sum(trial.seconds for trial in trials) >= 60 * self.minutes)

    def seconds_left(self, trials: Sequence[Trial], each: float) -> float:
        """Expected seconds until it is spent, from the mean time of these trials; without any, of `each`."""
        spent = sum(trial.seconds for trial in trials)
        usual = spent / len(trials) if trials else each
        by_time = 60 * self.minutes - spent if self.minutes else math.inf
        by_count = (self.trials - len(trials)) * usual if self.trials else math.inf
        return max(0.0, min(by_time, by_count))


@dataclass
class OptionSearch:
    """A search over the ranges of a step's options.

    step: the recipe's first, as the first trial has it. folder: of the file of trials.
    """

    recipe: Recipe
    step: Step
    ranges: Sequence[Range]
    inputs: Inputs
    cache: Cache
    folder: Path
    progress: Overall
    budget: SearchBudget = field(init=False)
    metric: str = field(init=False)
    trials: list[Trial] = field(default_factory=list, init=False)
    kept: Step | None = field(default=None, init=False)
    said: set[str] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self.budget = SearchBudget(self.recipe.trials, self.recipe.minutes)
        self.metric = metric_names(task_for(self.inputs))[0]

    def run(self) -> tuple[Step, SearchPart]:
        """The step with the best options, and what the report says of the search.

        Raises what the first trial raises, DataError if no trial has finished, RunInterruptedError when stopped.
        """
        key = [self.cache.key(self.step, self.inputs), [one.to_json() for one in self.ranges], self.metric]
        journal = self.folder / f"trials-{digest(key)[:16]}.jsonl"
        for trial in read_trials(journal):
            if not self.budget.is_spent(self.trials):
                self.trials.append(trial)
        if self.trials:
            self.progress.say(f"search over options: {len(self.trials)} trials of an earlier run are not repeated")
        if (best := best_of(self.trials)) is not None:
            self.kept = with_values(self.step, self.ranges, best.values)
        each = self.progress.seconds.get(self.step.name, 0.0)
        self.progress.enter(self.step.name)
        self._expect(self.budget.seconds_left(self.trials, each))
        while not self.budget.is_spent(self.trials):
            values = propose(self.ranges, self.trials, self.cache.seed)
            if values is None:
                self.progress.say("search over options: every combination has been tried")
                break
            trial = self._try(values)
            self.trials.append(trial)
            append_trial(journal, trial)
            left = self.budget.seconds_left(self.trials, each)
            self._expect(left)
            title, said = self._title(trial.number), self._result(trial, left)
            self.progress.say(f"trial {title} ({values_in_words(values)}): {said}")
        self._expect(0.0)
        return self._searched()

    def _expect(self, left: float) -> None:
        """Tell the progress of the whole run how many seconds this stage has left."""
        if self.step.name in self.progress.seconds:
            self.progress.expect({self.step.name: time.monotonic() - self.progress.entered + left})

    def _try(self, values: dict[str, Scalar]) -> Trial:
        trial = Trial(len(self.trials) + 1, values, "failed")
        try:
            step = with_values(self.step, self.ranges, values)
        except ValidationError as error:
            return replace(trial, reason=explain(error, type(self.step.options))[0][1])
        watch = _Watch(self.metric, [one for one in self.trials if one.state == "finished"])
        shown = _InTrial(self.progress, self._title(trial.number), self._best_so_far(), self.said)
        began = time.monotonic()
        try:
            done = replace(self.cache, progress=shown).run(step, self.inputs, watch.is_hopeless)
        except TrainingEndedError:
            trial = replace(trial, state="ended", curves=watch.curves)
        except (UsageError, DataError) as error:
            # What the first trial cannot do is no matter of the ranges: it has the defaults.
            if trial.number == 1 or isinstance(error, MissingPackageError):
                raise
            trial = replace(trial, reason=error.what)
        else:
            # A result that a killed run had finished, and had not put into the file of trials, has no watched scores.
            return self._finished(replace(trial, curves=watch.curves or _curves(done, self.metric)), done)
        self.cache.drop(step, self.inputs)
        return replace(trial, seconds=round(time.monotonic() - began, 2))

    def _finished(self, trial: Trial, done: Done) -> Trial:
        """The trial with its score; of it and the best one before it, the weights of the better one are kept."""
        score = float(done.artifact.card.metrics.get(f"validation_{self.metric}", math.nan))
        trial = replace(trial, seconds=round(done.seconds, 2), reason="the score is not a number")
        if math.isfinite(score):
            trial = replace(trial, state="finished", score=score, reason="")
        if best_of([*self.trials, trial]) is not trial:
            self.cache.drop(done.step, self.inputs)
        else:
            if self.kept is not None:
                self.cache.drop(self.kept, self.inputs)
            self.kept = done.step
        return trial

    def _title(self, number: int) -> str:
        return f"{number}/{self.budget.trials}" if self.budget.trials else f"{number}"

    def _best_so_far(self) -> str:
        best = best_of(self.trials)
        return "" if best is None else f"{best.score:.4f}"

    def _result(self, trial: Trial, left: float) -> str:
        said = f"failed ({trial.reason})"
        if trial.reached is not None:
            finished = trial.state == "finished"
            said = f"score {trial.reached:.4f}" if finished else f"ended early at {trial.reached:.4f}"
        best = best_of(self.trials)
        if best is not None:
            said = f"{said}; best so far: {best.score or 0.0:.4f} in trial {best.number}"
        return f"{said}; about {time_in_words(left)} left" if left else said

    def _searched(self) -> tuple[Step, SearchPart]:
        best = best_of(self.trials)
        if best is None or best.score is None:
            reason = self.trials[-1].reason if self.trials else "none began"
            raise DataError(f"no trial has finished; the last one: {reason}", fix="write narrower ranges")
        searched = {one.option: one.as_option(best.values[one.option]) for one in self.ranges}
        options = {name: searched.get(name, value) for name, value in self.recipe.step_list()[0][1].items()}
        part = SearchPart(
            step=self.step.name,
            metric=self.metric,
            rows=len(self.inputs.validation),
            trials=tuple(
                TrialRow(
                    number=one.number,
                    values={each.option: one.values[each.option] for each in self.ranges},
                    state=one.state,
                    score=one.reached,
                    seconds=one.seconds,
                    reason=one.reason,
                )
                for one in self.trials
            ),
            best=best.number,
            options=options,
            yaml=step_as_yaml(self.step.name, options),
            importance=importances(self.ranges, self.trials, self.cache.seed),
        )
        return with_values(self.step, self.ranges, best.values), part


def _curves(done: Done, metric: str) -> tuple[tuple[float, ...], ...]:
    scores = tuple(float(one[metric]) for one in done.artifact.card.curves.validation if metric in one)
    return (scores,) if scores else ()


@dataclass
class _Watch:
    """Collects the scores of a trial's trainings, and says which training is hopeless beside the finished trials."""

    metric: str
    peers: Sequence[Trial]
    found: dict[str, tuple[float, ...]] = field(default_factory=dict, init=False)

    @property
    def curves(self) -> tuple[tuple[float, ...], ...]:
        return tuple(self.found.values())

    def is_hopeless(self, training: str, evaluations: Sequence[Mapping[str, float]]) -> bool:
        """The median rule; trainings of a trial are compared by their place in it."""
        if any(self.metric not in one for one in evaluations):
            return False
        self.found[training] = scores = tuple(float(one[self.metric]) for one in evaluations)
        place, count = list(self.found).index(training), len(scores)
        others = [trial.curves[place] for trial in self.peers if len(trial.curves) > place]
        reached = [max(curve[:count]) for curve in others if len(curve) >= count]
        return len(reached) >= FEWEST_PEERS and max(scores) < median(reached)


class _InTrial:
    """A Progress that names the trial and the best score before it. said: lines that no trial says again."""

    def __init__(self, inner: Progress, title: str, best: str, said: set[str]) -> None:
        self.inner, self.trial, self.best, self.said = inner, title, best, said

    def start(self, title: str, total: int | None) -> None:
        """Begin a piece of work."""
        if self.best:
            self.inner.start(f"trial {self.trial}, best so far {self.best}: {title}", total)
        else:
            self.inner.start(f"trial {self.trial}: {title}", total)

    def advance(self, amount: int = 1, note: str = "") -> None:
        """Add finished units."""
        self.inner.advance(amount, note)

    def say(self, line: str) -> None:
        """Print a line, once for all trials."""
        if line not in self.said:
            self.said.add(line)
            self.inner.say(line)
