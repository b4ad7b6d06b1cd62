"""Prefixes of areas, provinces and issuers."""

from __future__ import annotations

from penjing.data.mask_v2_tables import AREAS, EIGHT_DIGITS, PROVINCES, card_lengths


def test_ranges_are_written_out() -> None:
    assert "0371" in AREAS and "010" in AREAS and "0340" not in AREAS
    assert "11" in PROVINCES and "99" not in PROVINCES
    assert EIGHT_DIGITS < AREAS


def test_lengths_by_the_first_four_digits() -> None:
    assert card_lengths("4111") == 0b1001001
    assert card_lengths("3782") == 0b100
    assert card_lengths("1111") == 0
    assert card_lengths("6907") & 0b1000
