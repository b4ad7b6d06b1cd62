"""Expressions searched together, in linear time, within their memory."""

from __future__ import annotations

import pytest
from tests.work_done import assert_done_within

from penjing.decide.patterns import Patterns


def test_more_expressions_than_one_pass_takes() -> None:
    patterns = [f"词{i}号.{{0,5}}完" for i in range(1203)]
    assert Patterns(patterns).found("词7号都完 词1202号没完 词44号") == [patterns[7], patterns[1202]]


def test_capitals_in_an_expression_match_folded_text() -> None:
    assert Patterns(["VIP[0-9]+", "straße"]).found("我是vip9") == ["VIP[0-9]+"]


@pytest.mark.parametrize("pattern", [r"(?=a)b", r"(a)\1", "a(", "a{2000}"])
def test_what_linear_time_cannot_do_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="RE2 does not take"):
        Patterns([pattern])


def test_an_expression_that_explodes_elsewhere_takes_linear_time() -> None:
    slow = Patterns([r"(a+)+$", r"(a|aa)+b", r"(.*)(.*)(.*)(.*)(.*)[b-d]x"])
    assert slow.found("a" * 50_000 + "c") == []
    assert_done_within(2, lambda: slow.found("a" * 50_000 + "c"))


def test_the_states_of_an_expression_beyond_its_memory_change_no_result() -> None:
    # 2^16 states: the automaton of "an a, 15 characters before the end" does not fit into a megabyte.
    text = "ab" * 3000 + "a" + "b" * 15
    assert Patterns(["a.{15}$"]).found(text) == ["a.{15}$"]
    assert Patterns(["a.{15}c$"]).found(text) == []
