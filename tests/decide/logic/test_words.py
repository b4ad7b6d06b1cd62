"""Words inside words, lists with a word inside, and the separator that no word has."""

from __future__ import annotations

from penjing.decide.logic.words import WordIndex

WORDS = WordIndex(("退", "退款", "急"), {"L": ("款金", "快"), "M": ("退款金额", "快")})


def test_everything_inside_a_piece_is_found() -> None:
    inside = WORDS.inside("退款金额")
    assert inside.words == {"退", "退款"}
    assert inside.lists == {"L", "M"}
    assert WORDS.inside("无").words == frozenset()


def test_the_lists_of_a_word_are_those_that_have_it_as_a_whole() -> None:
    assert WORDS.with_word("快") == ("L", "M")
    assert WORDS.with_word("退款") == ()


def test_the_words_inside_a_word_are_the_other_named_ones() -> None:
    assert WORDS.nested("退款") == ("退",)
    assert WORDS.nested("急") == ()


def test_no_word_has_the_separator() -> None:
    first = WORDS.separator
    taken = WordIndex((f"退{first}款",), {})
    assert taken.separator != first
    assert taken.separator not in f"退{first}款"
