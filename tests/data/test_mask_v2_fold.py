"""Numbers in other characters: words, signs, invisible characters and line ends between the digits."""

from __future__ import annotations

import pytest

from penjing.data.mask_v2 import mask
from penjing.data.mask_v2_fold import fold, has_signs, read_signs


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("138\n1234 5678", "mobile"), ("138\u30001234\u30005678", "mobile"), ("138\u200b1234\u200d5678", "mobile"),
        ("138\t1234\t5678", "mobile"), ("138\u00a01234\u00a05678", "mobile"), ("一三八〇〇一三八〇〇〇", "mobile"),
        ("壹叁捌零零壹叁捌零零零", "mobile"), ("①③⑧⓪⓪①③⑧⓪⓪⓪", "mobile"), ("13八00138零零零", "mobile"),
        ("1️⃣3️⃣8️⃣0️⃣0️⃣1️⃣3️⃣8️⃣0️⃣0️⃣0️⃣", "mobile"), ("138,1234,5678", "mobile"), ("138、1234、5678", "mobile"),
        ("11010519491231002х", "id_card"), ("11010519491231002Ｘ", "id_card"), ("110105194912\n31002x", "id_card"),
        ("110105 19491231 002\nX", "id_card"), ("4111 1111\n1111 1111", "bank_card"),
        ("4111\n1111 1111 1111", "bank_card"),
        ("+86\n13812345678", "mobile"), ("+86(138)12345678", "mobile"), ("（86）138 1234 5678", "mobile"),
    ],
)  # fmt: skip
def test_found(text: str, kind: str) -> None:
    assert mask(f"联系：{text}，谢谢").text == f"联系：⟦{kind}⟧，谢谢"


def test_a_word_behind_it_is_no_digit_of_it() -> None:
    assert mask("电话一三八〇〇一三八〇〇〇一直打不通").text == "电话⟦mobile⟧一直打不通"
    assert mask("①13812345678").text == "①⟦mobile⟧"
    assert mask("打13812345678一直没人接").text == "打⟦mobile⟧一直没人接"


@pytest.mark.parametrize("text", ["二〇二六年一月一五日", "一二三四五六七八九十", "①②③④⑤⑥⑦⑧⑨", "一三八号"])
def test_left_alone(text: str) -> None:
    assert mask(text).text == text


def test_places_lead_back_to_the_text() -> None:
    assert fold("１\u200b２ａ") == ("12a", [0, 2, 3])
    assert fold("12a") == ("12a", None)
    assert has_signs("一三八〇〇一三") and not has_signs("一起去") and not has_signs("abc")
    assert read_signs("一三八〇〇一三八〇〇〇一", True) == "13800138000一"
    assert read_signs("一三八", False) is None
