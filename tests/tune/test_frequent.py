"""The most frequent tokens, without those of every row."""

from __future__ import annotations

import numpy as np

from penjing.tune.frequent import frequent_tokens

ROWS = [np.array(row) for row in ([2, 7, 7, 9, 3], [2, 9, 8, 3], [2, 7, 3])]


def test_the_most_frequent_come_first_and_those_of_every_row_are_left_out() -> None:
    assert frequent_tokens(ROWS, 2).tolist() == [7, 9]
    assert frequent_tokens(ROWS, 3).tolist() == [7, 9, 8]


def test_where_there_are_too_few_they_are_repeated() -> None:
    assert frequent_tokens(ROWS, 5).tolist() == [7, 9, 8, 7, 9]
    assert frequent_tokens([np.array([2, 3]), np.array([2, 3])], 3).tolist() == [2, 3, 2]
