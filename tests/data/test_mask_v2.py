"""The second version: any grouping is found, what only looks like a number is left, hostile texts take linear time."""

from __future__ import annotations

import random
import time

import pytest

from penjing.data.mask_v2 import mask
from penjing.data.mask_v2_kinds import luhn
from penjing.data.masked import KINDS, PLACEHOLDERS

FOUND = {
    "id_card": [
        "11 01 05 19 49 12 31 00 2X", "1101051949 1231002×", "110105/1949/1231/002X", "110.105.1949.1231.002X",
        "1 1 0 1 0 5 1 9 4 9 1 2 3 1 0 0 2 X", "130503670401001", "130503 670401 001",
    ],
    "mobile": [
        "138.1234.5678", "138/1234/5678", "138_1234_5678", "138·1234·5678", "138--1234--5678", "138—1234—5678",
        "1381234 5678", "13812 345678", "138 12 34 56 78", "1 3 8 1 2 3 4 5 6 7 8", "１３８　１２３４　５６７８",
        "١٣٨١٢٣٤٥٦٧٨", "𝟏𝟑𝟖𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖", "(+86)13812345678", "+86.138.1234.5678", "+86 (138) 1234-5678",
        "013812345678", "1381-234 5678",
    ],
    "landline": [
        "0755.88886666", "0755/8888/6666", "0755 88 88 66 66", "0 7 5 5 8 8 8 8 6 6 6 6", "0371（65898888）",
        "+86(755)88886666", "86-755-88886666", "+86-(0)10-6234-5678", "0371-65898888-801", "0563 3028888",
    ],
    "bank_card": [
        "4239 0424 8611 1484", "5494-0427-7440-6544", "5105.1051.0510.5100", "5105/1051/0510/5100",
        "5 105 105 105 105 100", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "6222。0212。3456。7890。128", "3056-930902-5904",
        "622202 1234567890128", "4222222222222",
    ],
    "email": ["li @ qq.com", "li@qq。com", "josé@example.com", "o'brien@example.com", "x" * 80 + "@example.com"],
    "plate": ["京A1 2345", "京A-12345", "京·A12345", "京 A12345", "沪A·D12345", "京A1234领"],
    "ip": ["192。168。1。1", "10.0.0.1", "192.168.001.001"],
}  # fmt: skip
LEFT = [
    "20260115093012",  # a time
    "2026 0115 0930 12",
    "6901234567892",  # a barcode
    "4006381333931",  # a barcode that passes Luhn's check or not: it has a check digit of its own
    "0371-2026-0115",  # a day
    "021-20260715",
    "章节1.2.3.4",
    "第1.2.3.4节",
    "版本 10.0.1.200",
    "v1.12.30.140",
    "Chrome/138.0.7204.100",
    "0.0.0.0",
    "1985-03-12 101室",
    "15.03.1985.101",
    "19850312 101室",
    "13800138000元",
    "¥13800138000",
    "13800138000.50元",
    "15 000 000 000",
    "13.812.345.678",
    "15000-180000",
    "血压140-160/90-100",
    "120.13812345678",
    "116.39712823456789,39.90469",
    "IMEI 352099001761481",
    "1Z999AA12345678907",
    "400-810-8888",
    "1-800-822-2841",
    "138****5678",
    "978-7-302-12345-6",
    "银行账号 1702 0210 1900 1234 567",
    "5494-0427-7440-6545",  # a card with a wrong digit is no landline
    "苏联13.9452.5062.4469.3990.1681.6077",
    "cul/2011/08-17/3263540.shtml",
    "icon@2x.png",
    "lodash@4.17.21",
    "全新A12345",
    "浙B2-20080224",
]


@pytest.mark.parametrize(("kind", "number"), [(kind, number) for kind, numbers in FOUND.items() for number in numbers])
def test_found_in_any_grouping(kind: str, number: str) -> None:
    masked = mask(f"请看 {number} ，谢谢")
    assert masked.text == f"请看 {PLACEHOLDERS[kind]} ，谢谢"
    assert masked.counts == {**dict.fromkeys(KINDS, 0), kind: 1}


@pytest.mark.parametrize("text", LEFT)
def test_left_alone(text: str) -> None:
    assert mask(text).text == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("4111 1111 1111 1111 12/28 123", "⟦bank_card⟧ 12/28 123"),
        ("6222 0212 3456 7890 128 13812345678", "⟦bank_card⟧ ⟦mobile⟧"),
        ("138 1234 5678 139 1234 5678", "⟦mobile⟧ ⟦mobile⟧"),
        ("13812345678/13987654321", "⟦mobile⟧/⟦mobile⟧"),
        ("2026-01-15 09:30:12 13812345678", "2026-01-15 09:30:12 ⟦mobile⟧"),
        ("尾号1234。13812345678", "尾号1234。⟦mobile⟧"),
        ("电话13812345678。20号来", "电话⟦mobile⟧。20号来"),
        ("电话13812345678元旦后打", "电话⟦mobile⟧元旦后打"),
        ("a@b.com @qq.com", "⟦email⟧ @qq.com"),
        ("写到li@example.com。QQ也行", "写到⟦email⟧。QQ也行"),
        ("登录IP 1.2.3.4，见1.2.3.4节", "登录IP ⟦ip⟧，见1.2.3.4节"),
        ("服务器8.8.8.8:53", "服务器⟦ip⟧:53"),
        ("0371 6589 8888 0371 6589 8889", "⟦landline⟧ ⟦landline⟧"),
    ],
)
def test_what_stands_beside_it_stays(text: str, masked: str) -> None:
    assert mask(text).text == masked


@pytest.mark.parametrize(
    "piece",
    ["a", "1", "1 ", "4 ", "44 ", "4111 ", "138 1234 5678 ", "0371-6589-8888-", "1 3812345678 ", "京A 1 ", "a@", "a@a.",
     " @ ", "1.", "+86", "10.0.0.1 ", "1)(", "86 ", "１"],
)  # fmt: skip
def test_time_grows_with_the_length_and_not_with_its_square(piece: str) -> None:
    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        began = time.process_time()
        mask(text)
        return time.process_time() - began

    # The least of two: other work of the process, such as its garbage, may fall into one of them.
    short, long = (min(seconds(length), seconds(length)) for length in (20_000, 160_000))
    assert long < 40 * short + 0.2, f"{short:.3f} s for 20,000 characters, {long:.3f} s for 160,000"


def _grouped(rng: random.Random, number: str) -> str:
    """A number in groups of any length of two to six, with one separator, or with a line end in one of the gaps."""
    parts, done = [], 0
    while done < len(number):
        size = rng.randint(2, 6)
        size = len(number) - done if len(number) - done - size < 2 else size
        parts.append(number[done : done + size])
        done += size
    between = rng.choice((" ", "-", "\u3000", "\u00a0", "\t", " - ", "\u200b"))
    broken = rng.randrange(4 * len(parts))
    return "".join(
        part + ("" if i == len(parts) - 1 else "\n" if i == broken else between) for i, part in enumerate(parts)
    )


def _valid(rng: random.Random, kind: str) -> str:
    def some(count: int) -> str:
        return "".join(rng.choices("0123456789", k=count))

    if kind == "mobile":
        return "13" + some(9)
    if kind == "bank_card":
        body = "6222" + some(14)
        return next(body + digit for digit in "0123456789" if luhn(body + digit))
    body = f"410105{rng.randint(1950, 2010)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}{some(3)}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(w * int(d) for w, d in zip(weights, body, strict=True)) % 11]


@pytest.mark.parametrize("kind", ["id_card", "mobile", "bank_card"])
def test_no_grouping_hides_a_number_and_masking_is_idempotent(kind: str) -> None:
    rng = random.Random(5)
    for _ in range(1_500):
        text = f"联系 {_grouped(rng, _valid(rng, kind))} ，谢谢"
        masked = mask(text)
        assert not any(map(str.isdigit, masked.text)), (text, masked.text)
        assert mask(masked.text) == masked


def test_masking_any_text_twice_changes_nothing() -> None:
    rng = random.Random(6)
    pieces = [*"0123456789", *"0138 -./·_。+@()京A⟦⟧Xx\n，,:|*", "一", "〇", "①", "\u200b", "138", "0371", "6222",
              " at ", "(at)", "qq.com", "86", "元", "度", "110105", "1949", "⟦mobile⟧", "订单号"]  # fmt: skip
    for _ in range(6_000):
        once = mask("".join(rng.choices(pieces, k=rng.randint(1, 40))))
        assert mask(once.text) == once
