"""Pairs and triples of characters: their number, what makes no difference, and that fewer bits are the top bits."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.text.short_grams import short_grams


def by_hand(gram: str, bits: int) -> int:
    places = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
    value = sum(ord(char) * factor for char, factor in zip(gram, places, strict=False)) % 2**32
    value ^= value >> 15
    return (value * 0x27D4EB2F % 2**32) >> (32 - bits)


@pytest.mark.parametrize("text", ["a", "ab", "my card is lost", "手续费太高", "naïve 𝄞 ⟦手机⟧"])
def test_buckets_are_those_by_hand(text: str) -> None:
    line = f" {text} "
    grams = [line[i : i + size] for size in (2, 3) for i in range(len(line) - size + 1)]
    assert short_grams(text, 20).tolist() == [by_hand(gram, 20) for gram in grams]


def test_case_and_spaces_make_no_difference() -> None:
    assert short_grams("  My\tCARD ", 18).tolist() == short_grams("my card", 18).tolist()
    assert short_grams("", 18).tolist() == short_grams(" \n", 18).tolist() == []


def test_fewer_bits_are_the_top_bits() -> None:
    wide, narrow = short_grams("a text of several words", 22), short_grams("a text of several words", 12)
    assert (wide >> np.uint32(10)).tolist() == narrow.tolist() and narrow.max() < 1 << 12


def test_different_grams_spread_over_the_buckets() -> None:
    texts = [f"{number * 7919 % 99991}" for number in range(3000)]
    grams = {line[i : i + 3] for text in texts for line in [f" {text} "] for i in range(len(line) - 2)}
    found = {bucket for text in texts for bucket in short_grams(text, 22).tolist()}
    assert len(found) > 0.99 * len(grams)
