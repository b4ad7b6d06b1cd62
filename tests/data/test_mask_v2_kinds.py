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
