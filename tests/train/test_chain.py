"""The field's likelihood against all sequences, its gradient against differences, and what a fit learns."""

from __future__ import annotations

from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from penjing.core.errors import RunInterruptedError
from penjing.core.nouns import Run
from penjing.tasks import tag_sums
from penjing.tasks.tag_chain import may_begin, may_follow
from penjing.train import chain
from penjing.train.chain import ChainWeights, TagRows, fit_chain, loss_of

SIZE = 5


def toy() -> TagRows:
    """Four texts, one of them empty."""
    random = np.random.default_rng(0)
    matrix = csr_matrix((random.random((9, 6)) < 0.4).astype(float))
    return TagRows(matrix, np.array([0, 1, 2, 2, 1, 0, 3, 4, 1]), [4, 2, 0, 3], SIZE)


def some_weights() -> ChainWeights:
    random = np.random.default_rng(1)
    return ChainWeights(random.normal(size=(6, SIZE)), random.normal(size=SIZE), random.normal(size=(SIZE, SIZE)))


def test_the_loss_is_that_of_all_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, weights = toy(), some_weights()
    table, follow, first, wanted = rows.matrix @ weights.coef + weights.bias, may_follow(SIZE), 0, 0.0
    for size in rows.sizes:
        scores = {}
        for path in product(range(SIZE), repeat=size):
            pairs = list(pairwise(path))
            if size and may_begin(SIZE)[path[0]] and all(follow[pair] for pair in pairs):
                own = sum(table[first + place, tag] for place, tag in enumerate(path))
                scores[path] = own + sum(weights.following[pair] for pair in pairs)
        if size:
            said = scores[tuple(rows.tags[first : first + size].tolist())]
            wanted += float(np.logaddexp.reduce(list(scores.values()))) - said
        first += size
    assert loss_of(rows, weights)[0] == pytest.approx(wanted, rel=1e-9)
    monkeypatch.setattr(tag_sums, "_TOGETHER", 2)
    assert loss_of(toy(), weights)[0] == pytest.approx(wanted, rel=1e-9)


def test_the_gradient_is_that_of_small_differences() -> None:
    rows, weights = toy(), some_weights()
    loss, gradient = loss_of(rows, weights)
    for name in ("coef", "bias", "following"):
        whole, allowed = getattr(weights, name), may_follow(SIZE)
        for place in np.ndindex(whole.shape):
            moved = whole.copy()
            moved[place] += 1e-6
            parts = {"coef": weights.coef, "bias": weights.bias, "following": weights.following, name: moved}
            if name != "following" or allowed[place]:
                slope = (loss_of(rows, ChainWeights(**parts))[0] - loss) / 1e-6
                assert getattr(gradient, name)[place] == pytest.approx(slope, abs=1e-4)


def of_an_order(texts: int) -> TagRows:
    """One feature for all units: only the order of tags tells them apart (O, B, I, O, B, I, …)."""
    tags = np.tile([0, 1, 2], 2 * texts)
    return TagRows(csr_matrix(np.ones((len(tags), 1))), tags, [6] * texts, 3)


def test_a_fit_learns_what_follows_what_and_is_the_same_again(tmp_path: Path) -> None:
    found = fit_chain(of_an_order(30), 10.0, Run(tmp_path, tmp_path))
    again = fit_chain(of_an_order(30), 10.0, Run(tmp_path, tmp_path))
    assert (found.flat == again.flat).all()
    assert found.following[2, 0] > found.following[2, 2] + 2 and found.following[0, 1] > found.following[0, 0] + 2
    assert not found.following[~may_follow(3)].any()


def test_of_many_weights_only_those_of_pairs_that_were_seen_are_fitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "_MOST", 10)
    rows = toy()
    found = fit_chain(rows, 1.0, Run(tmp_path, tmp_path))
    seen = (rows.matrix.T @ np.eye(SIZE)[rows.tags]) > 0
    assert found.coef[seen].all() and not found.coef[~seen].any()


def test_a_stop_ends_the_fit(tmp_path: Path) -> None:
    with pytest.raises(RunInterruptedError):
        fit_chain(toy(), 1.0, Run(tmp_path, tmp_path, stop=lambda: True))
