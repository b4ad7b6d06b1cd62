"""The entries of a catalogue as a linear map: TF-IDF cosine with the texts of the entries, moved by the train rows.

    w_e = s (t_e + b * sum over train rows i of entry e of x_i) / norm,   b_e = 0;   z_e = w_e x is s times a cosine

t_e and x are TF-IDF vectors of norm 1 of the entry and of a text, s is 20. b is chosen among 0, 0.1, 0.3, 1 and 3 by
the task's first metric over out-of-fold outputs of train rows; b = 0 is plain TF-IDF cosine, which is what entries
without train rows have.

Source: Salton and Buckley, Term-weighting Approaches in Automatic Text Retrieval, 1988 (the cosine); Rocchio, Relevance
Feedback in Information Retrieval, 1971 (rows that are known to be right added to the text).
When: texts and entries have words in common; a baseline for an encoder. When not: entries are asked in other words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from penjing.core.errors import UsageError
from penjing.core.nouns import Run, Table
from penjing.core.stop import check_stop
from penjing.core.task import CatalogueTask, Head, Task
from penjing.engines.linear_sparse import SCALE, SparseLinearEngine
from penjing.tasks.measure import measure_outputs, metric_names
from penjing.text.tfidf import Features, Row, fit_features
from penjing.train.linear import TIE, Chosen

WEIGHTS = (0.0, 0.1, 0.3, 1.0, 3.0)
_FOLDS = 5
_ROWS = 4000
# Outputs of all rows that choose the weight, in float64: 400 MB at most. More entries leave fewer rows.
_CELLS = 50_000_000


@dataclass(frozen=True)
class CatalogueSetting:
    """What the features are made of: n-grams of words and characters, and the most terms."""

    words: int
    characters: int
    most: int


@dataclass(frozen=True)
class _EntryRows:
    """Train rows of entries: x (n, terms) and the position of the entry of each; the entries t (N, terms)."""

    matrix: Any
    entries: Any
    places: npt.NDArray[np.int64]


def fit_catalogue(train: Table, task: Task, setting: CatalogueSetting, run: Run) -> tuple[SparseLinearEngine, Chosen]:
    """The model of a catalogue, and the weight b as `Chosen.c`. Raises RunInterruptedError when stopped.

    Raises UsageError for declared features, DataError where no text has a term.
    """
    assert isinstance(task, CatalogueTask)
    ((name, head),) = task.heads.items()
    run.progress.start("tune.linear: features", len(train) + head.size)
    texts = [*task.entry_texts, *train.texts]
    features = fit_features(texts, setting.words, setting.characters, 1, setting.most, _counted(run))
    every = _matrix(features, texts)
    golds = train.labels or ()
    places = np.asarray(task.encode(golds, ())[name])
    known = np.flatnonzero(places >= 0)
    rows = _EntryRows(every[head.size :][known], every[: head.size], places[known])
    chosen = _choose(rows, task, [golds[place] for place in known.tolist()], run)
    weights = _weights(rows, np.arange(len(known)), chosen.c).tocsr()
    weights.sort_indices()
    return engine_of(features, weights, task.heads), chosen


def engine_of(features: Features, weights: Any, heads: Mapping[str, Head]) -> SparseLinearEngine:
    """The engine of weights (entries, terms) in compressed rows."""
    parts = weights.data.astype(np.float16), weights.indices.astype(np.int32), weights.indptr.astype(np.int64)
    return SparseLinearEngine.from_entries(features, *parts, heads)


def refuse_fields(fields: object) -> None:
    """Raise UsageError for declared features, which say nothing about an entry without rows."""
    if fields is not None:
        what = "`tune.linear` reads no declared features where the answers are entries of a catalogue"
        raise UsageError(what, fix="take `features:` out")


def _choose(rows: _EntryRows, task: Task, golds: Sequence[str], run: Run) -> Chosen:
    """The weight b of the best out-of-fold score; the smaller one of those that are as good."""
    count = len(golds)
    if count < _FOLDS:
        return Chosen(0.0)
    order = np.random.default_rng(run.seed).permutation(count)[
        : min(_ROWS, max(_FOLDS, _CELLS // rows.entries.shape[0]))
    ]
    metric, ((name, _),) = metric_names(task)[0], task.heads.items()
    tried = []
    for weight in WEIGHTS:
        outputs, said = [], list[str]()
        for fold in range(_FOLDS):
            held = order[fold::_FOLDS]
            rest = np.setdiff1d(np.arange(count), held)
            outputs.append((rows.matrix[held] @ _weights(rows, rest, weight).T).toarray())
            said += [golds[place] for place in held.tolist()]
            check_stop(run.stop)
        found = measure_outputs(task, {name: np.concatenate(outputs)}, task.plain(), said, ())
        tried.append((weight, float(found[metric])))
        run.progress.say(f"train rows of weight {weight:g}: {metric.replace('_', ' ')} {tried[-1][1]:.4f} out of fold")
    best = max(score for _, score in tried)
    return Chosen(next(c for c, score in tried if score >= best - TIE), tuple(tried), len(order))


def _weights(rows: _EntryRows, used: npt.NDArray[np.int64], weight: float) -> Any:
    """w of each entry, (N, terms) sparse, with these of the train rows."""
    from scipy.sparse import csr_matrix, diags

    count = rows.entries.shape[0]
    ones = np.ones(len(used))
    of_entry = csr_matrix((ones, (rows.places[used], used)), shape=(count, rows.matrix.shape[0]))
    both = rows.entries + weight * (of_entry @ rows.matrix)
    norm = np.sqrt(np.asarray(both.multiply(both).sum(axis=1)).ravel())
    return diags(SCALE / np.maximum(norm, 1e-9)) @ both


def _matrix(features: Features, texts: Sequence[str]) -> Any:
    from scipy.sparse import csr_matrix

    encoded: list[Row] = [features.encode(text) for text in texts]
    ends = np.cumsum([0, *(len(row) for row in encoded)])
    flat = np.concatenate(encoded)
    parts = flat["weight"].astype(np.float64), flat["index"].astype(np.int32), ends.astype(np.int32)
    return csr_matrix(parts, shape=(len(texts), len(features)))


def _counted(run: Run) -> Any:
    def seen() -> None:
        check_stop(run.stop)
        run.progress.advance()

    return seen
