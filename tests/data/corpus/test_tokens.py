"""Tokenised shards: what is read is what the tokenizer gives, made once, and resumed after a kill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.pretrain_toys import ToyCorpus, tokenizer

from penjing.core.errors import RunInterruptedError
from penjing.data.corpus.tokens import TokenSettings, TokenStore, open_tokens


def content(store: TokenStore) -> list[list[int]]:
    return [store.read(place, 0, int(length))[0].tolist() for place, length in enumerate(store.lengths)]


def test_documents_come_back_with_their_domains(tmp_path: Path) -> None:
    corpus, words = ToyCorpus(), tokenizer()
    store = open_tokens([corpus], "train", TokenSettings(words), tmp_path)
    wanted = [words.encode(text, add_special_tokens=False).ids for text in corpus.documents("train")]
    assert content(store) == wanted
    assert store.names == corpus.domains
    assert np.bincount(store.domains).tolist() == [60, 60]
    assert store.shards[0].ids.dtype == np.uint16 and isinstance(store.shards[0].ids, np.memmap)
    assert store.read(3, 2, 5)[0].tolist() == wanted[3][2:5]


def test_word_starts_are_stored_beside_the_ids(tmp_path: Path) -> None:
    def starts(text: str, offsets: np.ndarray) -> np.ndarray:
        assert text[offsets[0][0] : offsets[0][1]] == text.split()[0]
        return np.arange(len(offsets)) % 2 == 0

    store = open_tokens([ToyCorpus()], "train", TokenSettings(tokenizer(), starts, "1"), tmp_path)
    assert store.read(0, 0, 4)[1].tolist() == [True, False, True, False]


class Counted(ToyCorpus):
    """Counts how often it is read."""

    def __init__(self) -> None:
        super().__init__(1200)
        self.read = 0

    def documents(self, part: str, domain: str | None = None) -> Iterator[str]:
        self.read += 1
        return super().documents(part, domain)


def test_they_are_made_once_for_a_tokenizer_and_a_corpus(tmp_path: Path) -> None:
    corpus, settings = Counted(), TokenSettings(tokenizer())
    first = open_tokens([corpus], "train", settings, tmp_path, shard_tokens=4000)
    read = corpus.read
    again = open_tokens([corpus], "train", settings, tmp_path)
    assert corpus.read == read and content(again) == content(first)
    other = tokenizer()
    other.add_tokens(["w1 w2"])
    assert settings.key([corpus], "train") != TokenSettings(other).key([corpus], "train")
    assert settings.key([corpus], "train") != settings.key([ToyCorpus()], "train")
    assert settings.key([corpus], "train") != settings.key([corpus], "held_out")


def test_killed_between_shards_it_goes_on_to_the_same_content(tmp_path: Path) -> None:
    corpus, settings = ToyCorpus(1200), TokenSettings(tokenizer())
    whole = open_tokens([corpus], "train", settings, tmp_path / "whole", shard_tokens=4000)
    assert len(whole.shards) > 2
    for stop in (2, 3):
        calls = iter(range(1, 100))
        with pytest.raises(RunInterruptedError):
            open_tokens(
                [corpus], "train", settings, tmp_path / "parts", None,
                lambda calls=calls, stop=stop: next(calls) == stop, 4000,
            )  # fmt: skip
    parts = open_tokens([corpus], "train", settings, tmp_path / "parts", shard_tokens=4000)
    assert content(parts) == content(whole) and (parts.domains == whole.domains).all()
