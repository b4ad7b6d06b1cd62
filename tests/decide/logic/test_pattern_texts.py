"""Texts for regular expressions, and the words that they need."""

from __future__ import annotations

import pytest

from penjing.decide.logic.pattern_texts import PatternTexts, needed


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"退.{0,3}款", ("退", "款")),
        (r"退货?款", ("退", "款")),
        (r"^再见$", ("再见",)),
        (r"VIP\d+", ("vip",)),
        (r"[0-9]+个月", ("个月",)),
        (r"不(是|要)?退", ("不", "退")),
        (r"ab+c{2}", ("ab",)),
        (r"退|换", ()),
        (r"(?i)退款", ()),
        (r"\x41b", ()),
        (r"\p{Han}款", ()),
        (r"a[b|c]d", ("a", "d")),
    ],
)
def test_words_that_every_match_has(pattern: str, words: tuple[str, ...]) -> None:
    assert needed(pattern) == words


@pytest.mark.parametrize(
    "pattern",
    [r"退.{0,3}款", r"^再见$", r"\d{4}-\d{2}", r"(投诉|举报)(平台|客服)?",
     r"[^0-9]+元", r"\b12315\b", r"(?P<n>退|换)货", r"\p{Han}{2}", r"a\.b", r"x{2,}",
     r"a{²}", r"a{,2}", r"[]a]b", r"(?:a|b)c*?"],
)  # fmt: skip
def test_a_text_for_a_pattern_is_one_in_which_it_is_found(pattern: str) -> None:
    texts = PatternTexts([pattern])
    assert texts.samples(pattern)
    assert all(pattern in texts.found(each) for each in texts.samples(pattern))
    assert all(word in each for each in texts.samples(pattern) for word in needed(pattern))


def test_a_pattern_that_depends_on_its_place_is_not_found_everywhere() -> None:
    texts = PatternTexts([r"^退", r"退"])
    assert texts.found("退款") == {r"^退", r"退"}
    assert texts.found_around("退款") == {r"退"}
