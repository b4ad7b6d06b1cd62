"""Pieces that join Chinese characters or signs are never taken, and nothing else changes."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from penjing.text.by_character import by_character, joins


@pytest.mark.parametrize("piece", ["另一个", "》、《", "▁中国", "30,000", "カラ", "a。"])
def test_pieces_that_join(piece: str) -> None:
    assert joins(piece)


@pytest.mark.parametrize("piece", ["另", "▁", "▁word", "2024", "<0xE4>", "。", "▁好", "naïve"])
def test_pieces_that_join_nothing(piece: str) -> None:
    assert not joins(piece)


def tokenizer() -> Tokenizer:
    pieces = [("<unk>", 0.0), ("中国", -2.0), ("中", -5.0), ("国", -5.0), ("人", -4.0), ("》、《", -3.0), ("》", -6.0),
              ("、", -6.0), ("《", -6.0), ("word", -3.0)]  # fmt: skip
    made = Tokenizer(models.Unigram(pieces, unk_id=0))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return made


def test_a_text_is_parted_into_characters_with_the_same_vocabulary() -> None:
    before, after = tokenizer(), by_character(tokenizer())
    assert before.encode("中国人 word》、《").tokens == ["中国", "人", "word", "》、《"]
    assert after.encode("中国人 word》、《").tokens == ["中", "国", "人", "word", "》", "、", "《"]
    assert before.get_vocab() == after.get_vocab()
    assert by_character(after) is after


def test_word_pieces_stay_as_they_are() -> None:
    other = Tokenizer(models.WordPiece({"[UNK]": 0, "中国": 1}, unk_token="[UNK]"))
    assert by_character(other) is other
