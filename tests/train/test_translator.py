"""A local encoder-decoder translates the same texts in the same way, in any batch; what cannot be opened is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from tests.conftest import BASE_WORDS

from penjing.core.errors import DamageError
from penjing.core.model_folder import read_translator_folder
from penjing.core.nouns import Run
from penjing.train.translator import open_translator


def make_translator(folder: Path, seed: int) -> Path:
    """A T5 of one layer x 32 over the words of the tiny base; it knows no language, and gives words of them."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

    special = ("<pad>", "</s>", "<unk>")
    words = Tokenizer(WordLevel({word: place for place, word in enumerate((*special, *BASE_WORDS))}, unk_token="<unk>"))
    words.pre_tokenizer = WhitespaceSplit()
    words.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")
    config = T5Config(
        vocab_size=words.get_vocab_size(), d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=4,
        tie_word_embeddings=False, initializer_factor=8.0, decoder_start_token_id=0, pad_token_id=0, eos_token_id=1,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = T5ForConditionalGeneration(config)
        with torch.no_grad():
            # A score of 0 for what is no word: one of 40 words is above it.
            model.lm_head.weight[: len(special)] = 0
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_a_text_is_translated_alike_in_any_batch(tmp_path: Path) -> None:
    named = read_translator_folder("model", make_translator(tmp_path / "model", 1).parent)
    translate = open_translator(named, Run(tmp_path / "out", tmp_path / "scratch", threads=1))
    texts = ["delivery1 common2 common3", "price4 quality5 common6 common7 common8", "quality1"]
    found = translate(texts)
    assert all(set(text.split()) <= set(BASE_WORDS) and text for text in found) and len(set(found)) > 1
    assert found == [translate([text])[0] for text in texts] == translate(texts)


def test_what_cannot_be_opened_is_named(tmp_path: Path) -> None:
    folder = make_translator(tmp_path / "model", 1)
    (folder / "model.safetensors").write_bytes(b"\x00" * 64)
    named = read_translator_folder("model", tmp_path)
    with pytest.raises(DamageError, match="the translator cannot be opened"):
        open_translator(named, Run(tmp_path / "out", tmp_path / "scratch", threads=1))
    shutil.rmtree(folder)
