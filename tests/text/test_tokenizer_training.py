"""The sample, the words and the alphabet that a tokenizer is trained on, and its refusals."""

from __future__ import annotations

import random

import pytest
from pydantic import ValidationError

from penjing.core.errors import DataError, UsageError
from penjing.text.tokenizer_training import TokenizerOptions, choose_alphabet, count_words, sample, train


def test_a_sample_is_the_same_in_every_order_and_as_large_as_allowed() -> None:
    texts = [f"text number {number}" for number in range(500)]
    first = sample(texts, 2000)
    mixed = random.Random(1).sample(texts, len(texts))
    second = sample([*mixed, *mixed, "  "], 2000)
    assert first.texts == second.texts and first.digest == second.digest
    assert 1950 < first.characters <= 2000 and first.characters == sum(map(len, first.texts))
    assert (first.given, second.given) == (500, 1001)
    assert len(sample(["long" * 1000], 1000).texts) == 1
    assert sample(texts, 10**6).characters == sum(map(len, texts))


def test_a_sample_of_texts_of_many_lengths_is_the_same_in_every_order() -> None:
    texts = ["".join(chr(0x4E00 + number) for _ in range(number % 30 + 1)) for number in range(300)]
    first = sample(texts, 500)
    assert 500 - 30 <= first.characters <= 500
    for seed in range(20):
        mixed = random.Random(seed).sample(texts, len(texts))
        assert sample(mixed, 500).texts == first.texts, seed


def test_words_are_cut_by_the_dictionary_and_counted() -> None:
    words = count_words(["请退款申请，请退款", "OK 10\nOK"], "nfkc")
    assert words == {"请": 2, "退款": 2, "申请": 1, ",": 1, "▁OK": 2, "▁1": 1, "0": 1}


def test_the_alphabet_covers_the_share_asked_for() -> None:
    words = {"我们": 9000, "公司": 900, "退款": 90, "龘": 9, "葉": 1}
    assert set("我们公司退款龘") <= set(choose_alphabet(words, 1.0, 100))
    assert "葉" not in choose_alphabet(words, 1.0, 100)  # seen once
    covered = choose_alphabet(words, 0.98, 100)
    assert set("我们公司") <= set(covered) and not set("退款龘") & set(covered)
    few = choose_alphabet(words, 1.0, 3)
    assert set("我们") <= set(few) and len(set("公司退款龘") & set(few)) == 1
    assert {"a", "~", "▁"} <= set(few) and few == sorted(few)


def test_nothing_to_learn_from() -> None:
    for texts in ([], ["", " \n"]):
        with pytest.raises(DataError, match="there is no text"):
            train(texts)


def test_too_few_entries_for_the_special_ones() -> None:
    with pytest.raises(UsageError, match="600 entries cannot hold the 568 special ones"):
        train(["我们"], entries=600, options=TokenizerOptions(sentinels=300))
    with pytest.raises(ValidationError):
        TokenizerOptions.model_validate({"kind": "words"})
