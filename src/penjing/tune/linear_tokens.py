"""`tune.linear` for answers about pieces of a text: a linear map of the units around each unit, tags as a chain.

    z_t = W x_t + b of the features x_t of unit t (text/units);
    tags: a conditional random field, whose weights of what follows what the calibration has (`train/chain.py`), or with
    `chain: false`, and for tasks without such a sequence, each tag against the rest as in `train/linear.py`;
    of an answer to a question one column says whether it begins at unit t, one whether it ends there

C is chosen by the task's first metric out of fold on the train rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from penjing.core.abilities import ChainedTask
from penjing.core.artifact import write_artifact
from penjing.core.errors import RunInterruptedError
from penjing.core.nouns import Artifact, Card, Inputs, Run
from penjing.core.task import Head, Item, Task
from penjing.data import mask
from penjing.data.features import rows_fingerprint
from penjing.engines.linear_tokens import WEIGHT, TokenLinearEngine, parts_of
from penjing.tasks import card_fields
from penjing.tasks.measure import metric_names, validation_metrics
from penjing.text.units import Surroundings, fit_surroundings, places_of
from penjing.train.chain import PASSES, ChainWeights, TagRows, fit_chain
from penjing.train.linear import TIE, Candidates, Chosen, fit_columns, side_of, stratified_folds

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
# A row has about as many units as this, each a row of the matrix.
UNITS_A_ROW = 10


@dataclass(frozen=True)
class TokenSetting:
    """How the model is fitted: the values of C with their cross-validation, and the bounds of the vocabulary.

    chain: whether what follows what is learned, of tasks whose tags are a sequence.
    """

    candidates: Candidates
    min_df: int
    most: int
    chain: bool
    options: dict[str, Any]


@dataclass(frozen=True)
class _Tagged:
    """The units of n texts: a sparse matrix (units, features), what is fitted, and how many units each text has.

    columns: whether each unit is one of a column, as `fit_columns` takes them; tags: of each head that is a sequence
    the number of tags, and that of each unit (units,); none where no sequence is fitted.
    """

    matrix: Any
    columns: list[tuple[bool, Any]]
    tags: Mapping[str, tuple[int, Ints]]
    sizes: Sequence[int]
    golds: Sequence[str]
    items: Sequence[Item]


@dataclass(frozen=True)
class TokensFit:
    """A fitted model: its engine, the weights of what follows what by head, and the chosen strength."""

    engine: TokenLinearEngine
    following: Mapping[str, Floats]
    chosen: Chosen

    def task(self, task: Task) -> Task:
        """The task of this model, whose calibrations have its weights of what follows what."""
        return task.chained(self.following) if self.following and isinstance(task, ChainedTask) else task


def apply_tokens(inputs: Inputs, task: Task, setting: TokenSetting, run: Run) -> Artifact:
    """Fit on `inputs.train`, the calibration on `inputs.validation`. Raises RunInterruptedError when stopped."""
    fit = fit_tokens(inputs, task, setting, run)
    engine, task = fit.engine, fit.task(task)
    texts, golds = inputs.validation.texts, inputs.validation.labels or ()
    runs = [engine.run([row]) for row in engine.encode(texts)]
    outputs = {name: [one[name][0] for one in runs] for name in task.heads}
    items = [Item(text, places) for text, places in zip(texts, engine.places(texts), strict=True)]
    calibration = task.fit(outputs, golds, items)
    card = Card(
        **card_fields(task, calibration),
        form="linear",
        method="tune.linear",
        language=inputs.language,
        masking=mask.VERSION,
        parameters=engine.parameters + sum(weights.size for weights in fit.following.values()),
        data=rows_fingerprint(inputs),
        lineage=({"method": "tune.linear", "options": setting.options, "parent": ""},),
        metrics=validation_metrics(task, outputs, calibration, golds, items),
        notes={
            "c": fit.chosen.c,
            "cross_validation": [{"c": c, metric_names(task)[0]: score} for c, score in fit.chosen.tried],
            "rows_to_choose": fit.chosen.rows,
            "terms": len(engine.features),
            "segmenter": "",
        },
    )
    return write_artifact(run.out, card, engine.write)


def fit_tokens(inputs: Inputs, task: Task, setting: TokenSetting, run: Run) -> TokensFit:
    """The model of the token heads on `inputs.train`, and the strength that was chosen."""
    run.progress.start("tune.linear: features", 2 * len(inputs.train))

    def seen() -> None:
        if run.stop():
            raise RunInterruptedError("stopped", fix="run the same command again to continue")
        run.progress.advance()

    features = fit_surroundings(inputs.train.texts, setting.min_df, setting.most, seen)
    chains = task.chains if setting.chain and isinstance(task, ChainedTask) else ()
    units = _units(inputs, task, features, seen, chains if set(chains) == set(task.heads) else ())
    groups = np.unique(np.asarray(inputs.train.units), return_inverse=True)[1] if inputs.train.groups else None
    chosen = _choose(units, task, setting.candidates, groups, run)
    run.progress.start(f"tune.linear: C = {chosen.c:g}, all rows", _steps(units, task))
    coef, bias, following = _fitted(units, np.ones(len(units.sizes), dtype=bool), chosen.c, run)
    engine = TokenLinearEngine(features, coef.astype(np.float16), bias.astype(np.float32), task.heads)
    return TokensFit(engine, following, chosen)


def _units(inputs: Inputs, task: Task, features: Surroundings, seen: Any, chains: Sequence[str]) -> _Tagged:
    from scipy.sparse import csr_matrix

    golds = inputs.train.labels or ()
    items = [Item(text, places_of(text)) for text in inputs.train.texts]
    encoded = []
    for item in items:
        encoded.append(features.encode(item.text))
        seen()
    table = np.concatenate(encoded)
    known = table >= 0
    ends = np.concatenate(([0], np.cumsum(known.sum(axis=1))))
    data = np.full(int(ends[-1]), WEIGHT)
    matrix = csr_matrix((data, table[known], ends), shape=(len(table), len(features)))
    sizes = [len(one) for one in encoded]
    targets = task.encode(golds, items)
    tags = {name: (task.heads[name].size, np.concatenate(targets[name])) for name in chains}
    columns = [] if tags else [one for name, head in task.heads.items() for one in _columns(head, targets[name], sizes)]
    return _Tagged(matrix, columns, tags, sizes, golds, items)


def _steps(units: _Tagged, task: Task) -> int:
    """How many steps of progress one fit has: those of the optimiser, or one a column."""
    return PASSES * len(units.tags) or sum(head.size for head in task.heads.values())


def _fitted(units: _Tagged, kept: Any, c: float, run: Run) -> tuple[Floats, Floats, dict[str, Floats]]:
    """coef (features, sum of sizes), bias, and what follows what by head, fitted on some of the texts (n,)."""
    rows = np.repeat(kept, units.sizes)
    if not units.tags:
        return *fit_columns(units.matrix[rows], [(no, mine[rows]) for no, mine in units.columns], c, run), {}
    # Features count 1 here, as tags that follow do: else L-BFGS needs several times as many steps.
    matrix, found = units.matrix[rows] / WEIGHT, dict[str, ChainWeights]()
    sizes = np.asarray(units.sizes, dtype=np.int64)[kept].tolist()
    for name, (size, tags) in units.tags.items():
        found[name] = fit_chain(TagRows(matrix, tags[rows], sizes, size), c * WEIGHT**2, run)
    coef = np.concatenate([one.coef / WEIGHT for one in found.values()], axis=1)
    bias = np.concatenate([one.bias for one in found.values()])
    return coef, bias, {name: one.following for name, one in found.items()}


def _choose(units: _Tagged, task: Task, candidates: Candidates, groups: Ints | None, run: Run) -> Chosen:
    """C by cross-validation over whole texts."""
    if len(candidates.c) == 1:
        return Chosen(candidates.c[0])
    strata = np.unique(np.array(task.strata(units.golds)), return_inverse=True)[1]
    fewer = Candidates(candidates.c, candidates.folds, max(30, candidates.rows // UNITS_A_ROW))
    fold = stratified_folds(strata, np.arange(len(strata)) if groups is None else groups, fewer, run.seed)
    folds = [k for k in range(fewer.folds) if (fold == k).any() and ((fold >= 0) & (fold != k)).any()]
    run.progress.start(f"tune.linear: C of {len(fewer.c)}", len(fewer.c) * len(folds) * _steps(units, task))
    metric, tried = metric_names(task)[0], []
    for c in sorted(fewer.c):
        sums = [_counts(units, task, _fitted(units, (fold >= 0) & (fold != k), c, run), fold == k) for k in folds]
        score = round(float(task.metrics(np.sum(sums, axis=0))[metric]), 6)
        run.progress.say(f"C = {c:g}: {metric.replace('_', ' ')} {score:.4f} out of fold")
        tried.append((c, score))
    best = max(score for _, score in tried)
    return Chosen(next(c for c, score in tried if score >= best - TIE), tuple(tried), int(np.isin(fold, folds).sum()))


def _counts(units: _Tagged, task: Task, fitted: tuple[Floats, Floats, dict[str, Floats]], judged: Any) -> Floats:
    """The task's counts of these texts (n,) by a fitted model."""
    coef, bias, following = fitted
    if following and isinstance(task, ChainedTask):
        task = task.chained(following)
    scores = units.matrix[np.repeat(judged, units.sizes)] @ coef + bias
    rows = np.flatnonzero(judged).tolist()
    texts = np.split(scores, np.cumsum([units.sizes[row] for row in rows])[:-1])
    outputs = {name: [one[:, part] for one in texts] for name, part in parts_of(task.heads).items()}
    items, golds = [units.items[row] for row in rows], [units.golds[row] for row in rows]
    sums: Floats = task.counts(task.decode(outputs, task.plain(), items), golds).sum(axis=0)
    return sums


def _columns(head: Head, targets: Any, sizes: Sequence[int]) -> list[tuple[bool, Any]]:
    """Of each output of a head that it is no number, and whether each unit has it; NaN for a unit without a target.

    Of a span whether it begins at a unit, and whether it ends there.
    """
    if head.kind == "token":
        tags = np.concatenate(targets)
        return [(False, side_of(tags, tags == tag)) for tag in range(head.size)]
    first = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    found = []
    for places in np.asarray(targets).T:
        column = np.zeros(sum(sizes), dtype=bool)
        column[first + places] = True
        found.append((False, column))
    return found
