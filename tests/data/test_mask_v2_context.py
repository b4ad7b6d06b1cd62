"""Decimals, amounts, measurements, order numbers and codes are no telephone numbers; a number beside them is one."""

from __future__ import annotations

import pytest

from penjing.data.mask_v2 import mask

LEFT = [
    "π=3.14159265358", "3.14159265358", "2.718281828459", "PO-0371-6234-567", "order-138-1234-5678", "SN13812345678",
    "010 62345678 度", "用电 13812345678 kWh", "GD-2026-0115-00234", "（2026）京0105民初12345号", "订单号13812345678",
    "订单编号：20260115093012345678", "13,812,345,678", "金额：13812345678", "6.62607015e-34", "39.90469,116.40717",
    "新A12345型号", "型号京A12345", "0.41278522562", "26.03.2017-01.02.2023", "1381234.5678",
]  # fmt: skip


@pytest.mark.parametrize("text", LEFT)
def test_left_alone(text: str) -> None:
    assert mask(f"见 {text} 。").text == f"见 {text} 。"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("名单：1.13812345678 2.13912345678", "名单：1.⟦mobile⟧ 2.⟦mobile⟧"),
        ("call13812345678", "call⟦mobile⟧"),
        ("TEL-13812345678", "TEL-⟦mobile⟧"),
        ("QQ13812345678", "QQ⟦mobile⟧"),
        ("0371-62345678 度假村", "⟦landline⟧ 度假村"),
        ("13812345678 米小姐", "⟦mobile⟧ 米小姐"),
        ("我的车京A12345型男", "我的车京A12345型男"),
        ("新A12345违停", "⟦plate⟧违停"),
    ],
)
def test_a_number_beside_words(text: str, masked: str) -> None:
    assert mask(text).text == masked
