"""Two texts as one: they come apart as they were put together."""

from __future__ import annotations

from penjing.core.pair import SEPARATOR, join_texts, read_further, split_pair, split_texts, write_further
from penjing.data.clean import clean


def test_a_pair_comes_apart_as_it_was_joined() -> None:
    assert split_pair(join_texts("a b", "c\nd")) == ("a b", "c\nd")
    assert split_pair("a b") is None
    assert split_pair(join_texts("", "")) == ("", "")


def test_a_separator_in_a_users_text_divides_nothing() -> None:
    assert split_pair(join_texts(f"a{SEPARATOR}b", "c")) == ("a b", "c")
    assert SEPARATOR not in clean(f"a{SEPARATOR}b"), "no cleaned text has it"


def test_several_texts_are_written_as_one_cell_and_read_back() -> None:
    assert split_texts(join_texts("a", f"b{SEPARATOR}c", "d")) == ("a", "b c", "d")
    assert write_further(["Acme"]) == "Acme" and read_further("Acme", 1) == ["Acme"]
    cell = write_further(["Acme", "长城"])
    assert read_further(cell, 2) == ["Acme", "长城"]
    assert read_further(cell, 3) == read_further("Acme, Bolt", 2) == read_further('"Acme"', 2) == []
