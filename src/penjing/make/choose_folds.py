"""Encoder and word model compared out of fold: every train and validation row is answered by models without it.

    fold k:  both fitted on the train rows outside it, with the validation rows outside it; both answer its rows
    over all folds:  score(encoder) - score(word model) on the same rows, with the bound that validation rows have too

A row keeps its part, so a model of a fold is fitted as the one that is sealed, on four fifths of the rows. The encoder
is tuned and compressed to the form that would be sealed, with the options of the recipe; what these choose (a rate, a
strength, an epoch) is chosen inside the fold. Rows of `add:` are learned from and never answered. The bound draws
units of rows anew; the models of the folds are not drawn, and they share rows, so it is somewhat too narrow.
Source: Stone, Cross-Validatory Choice and Assessment of Statistical Predictions, 1974; Bengio and Grandvalet, No
Unbiased Estimator of the Variance of K-Fold Cross-Validation, 2004.
Each step of a fold is an artifact in the cache until the run ends, so a killed run goes on; the figures stay there.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from penjing.compress.parts.folds import answer_out_of_fold, deal
from penjing.core.canon import digest
from penjing.core.errors import DataError
from penjing.core.methods import Done, source_hash
from penjing.core.nouns import Artifact, Prediction, Table
from penjing.core.pace import time_in_words
from penjing.data.features import rows_of
from penjing.data.fold import fold as folded
from penjing.data.prepare import Prepared
from penjing.make.overall import FOLDING, Overall
from penjing.make.plan import on_engine
from penjing.make.running import Runner
from penjing.make.timings import Measured
from penjing.measure.evaluate import paired_difference
from penjing.prove.score import Scored, judge
from penjing.report.chosen_part import ChosenByFolds, PairedDifference
from penjing.report.found import Variant
from penjing.runtime.open import open_session

# What the candidates say of one row: the word model, the tuned model, and the form that would be sealed.
_Said = tuple[Prediction, Prediction, Prediction]


@dataclass(frozen=True, eq=False)
class DealtRows:
    """Train and validation rows in one table, with the fold of each; -1: only learned from."""

    table: Table
    train: int
    units: Sequence[str]
    numbers: npt.NDArray[np.int64]


def compare_out_of_fold(
    runner: Runner, folds: int, done: Sequence[Done], variants: Sequence[Variant], progress: Overall
) -> ChosenByFolds | None:
    """The comparison of the last form that no promise refuses; None where there is none, or no fold can be fitted.

    done: the steps on all rows, as `Runner.forms` gives them. Raises RunInterruptedError when stopped.
    """
    passed = [variant for variant in variants if not variant.refused]
    places = [place for place, one in enumerate(done) if passed and one.artifact.id == passed[-1].artifact.id]
    if not places:
        return None
    rows = deal_rows(runner.data, folds, runner.file.recipe.seed)
    about = _about(runner, rows, places[0], folds)
    kept = Measured(runner.cache.folder / f"folds-{about[:16]}", about)
    used = set(runner.cache.used)

    def compare() -> dict[str, Any]:
        progress.enter(FOLDING)
        positions, said = _answers(runner, rows, folds, places[0], progress)
        if not positions:
            return {}
        return _compared(runner.data, rows, positions, said, (folds, passed[-1].name)).model_dump(mode="json")

    found = kept.once(["compared"], compare)
    # What the folds made is not needed again, apart from their figures.
    runner.cache.used.intersection_update(used)
    runner.cache.used.add(kept.folder.name)
    return ChosenByFolds.model_validate(found) if found else None


def deal_rows(data: Prepared, folds: int, seed: int) -> DealtRows:
    """The rows with their folds, of about equal shares of each label and of each part."""
    table, count = data.train.joined(data.validation), len(data.train)
    units = [*data.units["train"], *data.units["validation"]] if data.units else table.units
    strata = data.task.strata(list(table.labels or ()))
    parts = ["train"] * count + ["validation"] * (len(table) - count)
    added = np.zeros(len(table), dtype=bool)
    added[list(data.added)] = True
    own = np.flatnonzero(~added).tolist()
    dealt = deal([units[place] for place in own], [(strata[place], parts[place]) for place in own], folds, seed)
    numbers = np.full(len(table), -1, dtype=np.int64)
    numbers[own] = dealt
    return DealtRows(table, count, units, numbers)


def without(data: Prepared, rows: DealtRows, held: Sequence[int]) -> Prepared:
    """The data of a fold: no row that is held out, none of its unit, and no text of it among those without labels."""
    gone = set(held)
    units = {rows.units[place] for place in held}
    rest = [place for place in range(len(rows.table)) if place not in gone and rows.units[place] not in units]
    train = [place for place in rest if place < rows.train]
    validation = [place - rows.train for place in rest if place >= rows.train]
    out = rows.table.take(list(held))
    texts = {folded(text) for text in out.texts}
    return replace(
        data,
        train=data.train.take(train),
        validation=data.validation.take(validation),
        # Whatever else a method may not see is here: the fold is held out like a test row.
        left_out=out if data.left_out is None else data.left_out.joined(out),
        unlabelled=tuple(text for text in data.unlabelled if folded(text) not in texts),
        units={},
        added=(),
    )


def _answers(
    runner: Runner, rows: DealtRows, folds: int, place: int, progress: Overall
) -> tuple[list[int], list[_Said]]:
    """The positions of the rows that were answered, and what the candidates say of each."""
    began = time.monotonic()

    def answer(rest: list[int], held: list[int]) -> list[_Said]:  # noqa: ARG001 - `without` takes whole units out
        data = without(runner.data, rows, held)
        if not (held and len(data.train) and len(data.validation)):
            raise DataError("a fold without rows, or one that has all of a part")
        inside = replace(runner, data=data, enter=lambda _: None)
        linear = inside.word_model().artifact
        models = (linear, *inside.form(place))
        table = rows.table.take(held)
        return list(zip(*(_say(runner, model, table) for model in models), strict=True))

    def tell(done: int) -> None:
        spent = time.monotonic() - began
        progress.expect({FOLDING: spent / done * folds})
        progress.say(f"out of fold: {done} of {folds} folds are answered; all in about {time_in_words(progress.left)}")

    progress.start("comparing out of fold", None)
    return answer_out_of_fold(rows.numbers, folds, answer, tell)


def _say(runner: Runner, artifact: Artifact, table: Table) -> list[Prediction]:
    session = open_session(artifact, threads=runner.cache.threads, long_texts=runner.file.recipe.data.long)
    return list(session.predict(table.texts, rows_of(table)))


def _compared(
    data: Prepared, rows: DealtRows, positions: Sequence[int], said: Sequence[_Said], about: tuple[int, str]
) -> ChosenByFolds:
    task = data.task.with_rows(data.audit.rows_by_label)
    golds = [(rows.table.labels or ())[place] for place in positions]
    units = [rows.units[place] for place in positions]
    linear, tuned, form = (judge(task, [each[model] for each in said], golds) for model in range(3))

    def over(one: Scored) -> PairedDifference:
        found = paired_difference(one.counts, linear.counts, one.measure(), groups=units)
        return PairedDifference.model_validate(found)

    return ChosenByFolds(
        rows=len(positions),
        units=len(set(units)),
        folds=about[0],
        metric=linear.metrics[0],
        form=about[1],
        linear_score=round(linear.value(), 6),
        tuned_score=round(tuned.value(), 6),
        form_score=round(form.value(), 6),
        tuned=over(tuned),
        chosen=over(form),
    )


def _about(runner: Runner, rows: DealtRows, place: int, folds: int) -> str:
    """Everything that the figures depend on."""
    recipe, steps = runner.file.recipe, [runner.steps[0], *runner.steps[1:place]]
    pairs = zip(steps, runner.named, strict=False)
    keys = [
        runner.cache.key(on_engine(step, recipe.engine), runner.inputs(runner.base, None, named))
        for step, named in pairs
    ]
    linear = [source_hash(f"penjing.{name}") for name in ("tune.linear", "make.choose_folds", "runtime.session")]
    counts = dict(sorted(runner.data.audit.rows_by_label.items()))
    return digest([keys, linear, rows.numbers.tolist(), list(rows.units), place, folds, recipe.data.long, counts])
