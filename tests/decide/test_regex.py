"""Patterns: letters folded as the texts are, what RE2 lacks said in words, and nothing that takes exponential time."""

from __future__ import annotations

import pytest
from tests.work_done import assert_done_within

from penjing.core.errors import RuleError
from penjing.data.fold import open_folding
from penjing.decide.regex import compile_pattern, prepare_pattern

FOLD = open_folding("3")


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("退.{0,3}款", "退我的款", True),
        ("退.{0,3}款", "退我的全部的款", False),
        ("Refund", "a REFUND please", True),
        ("ＶＩＰ", "我是ＶＩＰ", True),
        ("vip[０-９]", "VIP7", True),
        ("好，", "好,谢谢", True),
        ("价格…", "价格...", True),
        ("价格…", "价格abc", False),
        (r"\d+元", "10元", True),
        (r"^谢谢$", " 谢谢 ", True),
        (r"a  b".replace("  ", r"\s+"), "a \n\n b", True),
        (r"\(退款\)", "（退款）", True),
    ],
)
def test_is_found_in_the_folded_text(pattern: str, text: str, found: bool) -> None:
    ready = prepare_pattern(pattern, FOLD, "r.csv:2:3")
    assert (compile_pattern(ready).search(FOLD(text)) is not None) == found
    assert prepare_pattern(ready, FOLD, "") == ready


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"(?=a)b", "RE2 has no look-ahead and no look-behind"),
        (r"(?<!a)b", "RE2 has no look-ahead and no look-behind"),
        (r"(a)\1", "RE2 has no references back to a group"),
        (r"(?>a)b", "RE2 has no atomic groups"),
        (r"a{1,2000}", "RE2 repeats at most 1,000 times"),
        (r"a{2000,}", "RE2 repeats at most 1,000 times"),
        ("[a", "missing ]"),
        ("(((退{1,1000}){1,1000}))", "cannot be compiled"),
    ],
)
def test_says_what_is_lacking(pattern: str, words: str) -> None:
    with pytest.raises(RuleError, match="cannot be compiled") as raised:
        prepare_pattern(pattern, FOLD, "r.csv:2:3")
    assert words in raised.value.what and (raised.value.where or "").startswith("r.csv:2:3")


def test_takes_linear_time() -> None:
    ready = compile_pattern(prepare_pattern("(a+)+b", FOLD, ""))
    assert ready.search("a" * 100_000) is None
    assert_done_within(2, lambda: ready.search("a" * 100_000))


@pytest.mark.parametrize("pattern", [".{1,500}.{1,500}x", "[^a]{999}b"])
def test_a_pattern_that_could_take_long_on_a_text_is_refused(pattern: str) -> None:
    with pytest.raises(RuleError, match="steps; at most 2,500"):
        prepare_pattern(pattern, FOLD, "r.csv:2:3")


@pytest.mark.parametrize("pattern", ["退[^。]{0,100}款", ".{0,50}退.{0,50}款.{0,50}x", "[一-龥]{2,50}公司"])
def test_the_longest_text_takes_a_fraction_of_a_second(pattern: str) -> None:
    ready = compile_pattern(prepare_pattern(pattern, FOLD, ""))
    assert_done_within(1.5, lambda: ready.search("退款b" * 33_000))
