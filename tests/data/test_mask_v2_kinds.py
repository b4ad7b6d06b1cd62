"""Check digits and prefixes."""

from __future__ import annotations

import pytest

from penjing.data.mask_v2_kinds import luhn
from penjing.data.mask_v2_runs import find_numbers


def test_luhn() -> None:
    assert luhn("4111111111111111") and not luhn("4111111111111112")
    assert luhn("79927398713") and luhn("0")


@pytest.mark.parametrize(
    "number",
    [
        "6222021234567890128", "4111111111111111", "5105105105105100", "2221000000000009", "378282246310005",
        "3530111333300000", "30569309025904", "6011111111111117", "2200000000000004", "9558801234567890126",
    ],
)  # fmt: skip
def test_cards_of_every_network(number: str) -> None:
    body = number[:-1]
    number = next(body + digit for digit in "0123456789" if luhn(body + digit))
    assert [kind for _, _, kind in find_numbers(number)] == ["bank_card"]


@pytest.mark.parametrize("number", ["1111111111111117", "7911111111111111", "2100000000000005", "471234567890123"])
def test_no_network_has_this_prefix_or_this_length(number: str) -> None:
    body = number[:-1]
    number = next(body + digit for digit in "0123456789" if luhn(body + digit))
    assert find_numbers(number) == []


def test_a_barcode_that_passes_luhn_too_is_no_card() -> None:
    def is_ean(digits: str) -> bool:
        return sum(int(digit) * (3, 1)[place % 2 == 0] for place, digit in enumerate(digits)) % 10 == 0

    codes = [f"4{number:012d}" for number in range(600_000_000_000, 600_000_002_000)]
    both = [code for code in codes if luhn(code) and is_ean(code)]
    cards = [code for code in codes if luhn(code) and not is_ean(code)]
    assert both and all(not find_numbers(code) for code in both)
    assert cards and all(kind == "bank_card" for code in cards for _, _, kind in find_numbers(code))
