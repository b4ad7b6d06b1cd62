"""Hidden words are filled by the head of a base: by other words, drawn by the seed, as many tokens as were hidden."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import BertConfig, BertForMaskedLM

from penjing.core.errors import UsageError
from penjing.model.base import open_base
from penjing.train.fill import CANDIDATES, Filler, open_filler

WORDS = [f"word{number}" for number in range(20)]
TEXT = " ".join(WORDS[:10])


def base(folder: Path, mask: str = "[MASK]") -> Path:
    """A BERT whose head gives `word19`, `word18`, … the highest scores everywhere, and the mask one still higher."""
    vocabulary = {token: place for place, token in enumerate(["[PAD]", "[UNK]", mask, "!", *WORDS])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", mask])
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=12, pad_token_id=0, tie_word_embeddings=True,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = BertForMaskedLM(config)
    with torch.no_grad():
        model.cls.predictions.bias.copy_(torch.arange(len(vocabulary)) * 3.0)
        model.cls.predictions.bias[[2, 3]] = 1000.0
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def filler(tmp_path_factory: pytest.TempPathFactory) -> Filler:
    folder = tmp_path_factory.mktemp("fill")
    return open_filler(open_base(str(base(folder / "base")), folder))


def test_hidden_words_are_filled_with_probable_other_words(filler: Filler) -> None:
    spans = [(0, 5), (12, 17)]
    found = [filler(TEXT, spans, Random(seed)) for seed in range(30)]
    assert all(word in WORDS and word not in ("word0", "word2") for pair in found for word in pair)
    assert len({pair[0] for pair in found}) > 1 and len({one for pair in found for one in pair}) <= CANDIDATES + 2
    assert sum(pair[0] == "word19" for pair in found) > 15, "the most probable one comes most often"
    assert filler(TEXT, spans, Random(3)) == filler(TEXT, spans, Random(3))


def test_a_span_of_two_words_has_two_and_a_place_beyond_the_input_stays(filler: Filler) -> None:
    (two,) = filler(TEXT, [(0, 11)], Random(0))
    assert len(two.split()) == 2
    long = " ".join(WORDS)
    assert filler(long, [(long.index("word15"), long.index("word15") + 6)], Random(0)) == ["word15"]
    assert filler("word1 word2", [(0, 5)], Random(0)) == ["word1"], "nothing around it says what it may be"


def test_a_masked_text_is_filled_around_its_placeholder(filler: Filler) -> None:
    text = TEXT.replace("word5", "⟦mobile⟧")
    (found,) = filler(text, [(0, 5)], Random(0))
    assert found in WORDS and found != "word0"


def test_a_base_without_the_head_or_without_a_mask_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    for folder in (tiny_base, base(tmp_path / "named", "<hidden>")):
        with pytest.raises(UsageError, match="has no head that fills hidden words"):
            open_filler(open_base(str(folder), tmp_path))
