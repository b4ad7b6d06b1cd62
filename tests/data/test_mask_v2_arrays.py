"""Long texts: by arrays the same numbers are found, in a time that grows with the length and stays small."""

from __future__ import annotations

import random

import pytest
from tests.work_done import assert_done_within, seconds

from penjing.data.mask_v2 import mask
from penjing.data.mask_v2_arrays import read_groups_by_arrays
from penjing.data.mask_v2_runs import find_numbers

MILLION = 1_000_000
HOSTILE = {
    "digits": "0123456789", "digits and separators": "0123456789 -./", "more separators": "0123456789 -./()·_",
    "letters": "0123456789abcdefX", "lines": "0123456789\n", "signs": "@", "spaces": " ", "dots": ".",
    "full width": "０１２３４５６７８９",
    "mixed": "一二三四五六七八九〇０１２３４0123456789　 ", "words": "一二三四五六七八九〇", "wide": "0123456789\u200b",
}  # fmt: skip


@pytest.mark.whole
@pytest.mark.parametrize("name", HOSTILE)
def test_a_megabyte_takes_little_time(name: str) -> None:
    text = "".join(random.Random(1).choices(HOSTILE[name], k=MILLION))
    assert_done_within(4, lambda: mask(text))


@pytest.mark.parametrize(
    "piece", ["a.a.", "a@a.", "4 ", "44 ", "4111 ", "1 ", "京A1", "a at b.", "01 38 ", "138 1234 5678 "]
)
def test_twice_the_length_takes_twice_the_time(piece: str) -> None:
    short, long = (piece * (length // len(piece)) for length in (100_000, 200_000))
    least = {text: min(seconds(lambda text=text: mask(text)) for _ in range(3)) for text in (short, long)}
    assert least[long] < 2.5 * least[short] + 0.1


@pytest.mark.parametrize("seed", range(20))
def test_arrays_find_what_the_rules_find(seed: int) -> None:
    rng = random.Random(seed)
    pieces = ["138 1234 5678", "13812345678", "0371-65898888", "4111 1111 1111 1111", "110105 19491231 0029", "+86 ",
              "86-", "11010519491231002X", "130503670401001",
              " ", "-", ".", "\n", "(", ")", "a", "，", "6222 ", "010", "1"]  # fmt: skip
    text = "".join(rng.choice(pieces) if rng.random() < 0.5 else rng.choice("0123456789 -.") for _ in range(600))
    assert find_numbers(text, long=1) == find_numbers(text, long=len(text) + 1)


def test_few_digits_are_no_groups() -> None:
    assert read_groups_by_arrays("1 2 3") is None
    run = read_groups_by_arrays("138 1234 5678")
    assert run is not None and run.begins == [0, 3, 7, 11] and run.places == [0, 4, 9] and run.heads == [0]
