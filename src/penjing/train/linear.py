"""Linear maps of sparse rows, one column a label or a number, and the strength C that cross-validation chooses.

    z_k = w_k x + b_k,   minimise over w, b:  (|w_k|^2 + b_k^2) / 2 + C * sum_i log(1 + exp(-y_ik z_ik)),
    y_ik = +1 where row i has label k (cross entropy) or is above grade k (ordinal), else -1;
    of a number y_i (mean squared error):  16 |w|^2 / C + sum_i (y_i - z_i)^2

Source: Fan, Chang, Hsieh, Wang, Lin, LIBLINEAR: A Library for Large Linear Classification, 2008 (dual coordinate
descent, one label against the rest); Frank and Hall, A Simple Approach to Ordinal Classification, 2001 (a column a
grade); Hoerl and Kennard, Ridge Regression, 1970. C is chosen by the task's first metric over out-of-fold outputs on
the train rows, stratified and by group; scores within one thousandth of the best go to the smaller C. Rows are expected
to have a norm near 1: the values of C that are tried are of that scale.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, assert_never

import numpy as np
import numpy.typing as npt
from pydantic import Field

from penjing.core.canon import canonical_json
from penjing.core.nouns import Run, Table
from penjing.core.stop import check_stop
from penjing.core.task import IGNORED, Item, Task
from penjing.engines.linear import columns_of, outputs_of
from penjing.tasks.measure import measure_outputs, metric_names

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Strength = Annotated[float, Field(ge=1e-4, le=1e6)]
STRENGTHS = (1.0, 4.0, 16.0, 64.0)
# LIBLINEAR's own default; at 0.01 no score of five public sets changed by more than 0.001.
_TOLERANCE = 0.1
# Ridge regression of TF-IDF rows of length 1 is best with a penalty near 1 to 16, where the logistic one has C near 1.
_RIDGE = 16.0
# For a label without a train row (it is in validation only): a probability of 5e-5.
_NEVER = -10.0
TIE = 0.001


@dataclass(frozen=True)
class SparseRows:
    """Encoded texts: a matrix (n, terms) in compressed rows, their gold, the stratum and the group of each row."""

    matrix: Any
    golds: Sequence[str]
    strata: Ints
    groups: Ints

    @classmethod
    def of(cls, matrix: Any, task: Task, table: Table, text: bool = True) -> SparseRows:
        """The rows of a table with gold; text: whether rows of one text stay together where they have no group."""
        golds = table.labels or ()
        strata = np.unique(np.array(task.strata(golds)), return_inverse=True)[1]
        return cls(matrix, golds, strata, _groups(table, text))


@dataclass(frozen=True)
class Candidates:
    """Values of C, the folds of the cross-validation among them, and the most rows in it."""

    c: tuple[float, ...] = STRENGTHS
    folds: int = 3
    rows: int = 4000


@dataclass(frozen=True)
class Chosen:
    """The chosen C, (C, out-of-fold score) of each that was tried, and the number of rows used for it."""

    c: float
    tried: tuple[tuple[float, float], ...] = ()
    rows: int = 0


def choose_strength(rows: SparseRows, task: Task, candidates: Candidates, run: Run, *, title: str, key: str) -> Chosen:
    """C by cross-validation on the train rows. Raises RunInterruptedError when stopped.

    title: of the progress; key: of what the scores depend on, which are kept in the scratch of the run.
    """
    if len(candidates.c) == 1:
        return Chosen(candidates.c[0])
    fold = stratified_folds(rows.strata, rows.groups, candidates, run.seed)
    used = np.flatnonzero(fold >= 0)
    strata, fold = rows.strata[used], fold[used]
    folds = [k for k in range(candidates.folds) if (fold == k).any() and len(np.unique(strata[fold != k])) > 1]
    if not folds:
        run.progress.say("too few rows for cross-validation: the middle value of C is taken")
        return Chosen(sorted(candidates.c)[len(candidates.c) // 2])
    if len(used) < len(rows.golds):
        run.progress.say(f"C is chosen on a stratified {len(used)} of {len(rows.golds)} train rows")
    part = SparseRows(rows.matrix[used], [rows.golds[place] for place in used.tolist()], strata, rows.groups[used])
    metric, steps = metric_names(task)[0], len(folds) * columns_of(task.heads)
    run.progress.start(title, len(candidates.c) * steps)
    run.scratch.mkdir(parents=True, exist_ok=True)
    tried: list[tuple[float, float]] = []
    for c in sorted(candidates.c):
        path = run.scratch / f"c-{c:g}.json"
        score = _stored(path, key)
        if score is None:
            score = _out_of_fold(part, task, fold, folds, c, run)
            path.write_bytes(canonical_json({"key": key, "score": score}))
        else:
            run.progress.advance(steps)
        run.progress.say(f"C = {c:g}: {metric.replace('_', ' ')} {score:.4f} out of fold")
        tried.append((c, score))
    best = max(score for _, score in tried)
    return Chosen(next(c for c, score in tried if score >= best - TIE), tuple(tried), len(used))


def fit_rows(rows: SparseRows, task: Task, c: float, run: Run) -> tuple[Floats, Floats]:
    """(coef (terms, columns), bias (columns,)), each column fitted by itself. Raises RunInterruptedError."""
    return fit_columns(rows.matrix, _columns(task, rows.golds), c, run)


def stratified_folds(truth: Ints, groups: Ints, candidates: Candidates, seed: int) -> Ints:
    """The fold of each row, or -1 for a row left out of the choice; a group is whole, strata are spread evenly."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(truth))
    _, first = np.unique(groups[order], return_index=True)
    heads = order[np.sort(first)]
    heads = heads[np.argsort(truth[heads], kind="stable")]
    # Neighbours in this order share a label; a step over it is stratified.
    most = min(len(heads), max(candidates.folds, candidates.rows * len(heads) // len(truth)))
    heads = heads[np.linspace(0, len(heads) - 1, most).astype(np.int64)]
    fold_of = np.full(int(groups.max()) + 1, -1, dtype=np.int64)
    fold_of[groups[heads]] = np.arange(len(heads)) % candidates.folds
    result: Ints = fold_of[groups]
    return result


def _out_of_fold(rows: SparseRows, task: Task, fold: Ints, folds: Sequence[int], c: float, run: Run) -> float:
    """The task's first metric over rows of these folds, each by a model that was fitted without its fold."""
    columns = _columns(task, rows.golds)
    table = np.zeros((len(rows.golds), len(columns)))
    for k in folds:
        rest = [(numeric, target[fold != k]) for numeric, target in columns]
        coef, bias = fit_columns(rows.matrix[fold != k], rest, c, run)
        table[fold == k] = rows.matrix[fold == k] @ coef + bias
    judged = np.flatnonzero(np.isin(fold, folds))
    outputs = outputs_of(table[judged], task.heads)
    golds = [rows.golds[place] for place in judged.tolist()]
    items = [Item("")] * len(golds)
    found = measure_outputs(task, outputs, task.plain(), golds, items)
    return round(found[metric_names(task)[0]], 6)


def _columns(task: Task, golds: Sequence[str]) -> list[tuple[bool, Any]]:
    """Of each column whether it is a number, and its targets (n,): numbers, or whether a row is on the one side.

    NaN for a row without a target.
    """
    targets, found = task.encode(golds, [Item("")] * len(golds)), []
    for name, head in task.heads.items():
        truth = np.asarray(targets[name])
        if head.loss == "cross_entropy":
            found += [
                (False, side_of(truth, truth == place)) for place in ([1] if head.size == 2 else range(head.size))
            ]
        elif head.loss == "ordinal":
            found += [(False, side_of(truth, truth > place)) for place in range(head.size)]
        elif head.loss == "mean_squared_error":
            found += [(True, column) for column in truth.reshape(len(golds), head.size).T]
        elif head.loss == "binary_cross_entropy":
            found += [(False, side_of(column, column > 0.5)) for column in truth.reshape(len(golds), head.size).T]
        else:
            assert_never(head.loss)
    return found


def side_of(truth: Any, side: Any) -> Any:
    """Whether each row is on the one side; as numbers, NaN for a row without a target, where there are such rows."""
    unknown = np.isnan(truth) if truth.dtype.kind == "f" else truth == IGNORED
    return np.where(unknown, np.nan, side.astype(np.float64)) if unknown.any() else side


def fit_columns(matrix: Any, columns: Sequence[tuple[bool, Any]], c: float, run: Run) -> tuple[Floats, Floats]:
    """(coef (terms, columns), bias (columns,)); of each column whether it is a number, and its targets (n,).

    Raises RunInterruptedError when stopped.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression, Ridge

    coef, bias = np.zeros((matrix.shape[1], len(columns))), np.zeros(len(columns))
    whole = matrix
    for column, (numeric, targets) in enumerate(columns):
        check_stop(run.stop)
        matrix, mine = whole, targets
        if targets.dtype.kind == "f" and (known := ~np.isnan(targets)).sum() < len(targets):
            matrix, mine = whole[known], targets[known]
        if not numeric:
            mine = mine.astype(bool)
        if numeric:
            ridge = Ridge(alpha=_RIDGE / c, solver="sparse_cg", tol=1e-6)
            ridge.fit(matrix, mine.astype(np.float64))
            coef[:, column], bias[column] = ridge.coef_, ridge.intercept_
        elif mine.any() and not mine.all():
            model = LogisticRegression(
                C=c, solver="liblinear", dual=True, tol=_TOLERANCE, max_iter=1000, random_state=run.seed
            )
            with warnings.catch_warnings():
                # A thousand passes are enough for any C that is chosen; a poor fit shows in the out-of-fold score.
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.fit(matrix, mine)
            coef[:, column], bias[column] = model.coef_[0], model.intercept_[0]
        else:
            bias[column] = -_NEVER if mine.any() else _NEVER
        run.progress.advance()
    return coef, bias


def _stored(path: Path, key: str) -> float | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return float(found["score"]) if found["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _groups(table: Table, text: bool) -> Ints:
    """The group of each row; without the text, a row of no group stands for itself, for many may have one text."""
    if table.groups is None:
        return np.arange(len(table))
    units = table.units if text else [group or f"\0{place}" for place, group in enumerate(table.groups)]
    result: Ints = np.unique(np.asarray(units), return_inverse=True)[1]
    return result
