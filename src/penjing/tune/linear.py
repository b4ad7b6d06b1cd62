"""TF-IDF with logistic regression: the baseline that everything is measured against, and a model of its own.

    z_k = w_k x + b_k,   minimise over w, b:  (|w_k|^2 + b_k^2) / 2 + C * sum_i log(1 + exp(-y_ik z_ik)),
    y_ik = +1 where row i has label k, else -1;   p = softmax(z / T), T fitted on validation

Source: Fan, Chang, Hsieh, Wang, Lin, LIBLINEAR: A Library for Large Linear Classification, 2008 (dual coordinate
descent, one label against the rest); Wang and Manning, Baselines and Bigrams, 2012 (how strong such a model is).
When: labels that depend on words; up to some hundred rows a label; a decision in under a millisecond; no encoder there.
When not: labels that depend on the order of words, on negation over a distance, or on words never seen in training.

Against multinomial L-BFGS it is as good within 0.1 points of macro-F1, up to ten times as fast with many labels, and
needs no choice of its stopping: at scikit-learn's usual tolerances L-BFGS stopped at 85.7 instead of 92.4 on one set.
C is chosen by macro-F1 over out-of-fold guesses on the train rows, stratified and by group, on at most
`rows_to_choose` of them; scores within one thousandth of the best go to the smaller C.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from penjing.core.artifact import write_artifact
from penjing.core.canon import canonical_json, digest, digest_lines
from penjing.core.errors import DataError, RunInterruptedError
from penjing.core.nouns import Artifact, Card, Inputs, Run, Table
from penjing.core.options import Options as _Options
from penjing.data import mask
from penjing.engines.linear import LinearEngine
from penjing.tasks import open_task
from penjing.tasks.calibrate import fit_temperature
from penjing.tasks.metrics import accuracy, encode_labels, macro_f1
from penjing.text.tfidf import Features, Row, fit_features

Strength = Annotated[float, Field(ge=1e-4, le=1e6)]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
# So that the coefficients (float16) stay under 24 MB and a release under 30.
_COEFFICIENT_BYTES = 24_000_000
# LIBLINEAR's own default; at 0.01 no score of five public sets changed by more than 0.001.
_TOLERANCE = 0.1
# For a label without a train row (it is in validation only): a probability of 5e-5.
_NEVER = -10.0
_TIE = 0.001


class Options(_Options):
    """What `tune.linear` may be told."""

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
    words: int = Field(2, ge=0, le=3, description="longest n-gram of words; 0 for none")
    characters: int = Field(4, ge=1, le=6, description="longest n-gram of characters")
    min_df: int = Field(2, ge=1, le=1000, description="fewest train texts in which a term must be")
    max_features: int = Field(
        200_000, ge=100, le=2_000_000, description="most terms kept, by document frequency; fewer with many labels"
    )


@dataclass(frozen=True)
class _Rows:
    """Encoded texts: a matrix (n, terms) in compressed rows, their labels, and the group of each row."""

    matrix: Any
    truth: Ints
    groups: Ints


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Fit on `inputs.train`, the temperature on `inputs.validation`. A parent is not used.

    Raises DataError for tables without labels or with one label only, RunInterruptedError when stopped.
    """
    train_labels, validation_labels = _labels(inputs.train, "train"), _labels(inputs.validation, "validation")
    labels = tuple(sorted({*train_labels, *validation_labels}))
    if len(set(train_labels)) < 2:
        raise DataError("the train rows have one label only", fix="give rows of at least two labels")
    data = digest([_fingerprint(inputs.train, train_labels), _fingerprint(inputs.validation, validation_labels)])
    truth = encode_labels(train_labels, labels)
    features, matrix = _encode(inputs.train, options, run, len(labels))
    rows = _Rows(matrix, truth, _groups(inputs.train))
    chosen, tried, rows_used = _choose(rows, options, run, len(labels), data)
    run.progress.start(f"tune.linear: C = {chosen:g}, all rows", _columns(len(labels)))
    coef, bias = _fit(rows.matrix, truth, len(labels), chosen, run)
    heads = open_task("classify", {"labels": labels}).heads
    engine = LinearEngine(features, coef.astype(np.float16), bias.astype(np.float32), heads)
    (logits,) = engine.run(engine.encode(inputs.validation.texts)).values()
    target, guess = encode_labels(validation_labels, labels), logits.argmax(axis=1)
    card = Card(
        form="linear",
        method="tune.linear",
        labels=labels,
        language=inputs.language,
        temperature=fit_temperature(logits, target),
        masking=mask.VERSION,
        parameters=int(coef.size + bias.size),
        data=data,
        lineage=({"method": "tune.linear", "options": options.model_dump(mode="json"), "parent": ""},),
        metrics={
            "validation_macro_f1": round(macro_f1(target, guess, len(labels)), 6),
            "validation_accuracy": round(accuracy(target, guess), 6),
        },
        notes={
            "c": chosen,
            "cross_validation": [{"c": c, "macro_f1": score} for c, score in tried],
            "rows_to_choose": rows_used,
            "terms": len(features),
            "segmenter": features.segmenter,
        },
    )
    return write_artifact(run.out, card, engine.write)


def _encode(train: Table, options: Options, run: Run, labels: int) -> tuple[Features, Any]:
    from scipy.sparse import csr_matrix

    most = min(options.max_features, _COEFFICIENT_BYTES // (2 * _columns(labels)))
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


def _choose(
    rows: _Rows, options: Options, run: Run, labels: int, data: str
) -> tuple[float, list[tuple[float, float]], int]:
    """The chosen C, (C, out-of-fold macro-F1) of each that was tried, and the number of rows used for it."""
    if len(options.c) == 1:
        return options.c[0], [], 0
    fold = _folds(rows.truth, rows.groups, options, run.seed)
    used = np.flatnonzero(fold >= 0)
    matrix, truth, fold = rows.matrix[used], rows.truth[used], fold[used]
    folds = [k for k in range(options.folds) if (fold == k).any() and len(np.unique(truth[fold != k])) > 1]
    if not folds:
        run.progress.say("too few rows for cross-validation: the middle value of C is taken")
        return sorted(options.c)[len(options.c) // 2], [], 0
    if len(used) < len(rows.truth):
        run.progress.say(f"C is chosen on a stratified {len(used)} of {len(rows.truth)} train rows")
    key = digest([data, options.model_dump(mode="json"), run.seed])
    run.progress.start(f"tune.linear: C of {len(options.c)}", len(options.c) * len(folds) * _columns(labels))
    run.scratch.mkdir(parents=True, exist_ok=True)
    tried: list[tuple[float, float]] = []
    for c in sorted(options.c):
        path = run.scratch / f"c-{c:g}.json"
        score = _stored(path, key)
        if score is None:
            guess, judged = truth.copy(), np.isin(fold, folds)
            for k in folds:
                guess[fold == k] = _guess(matrix[fold == k], *_fit(matrix[fold != k], truth[fold != k], labels, c, run))
            score = round(macro_f1(truth[judged], guess[judged], labels), 6)
            path.write_bytes(canonical_json({"key": key, "macro_f1": score}))
        else:
            run.progress.advance(len(folds) * _columns(labels))
        run.progress.say(f"C = {c:g}: macro-F1 {score:.4f} out of fold")
        tried.append((c, score))
    best = max(score for _, score in tried)
    return next(c for c, score in tried if score >= best - _TIE), tried, len(used)


def _folds(truth: Ints, groups: Ints, options: Options, seed: int) -> Ints:
    """The fold of each row, or -1 for a row left out of the choice; a group is whole, labels are spread evenly."""
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


def _fit(matrix: Any, truth: Ints, labels: int, c: float, run: Run) -> tuple[Floats, Floats]:
    """(coef (terms, columns), bias (columns,)): one label against the rest; one column for two labels."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    columns = _columns(labels)
    coef, bias = np.zeros((matrix.shape[1], columns)), np.zeros(columns)
    for column in range(columns):
        _check_stop(run)
        mine = truth == (1 if columns == 1 else column)
        if mine.any() and not mine.all():
            model = LogisticRegression(
                C=c, solver="liblinear", dual=True, tol=_TOLERANCE, max_iter=1000, random_state=run.seed
            )
            with warnings.catch_warnings():
                # A thousand passes are enough for any C that wins; the score on the held-out fold judges the rest.
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.fit(matrix, mine)
            coef[:, column], bias[column] = model.coef_[0], model.intercept_[0]
        else:
            bias[column] = -_NEVER if mine.any() else _NEVER
        run.progress.advance()
    return coef, bias


def _guess(matrix: Any, coef: Floats, bias: Floats) -> Ints:
    scores: Floats = matrix @ coef + bias
    guess: Ints = (scores[:, 0] > 0).astype(np.int64) if scores.shape[1] == 1 else scores.argmax(axis=1)
    return guess


def _columns(labels: int) -> int:
    return 1 if labels == 2 else labels


def _stored(path: Path, key: str) -> float | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return float(found["macro_f1"]) if found["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _groups(table: Table) -> Ints:
    if table.groups is None:
        return np.arange(len(table))
    result: Ints = np.unique(np.asarray(table.units), return_inverse=True)[1]
    return result


def _check_stop(run: Run) -> None:
    if run.stop():
        raise RunInterruptedError("stopped", fix="the same command goes on where it was")


def _labels(table: Table, name: str) -> Sequence[str]:
    if not len(table) or table.labels is None:
        raise DataError(f"the {name} part has no labelled rows", fix="give more rows: each part needs some")
    return table.labels


def _fingerprint(table: Table, labels: Sequence[str]) -> str:
    return digest_lines(part for pair in zip(table.texts, labels, strict=True) for part in pair)
