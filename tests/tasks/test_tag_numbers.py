"""Numbers in the words of entities, in both languages."""

from __future__ import annotations

import pytest

from penjing.tasks.tag_numbers import least_and_most, numbers_in


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("1,200.50", [1200.5]),
        ("3.5万元", [35000.0]),
        ("３．５万元", [35000.0]),
        ("3万5千元", [35000.0]),
        ("3万5", [35000.0]),
        ("2亿3000万元", [230000000.0]),
        ("两百三十万", [2300000.0]),
        ("一万零五十", [10050.0]),
        ("十二万", [120000.0]),
        ("一百二", [120.0]),
        ("一百零二", [102.0]),
        ("12 %", [0.12]),
        ("百分之五", [0.05]),
        ("百分之12.5", [0.125]),
        ("$1.2 million", [1200000.0]),
        ("US$3m in cash", [3000000.0]),
        ("5 m", [5.0]),
        ("5k", [5000.0]),
        ("3 months", [3.0]),
        ("-5℃", [-5.0]),
        ("10-20", [10.0, 20.0]),
        ("3.5万至5万元", [35000.0, 50000.0]),
        ("9" * 30, [1e12]),
    ],
)
def test_reads(words: str, numbers: list[float]) -> None:
    assert numbers_in(words) == numbers


@pytest.mark.parametrize("words", ["", "Acme", "万科", "二〇二四年", "1,20", "1.234,5", "1.2.3", "1万2亿", "9" * 50])
def test_what_can_be_read_in_two_ways_is_no_number(words: str) -> None:
    assert numbers_in(words) == []


def test_the_least_and_the_most_are_of_all_pieces() -> None:
    assert least_and_most(["3.5万元", "Acme", "12 %"]) == (0.12, 35000.0)
    assert least_and_most(["Acme"]) is None
