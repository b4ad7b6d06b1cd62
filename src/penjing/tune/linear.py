"""TF-IDF with a linear map: the baseline for all comparisons, and a model of its own.

    z_k = w_k x + b_k,   minimise over w, b:  (|w_k|^2 + b_k^2) / 2 + C * sum_i log(1 + exp(-y_ik z_ik)),
    y_ik = +1 where row i has label k (cross entropy) or is above grade k (ordinal), else -1;
    of a number y_i (mean squared error):  16 |w|^2 / C + sum_i (y_i - z_i)^2
    x: TF-IDF of words and characters, and beside it the numbers of declared fields where the recipe names `features`

Source: Fan, Chang, Hsieh, Wang, Lin, LIBLINEAR: A Library for Large Linear Classification, 2008 (dual coordinate
descent, one label against the rest); Frank and Hall, A Simple Approach to Ordinal Classification, 2001 (a column a
grade); Hoerl and Kennard, Ridge Regression, 1970; Wang and Manning, Baselines and Bigrams, 2012 (how strong it is).
When: labels that depend on words; up to some hundred rows a label; a decision in under a millisecond; no encoder there.
When not: labels that depend on the order of words, on negation over a distance, or on words never seen in training.

Against multinomial L-BFGS it is as good within 0.1 points of macro-F1, up to ten times as fast with many labels, and
needs no choice of its stopping: at scikit-learn's usual tolerances L-BFGS stopped at 85.7 instead of 92.4 on one set.
C is chosen by the task's first metric (macro-F1 for labels) over out-of-fold outputs on the train rows, stratified and
by group, on at most `rows_to_choose` of them; scores within one thousandth of the best go to the smaller C. That metric
may be coarse for numbers (the share within a limit), but promises refer to it.
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

from penjing.core.artifact import write_artifact
from penjing.core.canon import canonical_json, digest
from penjing.core.errors import RunInterruptedError, UsageError
from penjing.core.nouns import Artifact, Card, Inputs, Run, Table
from penjing.core.options import Options as _Options
from penjing.core.task import HeadKind, Item, Task
from penjing.data import mask
from penjing.data.features import features_for, rows_fingerprint
from penjing.engines.linear import LinearEngine, columns_of, outputs_of
from penjing.tasks import card_fields, task_for
from penjing.tasks.measure import measure_outputs, metric_names, validation_metrics
from penjing.text.tfidf import Features, Row, Terms, fit_features

Strength = Annotated[float, Field(ge=1e-4, le=1e6)]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
# So that the coefficients (float16) stay under 24 MB and a release under 30.
_COEFFICIENT_BYTES = 24_000_000
# LIBLINEAR's own default; at 0.01 no score of five public sets changed by more than 0.001.
_TOLERANCE = 0.1
# Ridge regression of TF-IDF rows of length 1 is best with a penalty near 1 to 16, where the logistic one has C near 1.
_RIDGE = 16.0
# For a label without a train row (it is in validation only): a probability of 5e-5.
_NEVER = -10.0
_TIE = 0.001
HEADS: tuple[HeadKind, ...] = ("pooled",)
FEATURES = True


class Options(_Options):
    """The options of `tune.linear`."""

    c: tuple[Strength, ...] = Field(
        (1.0, 4.0, 16.0, 64.0),
        min_length=1,
        max_length=12,
        description="values of C (larger: weaker regularisation) among which cross-validation chooses",
    )
    folds: int = Field(3, ge=2, le=10, description="folds of the cross-validation")
    rows_to_choose: int = Field(
        4000, ge=100, le=1_000_000, description="most train rows in the cross-validation; the final fit takes all"
    )
    text: bool = Field(True, description="whether the words of the text count; false: declared features alone")
    words: int = Field(2, ge=0, le=3, description="longest n-gram of words; 0 for none")
    characters: int = Field(4, ge=1, le=6, description="longest n-gram of characters")
    min_df: int = Field(2, ge=1, le=1000, description="fewest train texts in which a term must be")
    max_features: int = Field(
        200_000, ge=100, le=2_000_000, description="most terms kept, by document frequency; fewer with many labels"
    )


@dataclass(frozen=True)
class _Rows:
    """Encoded texts: a matrix (n, terms) in compressed rows, their gold, the stratum and the group of each row."""

    matrix: Any
    golds: Sequence[str]
    strata: Ints
    groups: Ints


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Fit on `inputs.train`, the calibration on `inputs.validation`. A parent is not used.

    Raises DataError for tables without gold or with one label only, UsageError for a model that would read nothing,
    RunInterruptedError when stopped.
    """
    task, fields = task_for(inputs), features_for(inputs)
    if not options.text and fields is None:
        raise UsageError("without the text and without declared features there is nothing to learn from")
    train_golds, golds = inputs.train.labels or (), inputs.validation.labels or ()
    # The train rows alone must also have at least two labels.
    task.learn(train_golds)
    data = rows_fingerprint(inputs)
    columns = columns_of(task.heads)
    features, matrix = _encode(inputs.train, options, run, columns)
    if fields is not None:
        matrix = _beside(matrix, fields.of_table(inputs.train))
    strata = np.unique(np.array(task.strata(train_golds)), return_inverse=True)[1]
    rows = _Rows(matrix, train_golds, strata, _groups(inputs.train, options.text))
    metric = metric_names(task)[0]
    chosen, tried, rows_used = _choose(rows, task, options, run, data)
    run.progress.start(f"tune.linear: C = {chosen:g}, all rows", columns)
    coef, bias = _fit(rows.matrix, _columns(task, train_golds), chosen, run)
    terms = len(features)
    of_fields = None if fields is None else coef[terms:].astype(np.float32)
    engine = LinearEngine(features, coef[:terms].astype(np.float16), bias.astype(np.float32), task.heads, of_fields)
    given = None if fields is None else fields.of_table(inputs.validation)
    outputs = engine.run(engine.encode(inputs.validation.texts), given)
    items = [Item(text) for text in inputs.validation.texts]
    calibration = task.fit(outputs, golds, items)
    card = Card(
        **card_fields(task, calibration),
        form="linear",
        method="tune.linear",
        language=inputs.language,
        masking=mask.VERSION,
        parameters=int(coef.size + bias.size),
        data=data,
        lineage=({"method": "tune.linear", "options": options.model_dump(mode="json"), "parent": ""},),
        metrics=validation_metrics(task, outputs, calibration, golds, items),
        features={} if fields is None else fields.to_json(),
        notes={
            "c": chosen,
            "cross_validation": [{"c": c, metric: score} for c, score in tried],
            "rows_to_choose": rows_used,
            "terms": len(features),
            "segmenter": features.segmenter,
        },
    )
    return write_artifact(run.out, card, engine.write)


def _encode(train: Table, options: Options, run: Run, columns: int) -> tuple[Features, Any]:
    from scipy.sparse import csr_matrix

    if not options.text:
        return Features(Terms(0, 0), (), np.zeros(0, dtype=np.float32)), csr_matrix((len(train), 0))
    most = min(options.max_features, _COEFFICIENT_BYTES // (2 * columns))
    run.progress.start("tune.linear: features", 2 * len(train))

    def seen() -> None:
        _check_stop(run)
        run.progress.advance()

    features = fit_features(train.texts, options.words, options.characters, options.min_df, most, seen)
    encoded: list[Row] = []
    for text in train.texts:
        encoded.append(features.encode(text))
        seen()
    ends = np.cumsum([0, *(len(row) for row in encoded)])
    flat = np.concatenate(encoded)
    matrix = csr_matrix(
        (flat["weight"].astype(np.float64), flat["index"].astype(np.int32), ends.astype(np.int32)),
        shape=(len(train), len(features)),
    )
    return features, matrix


def _beside(matrix: Any, numbers: npt.NDArray[np.float32]) -> Any:
    """TF-IDF columns, and after them those of declared fields."""
    from scipy.sparse import csr_matrix, hstack

    return hstack([matrix, csr_matrix(numbers.astype(np.float64))], format="csr")


def _choose(
    rows: _Rows, task: Task, options: Options, run: Run, data: str
) -> tuple[float, list[tuple[float, float]], int]:
    """The chosen C, (C, out-of-fold score) of each that was tried, and the number of rows used for it."""
    if len(options.c) == 1:
        return options.c[0], [], 0
    fold = _folds(rows.strata, rows.groups, options, run.seed)
    used = np.flatnonzero(fold >= 0)
    strata, fold = rows.strata[used], fold[used]
    folds = [k for k in range(options.folds) if (fold == k).any() and len(np.unique(strata[fold != k])) > 1]
    if not folds:
        run.progress.say("too few rows for cross-validation: the middle value of C is taken")
        return sorted(options.c)[len(options.c) // 2], [], 0
    if len(used) < len(rows.golds):
        run.progress.say(f"C is chosen on a stratified {len(used)} of {len(rows.golds)} train rows")
    part = _Rows(rows.matrix[used], [rows.golds[place] for place in used.tolist()], strata, rows.groups[used])
    key = digest([data, task.name, task.state, options.model_dump(mode="json"), run.seed])
    metric, steps = metric_names(task)[0], len(folds) * columns_of(task.heads)
    run.progress.start(f"tune.linear: C of {len(options.c)}", len(options.c) * steps)
    run.scratch.mkdir(parents=True, exist_ok=True)
    tried: list[tuple[float, float]] = []
    for c in sorted(options.c):
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
    return next(c for c, score in tried if score >= best - _TIE), tried, len(used)


def _out_of_fold(rows: _Rows, task: Task, fold: Ints, folds: Sequence[int], c: float, run: Run) -> float:
    """The task's first metric over rows of these folds, each by a model that was fitted without its fold."""
    columns = _columns(task, rows.golds)
    table = np.zeros((len(rows.golds), len(columns)))
    for k in folds:
        rest = [(numeric, target[fold != k]) for numeric, target in columns]
        coef, bias = _fit(rows.matrix[fold != k], rest, c, run)
        table[fold == k] = rows.matrix[fold == k] @ coef + bias
    judged = np.flatnonzero(np.isin(fold, folds))
    outputs = outputs_of(table[judged], task.heads)
    golds = [rows.golds[place] for place in judged.tolist()]
    items = [Item("")] * len(golds)
    found = measure_outputs(task, outputs, task.plain(), golds, items)
    return round(found[metric_names(task)[0]], 6)


def _folds(truth: Ints, groups: Ints, options: Options, seed: int) -> Ints:
    """The fold of each row, or -1 for a row left out of the choice; a group is whole, strata are spread evenly."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(truth))
    _, first = np.unique(groups[order], return_index=True)
    heads = order[np.sort(first)]
    heads = heads[np.argsort(truth[heads], kind="stable")]
    # Neighbours in this order share a label; a step over it is stratified.
    most = min(len(heads), max(options.folds, options.rows_to_choose * len(heads) // len(truth)))
    heads = heads[np.linspace(0, len(heads) - 1, most).astype(np.int64)]
    fold_of = np.full(int(groups.max()) + 1, -1, dtype=np.int64)
    fold_of[groups[heads]] = np.arange(len(heads)) % options.folds
    result: Ints = fold_of[groups]
    return result


def _columns(task: Task, golds: Sequence[str]) -> list[tuple[bool, Any]]:
    """Of each column whether it is a number, and its targets (n,): numbers, or whether a row is on the one side."""
    targets, found = task.encode(golds, [Item("")] * len(golds)), []
    for name, head in task.heads.items():
        truth = np.asarray(targets[name])
        if head.loss == "cross_entropy":
            found += [(False, truth == place) for place in ([1] if head.size == 2 else range(head.size))]
        elif head.loss == "ordinal":
            found += [(False, truth > place) for place in range(head.size)]
        elif head.loss == "mean_squared_error":
            found += [(True, column) for column in truth.reshape(len(golds), head.size).T]
        elif head.loss == "binary_cross_entropy":
            found += [(False, column > 0.5) for column in truth.reshape(len(golds), head.size).T]
        else:
            assert_never(head.loss)
    return found


def _fit(matrix: Any, columns: Sequence[tuple[bool, Any]], c: float, run: Run) -> tuple[Floats, Floats]:
    """(coef (terms, columns), bias (columns,)), each column fitted by itself."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression, Ridge

    coef, bias = np.zeros((matrix.shape[1], len(columns))), np.zeros(len(columns))
    for column, (numeric, mine) in enumerate(columns):
        _check_stop(run)
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


def _check_stop(run: Run) -> None:
    if run.stop():
        raise RunInterruptedError("stopped", fix="run the same command again to continue")
