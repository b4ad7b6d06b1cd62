"""Words that are listed in other ways than between bars: how they are joined, and what they are."""

from __future__ import annotations

import pytest

from penjing.decide.listed import inside, is_word, join_of, looks_regular, parts_of, unquoted


@pytest.mark.parametrize(
    ("written", "join", "parts"),
    [
        ("律师、法院", "list", ["律师", "法院"]),
        ("refund, return", "list", ["refund", "return"]),
        ("律师 AND 法院", "all", ["律师", "法院"]),
        ("律师 且 法院", "all", ["律师", "法院"]),
        ("律师&法院", "all", ["律师", "法院"]),
        ("退保 或 投诉", "any", ["退保", "投诉"]),
        ("退保或者投诉", "any", ["退保", "投诉"]),
        ("a || b", "any", ["a", "b"]),
        ("(律师|法院)", "any", ["律师", "法院"]),
        ("['广州', '深圳']", "list", ["广州", "深圳"]),
        ("a|b|a", "", ["a", "b"]),
        ("terms and conditions", "", ["terms and conditions"]),
        ("credit or debit", "", ["credit or debit"]),
        ("您好，我想咨询一下", "", ["您好", "我想咨询一下"]),
        ("R&D", "", ["R&D"]),
        ("a/b", "", ["a/b"]),
    ],
)
def test_how_words_are_joined(written: str, join: str, parts: list[str]) -> None:
    assert (join_of(written), parts_of(written)) == (join, parts)


def test_brackets_and_quotes() -> None:
    assert [inside(each) for each in ("(a)", "［a", "（a, b）", "a)", "f(a)")] == ["a", "［a", "a, b", "a", "f(a)"]
    assert [unquoted(each) for each in ('"a"', "“退款”", "it's", "'a' b")] == ["a", "退款", "it's", "'a' b"]
    assert is_word("律师法院") and not is_word("律师和法院") and not is_word("a b") and is_word("twelve-chars")


@pytest.mark.parametrize(
    ("written", "regular"),
    [
        *((each, True) for each in ("退.*款", r"\d+元", "^^", "退款$", "[0-9]", "(?i)a", "退{2}", "(ab)+", "退+款")),
        *((each, False) for each in ("C++", "f*ck", "3.5", "what?", "[图片]", "US$", "e.g.", "退款")),
    ],
)
def test_signs_that_only_a_pattern_has(written: str, regular: bool) -> None:
    assert looks_regular(written) == regular
