"""The kinds of errors are told apart, and every entity is counted once."""

from __future__ import annotations

from penjing.core.answers import Span
from penjing.tasks.tag_figures import tag_figures


def test_each_kind_of_error_is_counted_once() -> None:
    said = [
        [Span(0, 2, "a", 0.99), Span(3, 5, "a", 0.6), Span(6, 9, "b", 0.4), Span(20, 22, "b", 0.2)],
        [],
    ]
    meant = [[(0, 2, "a"), (3, 5, "b"), (7, 9, "b")], [(0, 1, "a")]]
    by_type, errors, reliability = tag_figures(said, meant, ("a", "b", "c"))
    assert dict(errors.rows) == {"right": 1, "another type": 1, "other edges": 1, "not there": 1, "missed": 1}
    assert by_type.rows == (("a", 2, 2, 0.5, 0.5, 0.5), ("b", 1, 2, 0.0, 0.0, 0.0), ("c", 0, 0, 0.0, 0.0, 0.0))
    assert sum(float(row[1]) for row in reliability.rows) == 4
