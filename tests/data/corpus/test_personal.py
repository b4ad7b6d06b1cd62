"""The quick test before masking never says no to a text that masking would change."""

from __future__ import annotations

import random

import pytest

from penjing.data.corpus.personal import mask_personal, may_hold_personal
from penjing.data.mask import VERSION, open_masking

MASKING = open_masking(VERSION)
TEXTS = [
    "身份证11010519491231002X请查收", "手机１３８００１３８０００", "1 3 8 0 0 1 3 8 0 0 0", "一三八零零一三八零零零",
    "138-0013-8000",
    "电话(010)6552 9988", "卡号6222 0212 3456 7890 128", "邮箱 a_b@qq.com", "a.b (at) gmail.com", "abc艾特qq点com",
    "a_b at 163.com", "京A12345", "粤B·D12345", "沪 a 1 2 3 4 5", "服务器 10.0.0.1", "ip 192。168。1。200",
    "①③⑧⓪⓪①③⑧⓪⓪⓪", "❶❸❽⓿⓿❶❸❽⓿⓿⓿", "+86 138 0013 8000", "13800\n138000", "x＠ｑｑ．ｃｏｍ", "tel:021\u200b-64161234",
    "１９２．１６８．１．２", "京Ａ１２３４５",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_what_masking_changes_is_seen(text: str) -> None:
    assert may_hold_personal(text) or MASKING(text).text == text
    assert mask_personal(text, MASKING)[0] == MASKING(text).text


def test_random_texts_of_suspicious_characters() -> None:
    drawn = random.Random(4)
    pieces = ["138", "0013", "8000", "0", "1", "一", "幺", "⓪", "-", " ", ".", "。", "@", " at ", "(at)", "qq", ".com",
              "京", "A", "电话", "卡", "\n", "（", "）", "×", "６２２２", "021", "邮箱", "192", "X",
              "艾特", "点"]  # fmt: skip
    changed = 0
    for _ in range(3000):
        text = "".join(drawn.choices(pieces, k=drawn.randint(3, 14)))
        changed += MASKING(text).text != text
        assert mask_personal(text, MASKING)[0] == MASKING(text).text, text
    assert changed > 30


def test_most_texts_are_not_masked_at_all() -> None:
    assert not may_hold_personal("银行在2024年收到3起投诉，均在5日内办结。")
    assert mask_personal("已屏蔽 ⟦mobile⟧", MASKING)[1] == {"mobile": 1}
