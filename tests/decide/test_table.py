"""A table in memory: rows in order of decision."""

from __future__ import annotations

from penjing.decide.condition import Rule, Then
from penjing.decide.table import in_order


def test_larger_priorities_decide_first_then_the_order_of_the_file() -> None:
    given = [(2, 0), (3, 5), (4, -1), (5, 5), (6, 0)]
    rules = tuple(Rule(f"r{row}", row, (), Then("review"), priority=priority) for row, priority in given)
    assert [rule.row for rule in in_order(rules)] == [3, 5, 2, 6, 4]
