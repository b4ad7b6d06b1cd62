"""Whole words over the tokens of several tokenizers, on sentences whose words are written out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from penjing.model.base import open_base
from penjing.text.tokenizer_training import train
from penjing.text.tokens import open_tokenizer
from penjing.text.whole_words import word_starts

SENTENCE = "乒乓球拍卖完了，don't worry unbelievable 葉😀⟦mobile⟧ok"
WORDS = ["乒乓球", "拍卖", "完", "了", "，", "don't", "worry", "unbelievable", "葉", "😀", "⟦mobile⟧", "ok"]


def groups(text: str, tokenizer: Tokenizer) -> list[str]:
    """The stretch of text of each whole word, spaces at its ends left out."""
    encoding = tokenizer.encode(text)
    starts = word_starts(text, encoding.offsets)
    assert starts.dtype == bool and starts.shape == (len(encoding.ids),)
    found: list[tuple[int, int]] = []
    for (begin, end), new in zip(encoding.offsets, starts, strict=True):
        if new:
            found.append((begin, end))
        else:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
    return [text[begin:end].strip() for begin, end in found]


@pytest.mark.parametrize("kind", ["unigram", "bpe", "wordpiece"])
def test_tokens_of_characters_and_bytes_are_joined_to_words(kind: str) -> None:
    # So few texts that every word is cut into pieces, and most characters into bytes.
    tokenizer = train([f"球 拍 卖 完 了 {n} don't be unable ok" for n in range(30)], kind, 512)  # type: ignore[arg-type]
    joined = groups(SENTENCE, tokenizer)
    assert joined[0] == joined[-1] == ""  # [CLS] and [SEP]
    # Neighbouring characters without an entry are one token run of Unigram, so they are one word there.
    wanted = WORDS if kind != "unigram" else [*WORDS[:8], "葉😀", *WORDS[10:]]
    assert joined[1:-1] == wanted


def test_pieces_that_cross_words_begin_one() -> None:
    mini = open_tokenizer(open_base("penjing/mini", Path("/")).folder)
    assert groups("退款 申请 refund", mini)[1:-1] == ["退款", "申请", "refund"]
    text = "研究生命"
    assert word_starts(text, [(0, 0), (0, 1), (1, 3), (3, 4), (0, 0)]).tolist() == [True, True, True, False, True]


def test_nothing_and_spaces() -> None:
    assert word_starts("", np.zeros((0, 2), dtype=np.int64)).tolist() == []
    assert word_starts("", [(0, 0), (0, 0)]).tolist() == [True, True]
    assert word_starts(" a b", [(0, 0), (0, 1), (1, 2), (2, 3), (3, 4), (0, 0)]).tolist() == [
        True, True, True, False, True, True
    ]  # fmt: skip
