"""A smaller vocabulary cuts known texts as before, and the encoder gives the same for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import BPE

from penjing.model.base import open_base
from penjing.model.encoder import load_encoder
from penjing.model.vocabulary import cut_embeddings, cut_tokenizer, single_characters
from penjing.text.tokens import open_tokenizer

TEXTS = ["房间很干净，前台服务也热情。", "The delivery was late; I want my money back!", "打⟦mobile⟧ 不通", "①㎡ ﾊﾝ"]


@pytest.fixture(scope="module")
def mini() -> Tokenizer:
    return open_tokenizer(open_base("penjing/mini", Path("/")).folder)


def test_known_texts_are_cut_as_before_and_new_ones_into_characters(mini: Tokenizer) -> None:
    used = {place for text in TEXTS for place in mini.encode(text, add_special_tokens=False).ids}
    small, order = cut_tokenizer(mini, used | single_characters(mini))
    assert small.get_vocab_size() == len(order) < 0.7 * mini.get_vocab_size()
    for text in TEXTS:
        before, after = mini.encode(text), small.encode(text)
        assert after.tokens == before.tokens
        assert [order[place] for place in after.ids] == before.ids
    new = "酒店的早餐与泳池 breakfast"
    assert "<unk>" not in small.encode(new).tokens
    assert len(small.encode(new)) > len(mini.encode(new))
    assert small.encode(new).ids[0] == small.token_to_id("<s>")


def test_without_its_characters_chinese_is_read_as_bytes(mini: Tokenizer) -> None:
    used = {*mini.encode("hello", add_special_tokens=False).ids, mini.token_to_id("▁")}
    small, _ = cut_tokenizer(mini, used)
    encoded = small.encode("早餐", add_special_tokens=False)
    assert [token for token in encoded.tokens if token != "▁"] == [f"<0x{byte:02X}>" for byte in "早餐".encode()]
    assert small.decode(encoded.ids).strip() == "早餐" and small.token_to_id("<unk>") not in encoded.ids


def test_the_encoder_gives_the_same_for_the_same_tokens(tiny_base: Path) -> None:
    base = open_base(str(tiny_base), Path("/"))
    encoder, tokenizer = load_encoder(base), open_tokenizer(base.folder)
    words = "delivery1 price2 common3"
    small, order = cut_tokenizer(tokenizer, tokenizer.encode(words, add_special_tokens=False).ids)
    assert len(order) < tokenizer.get_vocab_size()
    # The masks are no entries of the encoder yet: only ids that it embeds.
    rows = [old for old in order if old < encoder.get_input_embeddings().weight.shape[0]]
    cut = cut_embeddings(encoder, rows)
    outputs = []
    with torch.no_grad():
        for model, each in ((encoder, tokenizer), (cut, small)):
            ids = torch.tensor([each.encode(words).ids])
            outputs.append(model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state.numpy())
    assert np.array_equal(*outputs)
    assert cut.config.vocab_size == len(rows)
    assert encoder.config.vocab_size > len(rows)
    assert order[cut.config.pad_token_id] == encoder.config.pad_token_id


def test_of_pieces_that_are_joined_from_others_all_parts_stay() -> None:
    entries = {name: place for place, name in enumerate(("a", "b", "c", "d", "ab", "cd", "abcd", "bc"))}
    joins = [("a", "b"), ("c", "d"), ("ab", "cd"), ("b", "c")]
    small, order = cut_tokenizer(Tokenizer(BPE(entries, joins)), [entries["abcd"]])
    assert order == [0, 1, 2, 3, 4, 5, 6]
    assert small.encode("abcdbc").tokens == ["abcd", "b", "c"]
    few, order = cut_tokenizer(Tokenizer(BPE(entries, joins)), [entries["bc"]])
    assert (order, few.encode("bc").tokens) == ([1, 2, 7], ["bc"])
