"""Two texts as one: they come apart as they were put together."""

from __future__ import annotations

from penjing.core.pair import SEPARATOR, join_pair, split_pair
from penjing.data.clean import clean


def test_a_pair_comes_apart_as_it_was_joined() -> None:
    assert split_pair(join_pair("a b", "c\nd")) == ("a b", "c\nd")
    assert split_pair("a b") is None
    assert split_pair(join_pair("", "")) == ("", "")


def test_a_separator_in_a_users_text_divides_nothing() -> None:
    assert split_pair(join_pair(f"a{SEPARATOR}b", "c")) == ("a b", "c")
    assert SEPARATOR not in clean(f"a{SEPARATOR}b"), "no cleaned text has it"
