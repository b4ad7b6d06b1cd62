"""Columns of a linear model by unit: one a tag, without units that have no target; one for each end of a span."""

from __future__ import annotations

import numpy as np

from penjing.core.task import IGNORED, Head
from penjing.tune.linear_tokens import _columns


def test_a_column_a_tag() -> None:
    head = Head("token", 3, "cross_entropy")
    columns = _columns(head, [np.array([0, 2]), np.array([1])], [2, 1])
    assert [column.tolist() for _, column in columns] == [
        [True, False, False],
        [False, False, True],
        [False, True, False],
    ]
    (_, first), *_ = _columns(head, [np.array([0, IGNORED]), np.array([1])], [2, 1])
    np.testing.assert_array_equal(first, [1.0, np.nan, 0.0])


def test_a_column_for_each_end_of_a_span() -> None:
    head = Head("span", 2, "cross_entropy")
    begin, end = _columns(head, np.array([[1, 2], [0, 0]]), [3, 2])
    assert begin[1].tolist() == [False, True, False, True, False]
    assert end[1].tolist() == [False, False, True, True, False]
