"""Tokens and hashed runs: equal for texts that differ in case, width and punctuation; different for all others."""

from __future__ import annotations

import numpy as np

from penjing.data.corpus.characters import DIGIT, HAN, LATIN, characters, digest8, distinct, places_in, runs, shingles
from penjing.data.corpus.characters import tokens as read_tokens


def tokens(text: str):  # type: ignore[no-untyped-def]
    return read_tokens(characters(text))


def test_tokens_are_characters_of_chinese_and_words_of_others() -> None:
    text = "我爱 Penjing v2，ok！"
    found = tokens(text)
    assert [text[start] for start in found.starts] == ["我", "爱", "P", "v", "o"]
    assert found.alone.tolist() == [True, True, False, False, False]
    assert len(tokens("。！ ---")) == len(tokens("")) == 0


def test_classes_are_counted() -> None:
    counts = characters("汉字 abc 123 ４").counts
    assert (counts[HAN], counts[LATIN], counts[DIGIT]) == (2, 3, 4)


def test_case_width_and_punctuation_make_no_difference_and_words_do() -> None:
    same = {digest8(tokens(text).hashes) for text in ("VIP 会员，好", "ｖｉｐ会员 好！", "vip, 会员好")}
    assert len(same) == 1
    different = ["ab c", "a bc", "abc", "cab", "会员好 vip", "a" * 64, "a" * 65, "b" + "a" * 63]
    assert len({digest8(tokens(text).hashes) for text in different}) == len(different)


def test_runs_are_equal_where_their_tokens_are() -> None:
    one, other = runs(tokens("the cat sat on the mat").hashes, 3), runs(tokens("a cat sat on the hat").hashes, 3)
    assert np.isin(one, other).tolist() == [False, True, True, False]
    assert len(runs(tokens("one two").hashes, 3)) == 1


def test_sorted_sets() -> None:
    values = np.array([5, 3, 5, 1], dtype=np.uint64)
    assert distinct(values).tolist() == [1, 3, 5]
    assert places_in(np.array([3, 4, 9], dtype=np.uint64), distinct(values)).tolist() == [1, -1, -1]
    assert places_in(values, values[:0]).tolist() == [-1] * 4
    assert len(shingles(tokens("好" * 50))) == 1
