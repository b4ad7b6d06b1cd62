"""Pairs are cleaned and masked text by text, and compared in one order where order means nothing."""

from __future__ import annotations

import pytest

from penjing.core.chinese import chinese
from penjing.core.errors import RequestError
from penjing.core.pair import join_texts, split_pair
from penjing.data.fold import fold
from penjing.data.mask import VERSION, open_masking
from penjing.data.pair_text import compared, empty_text, mask_parts, parts_of, prepare_texts, shown_pair
from penjing.tasks.answer import AnswerReader
from penjing.tasks.match import MatchReader

MASKING = open_masking(VERSION)


def test_each_text_is_masked_by_itself() -> None:
    masked = prepare_texts(MASKING, join_texts("  电话 13912345678 ", "也是13912345678"), MatchReader())
    assert split_pair(masked.text) == ("电话 ⟦mobile⟧", "也是⟦mobile⟧") and masked.counts["mobile"] == 2
    again = mask_parts(MASKING, masked.text)
    assert (again.text, again.counts) == (masked.text, masked.counts)


def test_nothing_is_found_across_the_two_texts() -> None:
    masked = prepare_texts(MASKING, join_texts("139123", "45678"), MatchReader())
    assert masked.text == join_texts("139123", "45678") and not masked.counts["mobile"]


@pytest.mark.parametrize("raw", [join_texts("", "a"), join_texts("a", " "), join_texts("", "")])
def test_a_pair_without_one_of_its_texts_is_empty(raw: str) -> None:
    assert prepare_texts(MASKING, raw, MatchReader()).text == ""


@pytest.mark.parametrize(
    ("raw", "said", "in_chinese"),
    [
        (join_texts("a", " \u200b"), "`question` is empty", "`question` 是空的"),
        (join_texts(" ", "b"), "the text is empty", "文本是空的"),
        (join_texts("", ""), "the text is empty", "文本是空的"),
        ("", "the text is empty", "文本是空的"),
    ],
)
def test_the_error_says_which_text_is_empty(raw: str, said: str, in_chinese: str) -> None:
    error = empty_text(raw, AnswerReader())
    assert error.what == said and chinese(error.what) == in_chinese
    assert chinese(error.fix or "") != error.fix
    assert empty_text(" ", MatchReader()).what == empty_text(" ", object()).what == "the text is empty"


def test_a_text_that_is_refused_is_named() -> None:
    with pytest.raises(RequestError) as caught:
        prepare_texts(MASKING, join_texts("a", "b\0"), AnswerReader())
    assert caught.value.what == "`question`: the text has a NUL character at character 2"
    assert chinese(caught.value.what).startswith("`question`：文本在第 2 个字符处")
    with pytest.raises(RequestError) as caught:
        prepare_texts(MASKING, join_texts("\ud800", "b"), AnswerReader())
    assert caught.value.what == "the text has a lone surrogate (\\ud800) at character 1"


def test_one_text_is_no_pair() -> None:
    with pytest.raises(RequestError, match="and it is missing"):
        prepare_texts(MASKING, "a", MatchReader())


def test_pairs_are_compared_in_one_order_unless_order_counts() -> None:
    one, other = join_texts("b", "a"), join_texts("A!", "b")
    assert fold(compared(one, symmetric=True)) == fold(compared(other, symmetric=True))
    assert fold(compared(one, symmetric=False)) != fold(compared(other, symmetric=False))
    assert fold(compared(join_texts("ab", "c"), symmetric=True)) != fold(
        compared(join_texts("a", "bc"), symmetric=True)
    )
    assert parts_of(compared(one, symmetric=True)) == ("a", "b")


def test_people_read_one_text_a_line() -> None:
    assert shown_pair(join_texts("a", "b")) == "a\nb" and shown_pair("a") == "a"
