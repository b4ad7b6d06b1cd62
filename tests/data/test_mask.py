"""The versions of the masking: both find what both must find, both are idempotent; an unknown one is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from penjing.core.errors import UsageError
from penjing.data.clean import clean
from penjing.data.mask import FIRST, KINDS, PLACEHOLDERS, VERSION, VERSIONS, mask, open_masking

FOUND = {
    "id_card": [
        "11010519491231002X", "11010519491231002x", "110105 19491231 002X", "110105-1949-1231-002X",
        "110105 1949 12 31 002X", "１１０１０５１９４９１２３１００２Ｘ",
    ],
    "mobile": [
        "13812345678", "138 1234 5678", "138-1234-5678", "+86 138 1234 5678", "+8613812345678", "8613812345678",
        "0086-13812345678", "１３８１２３４５６７８", "１３８－１２３４－５６７８",
    ],
    "landline": [
        "010-62345678", "(010)62345678", "（０２１）６２３４５６７８", "0755 8888 6666", "0755-88886666-123",
        "01062345678", "+86-10-62345678",
    ],
    "bank_card": [
        "4111111111111111", "6222021234567890128", "4111 1111 1111 1111", "4111-1111-1111-1111", "3782 822463 10005",
        "４１１１１１１１１１１１１１１１",
    ],
    "email": ["a.b+c@mail.example.com", "13812345678@163.com", "ａｂｃ＠ｑｑ．ｃｏｍ"],
    "plate": ["京A12345", "京A·12345", "粤B D12345", "沪AD12345", "新A12345D", "粤Z1234港", "京ａ12345"],
    "ip": ["192.168.1.1", "255.255.255.255", "１９２．１６８．０．１"],
}  # fmt: skip
LEFT = [
    "110105194912310021",  # a wrong check digit
    "11010519491331002X",  # a thirteenth month
    "211010519491231002X",  # inside a longer run
    "138123456789",  # twelve digits
    "12812345678",  # no such prefix
    "4111 1111 1111 1112",  # fails Luhn
    "41111111111111112222",  # twenty digits
    "0.4111111111111111",  # a fraction
    "256.1.1.1",
    "1.2.3.4.5",
    "a@b",
    "2023-11-22 10:30",
    "95588",
    "川A8L",
    "单号20231122334455667788",
]
every_version = pytest.mark.parametrize("version", VERSIONS)


@every_version
@pytest.mark.parametrize(("kind", "number"), [(kind, number) for kind, numbers in FOUND.items() for number in numbers])
def test_found(version: str, kind: str, number: str) -> None:
    masked = open_masking(version)(f"请看{number}，谢谢")
    assert masked.text == f"请看{PLACEHOLDERS[kind]}，谢谢"
    assert masked.counts == {**dict.fromkeys(KINDS, 0), kind: 1}


@every_version
@pytest.mark.parametrize("text", LEFT)
def test_left_alone(version: str, text: str) -> None:
    masked = open_masking(version)(text)
    assert masked.text == text
    assert not any(masked.counts.values())


@every_version
def test_several_in_one_text(version: str) -> None:
    masked = open_masking(version)("13812345678,13912345678 或 2023 4111 1111 1111 1111;1.13712345678")
    assert masked.text == "⟦mobile⟧,⟦mobile⟧ 或 2023 ⟦bank_card⟧;1.⟦mobile⟧"
    assert masked.counts["mobile"] == 3


@every_version
def test_placeholders_in_the_text_count_as_what_they_are(version: str) -> None:
    assert open_masking(version)("⟦id_card⟧ 11010519491231002X").counts["id_card"] == 2


PIECES = some.sampled_from(
    [number for numbers in FOUND.values() for number in numbers]
    + LEFT
    + ["4239 0424 8611 1484", "0371-2026-0115", "1 3 8 1 2 3 4 5 6 7 8", " @ qq.com", "版本", "ip ", "元", "¥"]
    + [*"0138 -./·_。+@()京A⟦⟧Xx\n，", "86", "qq.com", "0.", "⟦mobile⟧"]
)
PARTS = some.one_of(some.text(), some.lists(PIECES, max_size=12).map("".join))


@every_version
@given(text=PARTS)
def test_idempotent_in_text_and_counts(version: str, text: str) -> None:
    masking = open_masking(version)
    once = masking(text)
    assert masking(once.text) == once
    assert set(once.counts) == set(KINDS)


@every_version
@given(text=some.lists(PIECES, max_size=8).map(" ".join))
def test_a_cleaned_and_masked_text_stays_so(version: str, text: str) -> None:
    masking = open_masking(version)
    once = masking(clean(text)).text
    assert masking(clean(once)).text == once


def test_the_newest_is_the_default_and_no_name_is_the_first() -> None:
    assert (FIRST, VERSION) == (VERSIONS[0], VERSIONS[-1]) == ("1", "2")
    assert open_masking("").version == FIRST
    assert mask("4239 0424 8611 1484") == open_masking(VERSION)("4239 0424 8611 1484")
    for version in VERSIONS:
        assert open_masking(version).version == version and open_masking(version).kinds == KINDS


def test_a_version_that_is_not_known_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match=r"r: the texts are masked by version '3'; this installation knows 1, 2") as e:
        open_masking("3", "r")
    assert "install the version of penjing that made it" in str(e.value)
