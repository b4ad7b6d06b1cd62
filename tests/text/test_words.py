"""Words with their places, in both languages; a placeholder of the masking is one word, punctuation is none."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import jieba
import pytest

from penjing.text.words import cut_lengths, segmenter_version, word_spans


def words(text: str, chinese: bool = True) -> list[str]:
    return [text[start:end] for start, end in word_spans(text, chinese)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Don't call me, OK?", ["Don't", "call", "me", "OK"]),
        ("退款！请打⟦mobile⟧。", ["退款", "请", "打", "⟦mobile⟧"]),
        ("买了iPhone手机", ["买", "了", "iPhone", "手机"]),
        ("", []),
        ("!?。…", []),
    ],
)
def test_every_word_once_and_in_its_place(text: str, wanted: list[str]) -> None:
    assert words(text) == wanted
    spans = word_spans(text)
    assert spans == sorted(spans) and all(one[1] <= two[0] for one, two in pairwise(spans))


def test_without_the_cutter_a_run_of_chinese_stays_whole() -> None:
    assert words("退款申请, please", chinese=False) == ["退款申请", "please"]


def test_the_dictionary_is_named_with_its_hash() -> None:
    name, version, digest = segmenter_version().split()
    assert name == "jieba" and version[0].isdigit() and len(digest) == 12


def test_words_are_those_of_jieba() -> None:
    reference = jieba.Tokenizer()
    with Path(jieba.__file__).with_name("dict.txt").open("rb") as file:
        reference.FREQ, reference.total = reference.gen_pfdict(file)
    reference.initialized = True
    known = sorted(word for word, count in reference.FREQ.items() if count and all(c >= "一" for c in word))
    drawn = random.Random(11)
    runs = ["".join(drawn.sample(known, 4)) for _ in range(1500)]
    some = [drawn.choices("我的人人在大学生活动中国㐀豈𠀀鿖鿿", k=drawn.randrange(1, 9)) for _ in range(1500)]
    runs += ["".join(each) for each in some]
    for run in (run for run in runs if all(len(one) == 1 and one >= "㐀" for one in run)):
        assert cut_lengths(run) == [len(word) for word in reference.cut(run, HMM=False)], run
