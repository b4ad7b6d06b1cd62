"""Addresses with words for the sign; sentences with the same words are left."""

from __future__ import annotations

import pytest

from penjing.data.mask_v2 import mask
from penjing.data.mask_v2_mail import find_mail, may_hold_mail


@pytest.mark.parametrize(
    "text",
    ["li(at)qq.com", "li [at] qq [dot] com", "li（at）qq.com", "li艾特qq.com", "li123 at qq.com", "li ＠ qq.com",
     "LI(AT)QQ.COM"],
)  # fmt: skip
def test_found(text: str) -> None:
    assert mask(f"写到 {text} 。").text == "写到 ⟦email⟧ 。"


@pytest.mark.parametrize("text", ["look at qq.com", "meet at noon.", "data at rest", "see (at) once", "@all at once"])
def test_left_alone(text: str) -> None:
    assert mask(text).text == text


def test_a_mail_word_before_a_plain_name() -> None:
    assert mask("邮箱 li at qq.com").text == "邮箱 ⟦email⟧"
    assert find_mail("a@b.com li(at)qq.com") == [(0, 7, "email"), (8, 20, "email")]
    assert may_hold_mail("li(at)qq.com") and not may_hold_mail("that")
