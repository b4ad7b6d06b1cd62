"""`tune.linear` for answers about pieces of a text: one logistic regression a tag, over the units around each unit.

    z_t = W x_t + b of the features x_t of unit t (text/units), each tag against the rest as in `train/linear.py`;
    of an answer to a question one column says whether it begins at unit t, one whether it ends there

No weight joins the tags of neighbours: the task's own decoding takes the most probable sequence that is allowed. A
conditional random field learns such weights too. C is chosen by the task's first metric out of fold on the train rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from penjing.core.artifact import write_artifact
from penjing.core.errors import RunInterruptedError
from penjing.core.nouns import Artifact, Card, Inputs, Run
from penjing.core.task import Head, Item, Task
from penjing.data import mask
from penjing.data.features import rows_fingerprint
from penjing.engines.linear_tokens import WEIGHT, TokenLinearEngine, parts_of
from penjing.tasks import card_fields
from penjing.tasks.measure import measure_outputs, metric_names, validation_metrics
from penjing.text.units import Surroundings, fit_surroundings, places_of
from penjing.train.linear import TIE, Candidates, Chosen, fit_columns, side_of, stratified_folds

Ints = npt.NDArray[np.int64]
# A row has about as many units as this, each a row of the matrix.
UNITS_A_ROW = 10


@dataclass(frozen=True)
class TokenSetting:
    """How the model is fitted: the values of C with their cross-validation, and the bounds of the vocabulary."""

    candidates: Candidates
    min_df: int
    most: int
    options: dict[str, Any]


@dataclass(frozen=True)
class _Tagged:
    """The units of n texts: a sparse matrix (units, features), what is fitted, and the text of each unit.

    columns: whether each unit is one of a column, as `fit_columns` takes them.
    """

    matrix: Any
    columns: list[tuple[bool, Any]]
    owner: Ints
    golds: Sequence[str]
    items: Sequence[Item]


def apply_tokens(inputs: Inputs, task: Task, setting: TokenSetting, run: Run) -> Artifact:
    """Fit on `inputs.train`, the calibration on `inputs.validation`. Raises RunInterruptedError when stopped."""
    engine, chosen = fit_tokens(inputs, task, setting, run)
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
        parameters=engine.parameters,
        data=rows_fingerprint(inputs),
        lineage=({"method": "tune.linear", "options": setting.options, "parent": ""},),
        metrics=validation_metrics(task, outputs, calibration, golds, items),
        notes={
            "c": chosen.c,
            "cross_validation": [{"c": c, metric_names(task)[0]: score} for c, score in chosen.tried],
            "rows_to_choose": chosen.rows,
            "terms": len(engine.features),
            "segmenter": "",
        },
    )
    return write_artifact(run.out, card, engine.write)


def fit_tokens(inputs: Inputs, task: Task, setting: TokenSetting, run: Run) -> tuple[TokenLinearEngine, Chosen]:
    """The model of the token heads on `inputs.train`, and the strength that was chosen."""
    size = sum(head.size for head in task.heads.values())
    run.progress.start("tune.linear: features", 2 * len(inputs.train))

    def seen() -> None:
        if run.stop():
            raise RunInterruptedError("stopped", fix="run the same command again to continue")
        run.progress.advance()

    features = fit_surroundings(inputs.train.texts, setting.min_df, setting.most, seen)
    units = _units(inputs, task, features, seen)
    groups = np.unique(np.asarray(inputs.train.units), return_inverse=True)[1] if inputs.train.groups else None
    chosen = _choose(units, task, setting.candidates, groups, run)
    run.progress.start(f"tune.linear: C = {chosen.c:g}, all rows", size)
    coef, bias = fit_columns(units.matrix, units.columns, chosen.c, run)
    return TokenLinearEngine(features, coef.astype(np.float16), bias.astype(np.float32), task.heads), chosen


def _units(inputs: Inputs, task: Task, features: Surroundings, seen: Any) -> _Tagged:
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
    columns = [column for name, head in task.heads.items() for column in _columns(head, targets[name], sizes)]
    return _Tagged(matrix, columns, np.repeat(np.arange(len(items)), sizes), golds, items)


def _choose(units: _Tagged, task: Task, candidates: Candidates, groups: Ints | None, run: Run) -> Chosen:
    """C by cross-validation over whole texts."""
    if len(candidates.c) == 1:
        return Chosen(candidates.c[0])
    parts, size = parts_of(task.heads), sum(head.size for head in task.heads.values())
    strata = np.unique(np.array(task.strata(units.golds)), return_inverse=True)[1]
    fewer = Candidates(candidates.c, candidates.folds, max(30, candidates.rows // UNITS_A_ROW))
    fold = stratified_folds(strata, np.arange(len(strata)) if groups is None else groups, fewer, run.seed)
    folds = [k for k in range(fewer.folds) if (fold == k).any() and ((fold >= 0) & (fold != k)).any()]
    run.progress.start(f"tune.linear: C of {len(fewer.c)}", len(fewer.c) * len(folds) * size)
    of_unit = fold[units.owner]
    judged = np.flatnonzero(np.isin(fold, folds))
    golds, items = [units.golds[i] for i in judged.tolist()], [units.items[i] for i in judged.tolist()]
    metric, tried = metric_names(task)[0], []
    for c in sorted(fewer.c):
        scores = np.zeros((len(units.owner), size))
        for k in folds:
            rest = (of_unit >= 0) & (of_unit != k)
            coef, bias = fit_columns(units.matrix[rest], [(no, mine[rest]) for no, mine in units.columns], c, run)
            scores[of_unit == k] = units.matrix[of_unit == k] @ coef + bias
        texts = np.split(scores, np.cumsum([len(one.offsets) for one in units.items])[:-1])
        outputs = {name: [texts[i][:, part] for i in judged.tolist()] for name, part in parts.items()}
        score = round(measure_outputs(task, outputs, task.plain(), golds, items)[metric], 6)
        run.progress.say(f"C = {c:g}: {metric.replace('_', ' ')} {score:.4f} out of fold")
        tried.append((c, score))
    best = max(score for _, score in tried)
    return Chosen(next(c for c, score in tried if score >= best - TIE), tuple(tried), len(judged))


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
