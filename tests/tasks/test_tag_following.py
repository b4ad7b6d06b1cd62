"""What follows what beside fixed outputs: the likelihood and its gradient, what is learned, and when it is not kept."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from penjing.tasks.tag_chain import may_follow
from penjing.tasks.tag_following import _loss, _ScoredTexts, fit_following
from penjing.train.chain import ChainWeights, TagRows, loss_of

SIZE = 5
Ints = np.ndarray


def drawn(texts: int, random: np.random.Generator) -> tuple[list[np.ndarray], list[Ints]]:
    """Texts in which an entity of type 0 has two units, and one of type 1 comes just after it or never."""
    tables, truth = [], []
    for _ in range(texts):
        tags = [0] * int(random.integers(1, 4)) + [1, 2] + [3] * int(random.integers(0, 2)) + [0]
        table = random.normal(size=(len(tags), SIZE))
        table[np.arange(len(tags)), tags] += 1.0
        tables.append(table)
        truth.append(np.array(tags))
    return tables, truth


def test_the_likelihood_is_that_of_the_field_with_these_scores() -> None:
    random = np.random.default_rng(0)
    tables, truth = drawn(5, random)
    following = np.where(may_follow(SIZE), random.normal(size=(SIZE, SIZE)), 0.0)
    packed = np.concatenate(([np.log(0.7)], following.ravel()))
    rows = TagRows(csr_matrix(np.concatenate(tables)), np.concatenate(truth), [len(one) for one in truth], SIZE)
    wanted = loss_of(rows, ChainWeights(0.7 * np.eye(SIZE), np.zeros(SIZE), following))[0]
    texts = _ScoredTexts.of(list(zip(tables, truth, strict=True)))
    loss, gradient = _loss(packed, texts)
    assert loss == pytest.approx(wanted, rel=1e-12)
    for place in (0, 1, 6, 8, 13):
        moved = packed.copy()
        moved[place] += 1e-6
        assert (_loss(moved, texts)[0] - loss) / 1e-6 == pytest.approx(gradient[place], rel=1e-3, abs=1e-4)


def test_what_always_follows_is_learned_and_what_never_does() -> None:
    found = fit_following(*drawn(200, np.random.default_rng(1)))
    assert found is not None
    weights = found.weights
    assert weights[1, 2] > 1 > weights[1, 1]
    assert weights[2, 3] > 0 > weights[0, 3]
    assert not weights[~may_follow(SIZE)].any()


def test_where_nothing_follows_from_anything_no_weights_are_kept() -> None:
    random = np.random.default_rng(2)
    kept = 0
    for _ in range(10):
        truth = [random.choice([0, 1, 3], size=6) for _ in range(30)]
        tables = [3 * np.eye(SIZE)[tags] + random.normal(size=(6, SIZE)) for tags in truth]
        # O, B-0 and B-1 follow each other by chance, and the outputs know that I never comes.
        for table in tables:
            table[:, [2, 4]] = -9.0
        kept += fit_following(tables, truth) is not None
    assert kept <= 3


@pytest.mark.parametrize("texts", [0, 1])
def test_too_few_texts_teach_nothing(texts: int) -> None:
    assert fit_following(*drawn(texts, np.random.default_rng(3))) is None


def test_texts_without_units_and_halves_without_entities_teach_nothing() -> None:
    empty = np.zeros((0, SIZE))
    assert fit_following([empty] * 4, [np.zeros(0, dtype=np.int64)] * 4) is None
    tables, truth = drawn(4, np.random.default_rng(4))
    truth[1][:] = truth[3][:] = 0
    assert fit_following(tables, truth) is None
