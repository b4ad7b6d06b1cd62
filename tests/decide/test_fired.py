"""Rules that decide none of the rows, and rules that decide most of them."""

from __future__ import annotations

import pytest

from penjing.core.chinese import chinese
from penjing.decide.condition import Rule, Then
from penjing.decide.fired import check_fired, count_fired
from penjing.decide.schema import FactSchema
from penjing.decide.table import RuleTable

RULES = tuple(Rule(name, row, (), Then("review")) for row, name in ((2, "a"), (3, "b"), (5, "c")))
TABLE = RuleTable("r.csv", FactSchema(("ham", "spam")), RULES)


def test_says_which_rules_decide_none_and_which_decide_most() -> None:
    broad, unused = check_fired(TABLE, [["a"] * 21 + [""] * 19], "validation")
    assert (broad.level, broad.kind, broad.rows) == ("warning", "broad", (2,))
    assert broad.what == "row 2 (a) decides 21 of 40 validation rows"
    assert (unused.level, unused.kind, unused.rows) == ("warning", "unused", (3, 5))
    assert unused.what == "none of 40 validation rows is decided by row 3, 5"
    assert chinese(broad.what) == "第 2 行（a）决定了 40 行验证数据中的 21 行"
    assert chinese(unused.what) == "40 行验证数据中，没有一行由规则文件的第 3、5 行决定"


@pytest.mark.parametrize("fired", [["a", "b", "c"] * 20, ["a"] * 29])
def test_says_nothing_of_rules_in_use_or_of_few_rows(fired: list[str]) -> None:
    assert check_fired(TABLE, [fired], "test") == []


def test_a_rule_counts_in_the_period_in_which_it_decides_most() -> None:
    early, late = ["a"] * 16 + [""] * 24, ["b"] * 25 + ["a"] * 4 + [""] * 11
    assert count_fired([early, late]) == {"a": (16, 40), "b": (25, 40)}
    broad, unused = check_fired(TABLE, [early, late], "labelled")
    assert broad.what == "row 3 (b) decides 25 of 40 labelled rows"
    assert unused.what == "none of 40 labelled rows is decided by row 5"
    few = [["c"] * 29, ["a"] * 10 + ["b"] * 20]
    assert [each.rows for each in check_fired(TABLE, few, "test")] == [(3,)], "of 29 rows nothing is said"
    assert count_fired([]) == {} and check_fired(TABLE, [], "test") == []
