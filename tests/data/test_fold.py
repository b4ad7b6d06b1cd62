"""Foldings: the first keeps width apart, the newest does not; an unknown one is refused."""

from __future__ import annotations

import pytest

from penjing.core.errors import UsageError
from penjing.data.fold import (
    FIRST,
    VERSION,
    VERSIONS,
    compose,
    fold,
    fold_name,
    fold_width,
    open_folding,
    words_of,
)


def test_width_makes_no_difference_since_the_second() -> None:
    assert open_folding("2")("ＶＩＰ客户") == open_folding("2")("vip客户") == "vip客户"
    assert open_folding("1")("ＶＩＰ客户") == "ｖｉｐ客户" != open_folding("1")("VIP客户")
    assert (VERSIONS[0], VERSIONS[-1]) == (FIRST, VERSION)


def test_space_makes_no_difference_since_the_third() -> None:
    assert open_folding("3")(" ＶＩＰ \u3000\n客户 ") == open_folding("3")("vip 客户") == "vip 客户"
    assert open_folding("2")("vip  客户") != open_folding("2")("vip 客户")
    assert fold("退 款", "3") == fold("退 款", "2") == "退款"


def test_the_same_text() -> None:
    assert fold("Ｇｏｏｄ！") == fold("good") == "good"
    assert fold("Ｇｏｏｄ！", "1") == "ｇｏｏｄ" != fold("good", "1")
    assert fold("?!") == "?!" and fold("?!", "1") == "?!"
    assert words_of("It's  ＯＫ!") == "it s ok"


def test_of_a_name_width_case_and_spaces_alone_are_folded() -> None:
    assert fold_width("ＶＩＰ　５²①ｱ") == "VIP 5²①ア"
    assert compose("ＶＩＰ　５²①ｱ") == "VIP 521ア"
    assert fold_name(" Ａmount\u200b ") == fold_name("amount") == "amount"
    assert fold_name("①") != fold_name("1")


def test_a_version_that_is_not_known_is_refused() -> None:
    with pytest.raises(UsageError, match="folded by version '9'; this installation knows 1, 2"):
        open_folding("9")
