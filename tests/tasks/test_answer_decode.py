"""The best piece of a passage against brute force over all pieces, its share, and the bias of no answer."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.core.task import Item
from penjing.tasks.answer_decode import LONGEST, best_of, fit_bias, located, log_odds, scores_of

TEXT = "ab cd ef gh"
PLACES = np.array([(0, 0), (0, 2), (3, 5), (6, 8), (9, 11), (0, 0)])
ITEM = Item(TEXT, PLACES)


def test_the_answer_and_its_share_are_those_of_all_pieces() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        table = random.normal(size=(6, 2)) * 3
        each = {(i, j): table[i, 0] + table[j, 1] for i in range(1, 5) for j in range(i, 5)}
        none = table[0].sum() + 0.5
        total = np.logaddexp.reduce([*each.values(), none])
        (first, last), top = max(each.items(), key=lambda pair: pair[1])
        scores = scores_of(table, ITEM, 0.5)
        found = best_of(scores, none=True)
        if none > top:
            assert found.place is None and found.share == pytest.approx(np.exp(none - total))
        else:
            assert found.place == (PLACES[first, 0], PLACES[last, 1])
            assert found.share == pytest.approx(np.exp(top - total))
            elsewhere = [score for (i, j), score in each.items() if j < first or i > last]
            edges = [z for (i, j), z in each.items() if i <= last and j >= first and (i, j) != (first, last)]
            assert found.apart == pytest.approx(min([20.0, *(top - score for score in elsewhere)]))
            assert found.beside == pytest.approx(min([20.0, *(top - score for score in edges)]))
        without = best_of(scores, none=False)
        assert without.place is not None
        assert without.share == pytest.approx(np.exp(top - np.logaddexp.reduce([*each.values()])))
        at = scores.at(3, 8)
        assert at == pytest.approx(each[2, 3])
        q = np.exp(each[2, 3] - total)
        assert log_odds(at, scores.total(none=True)) == pytest.approx(np.log(q / (1 - q)))


def test_an_answer_has_at_most_so_many_tokens() -> None:
    places = np.array([(0, 0), *((i, i + 1) for i in range(LONGEST + 20))])
    table = np.zeros((len(places), 2))
    table[1, 0] = table[-1, 1] = 9.0
    place = best_of(scores_of(table, Item("x" * len(places), places), 0.0), none=False).place
    assert place is not None and place[1] - place[0] <= LONGEST


def test_a_piece_is_located_where_an_item_holds_all_of_it() -> None:
    units = scores_of(np.zeros((6, 2)), ITEM, 0.0).units
    assert located(3, 5, units) == (1, 1) and located(4, 7, units) == (1, 2)
    window = scores_of(np.zeros((3, 2)), Item(TEXT, PLACES[[0, 2, 3]]), 0.0).units
    assert located(0, 5, window) is None and located(6, 11, window) is None and located(3, 8, window) == (0, 1)
    assert np.isnan(log_odds(None, 0.0))


def test_the_bias_makes_no_answer_as_frequent_as_it_is() -> None:
    random = np.random.default_rng(1)
    tables = [random.normal(size=(6, 2)) for _ in range(600)]
    golds: list[list[tuple[int, int]]] = []
    for table in tables:
        scores = scores_of(table, ITEM, 1.5)
        none = np.exp(scores.none - scores.total(none=True))
        if random.random() < none:
            golds.append([])
            continue
        values = np.exp(scores.pieces - scores.total(none=False))
        first, length = np.unravel_index(random.choice(values.size, p=values.ravel() / values.sum()), values.shape)
        golds.append([(int(scores.units.starts[first]), int(scores.units.ends[first + length]))])
    assert fit_bias([scores_of(table, ITEM, 0.0) for table in tables], golds) == pytest.approx(1.5, abs=0.3)
    assert fit_bias([], []) == 0.0
