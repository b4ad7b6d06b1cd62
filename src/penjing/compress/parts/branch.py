"""A linear model of hashed n-grams in the form of the static engine: one convex fit, no training loop.

    z = W x + b, fitted as in `train/linear.py`;   x_g = s_g c_g / sqrt(n);   s_g = (ln((1 + N) / (1 + d_g)) + 1) / r
    E[g] = s_g W[g], so that z = sum_g E[g] / sqrt(n) + b, over the n n-grams of a text

c_g counts the n-gram g in the text, d_g the train texts that have it, N the train texts; s_g is 0 where d_g is 1, and
r makes the mean of |x|^2 over the train texts 1. Only n-grams with a weight have a row in the table.
Source: Salton and Buckley, Term-weighting Approaches in Automatic Text Retrieval, 1988 (s); Weinberger et al., Feature
Hashing for Large Scale Multitask Learning, 2009; Wang and Manning, Baselines and Bigrams, 2012. It is TF-IDF with
logistic regression, in the arithmetic of an engine that needs neither a vocabulary nor a word segmenter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from penjing.core.nouns import Run, Table
from penjing.core.stop import check_stop
from penjing.core.task import Task
from penjing.engines.linear import columns_of, outputs_of
from penjing.engines.static import StaticEngine
from penjing.tasks import side_by_side
from penjing.text.ngrams import Grams
from penjing.train.linear import Candidates, SparseRows, choose_strength, fit_rows

Floats = npt.NDArray[np.float64]
# Smaller than the smallest encoder. The table of a few thousand short texts is far smaller.
_TABLE_BYTES = 6_000_000


def fit_branch(
    train: Table, task: Task, grams: Grams, strengths: tuple[float, ...], run: Run, key: str
) -> StaticEngine:
    """The engine fitted to the train rows. strengths: values of C to choose among; key: of what the fit depends on."""
    counts = _counts(train.texts, grams, run)
    scale = _scale(counts, _TABLE_BYTES // (2 * columns_of(task.heads)))
    rows = SparseRows.of(counts.multiply(scale).tocsr(), task, train)
    title = f"compress.ngrams: C of {len(strengths)}"
    chosen = choose_strength(rows, task, Candidates(strengths), run, title=title, key=key)
    coef, bias = fit_rows(rows, task, chosen.c, run)
    buckets = np.flatnonzero(scale)
    table = (coef[buckets] * scale[buckets, None]).astype(np.float16)
    # Two labels have one column: its outputs are -z/2 and z/2.
    head, shift = (side_by_side(task, outputs_of(part, task.heads)) for part in (np.eye(len(bias)), bias[None, :]))
    return StaticEngine(grams, table, head, shift[0], task.heads, buckets.astype(np.int32))


def _counts(texts: Sequence[str], grams: Grams, run: Run) -> csr_matrix:
    """(texts, buckets): how often each n-gram is in a text, divided by the root of the number of its n-grams."""
    found = []
    for text in texts:
        check_stop(run.stop)
        found.append(grams.of(text))
    sizes = np.array([len(row) for row in found])
    values = np.repeat(1 / np.sqrt(np.maximum(sizes, 1)), sizes)
    matrix = csr_matrix((values, np.concatenate(found), np.cumsum([0, *sizes])), shape=(len(texts), 1 << grams.bits))
    matrix.sum_duplicates()
    return matrix


def _scale(counts: csr_matrix, most: int) -> Floats:
    """The weight of each bucket, (buckets,): rare n-grams weigh more; those of a single text have no weight.

    most: the largest number of buckets with a weight; those that the most texts have are kept.
    """
    texts, buckets = counts.shape
    frequency = np.bincount(counts.indices, minlength=buckets)
    kept = np.argsort(-frequency, kind="stable")[:most]
    kept = kept[frequency[kept] > min(1, max(0, frequency.max() - 1))]
    weights = np.zeros(buckets)
    weights[kept] = np.log((1 + texts) / (1 + frequency[kept])) + 1
    norms = counts.power(2) @ np.square(weights)
    scaled: Floats = weights / np.sqrt(norms.mean() or 1.0)
    return scaled
