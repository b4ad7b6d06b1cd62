"""What entries stand for, in each form of tokenizer."""

from __future__ import annotations

import json

from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

from penjing.text.pieces import byte_entries, surfaces, tree_of, unknown_entry
from penjing.text.tokenizer_parts import byte_letters, in_byte_letters


def test_unigram_with_and_without_bytes() -> None:
    entries = [("<unk>", 0.0), ("▁a", -1.0), ("我们", -2.0), ("<0x41>", 0.0)]
    for fallback in (True, False):
        tree = tree_of(Tokenizer(models.Unigram(entries, unk_id=0, byte_fallback=fallback)))
        assert byte_entries(tree) == ({3} if fallback else set())
        assert unknown_entry(tree) == 0
        assert surfaces(tree) == {1: " a", 2: "我们"} | ({} if fallback else {3: "<0x41>"})


def test_word_pieces_in_the_middle_of_a_word() -> None:
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0, "go": 1, "##ing": 2, "[MASK]": 3}, unk_token="[UNK]"))
    tokenizer.add_special_tokens([AddedToken("[MASK]", special=True)])
    assert surfaces(tree_of(tokenizer)) == {1: "go", 2: "ing"}


def test_letters_of_bytes() -> None:
    letters = byte_letters()
    vocabulary = {letter: place for place, letter in enumerate(letters.values())}
    vocabulary |= {in_byte_letters("▁我"): 256, in_byte_letters("我")[:2]: 257}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(), pre_tokenizers.ByteLevel()])
    tree = json.loads(tokenizer.to_str())
    assert byte_entries(tree) == set(range(256))
    found = surfaces(tree)
    assert found[256] == " 我" and 257 not in found
    assert {text for place, text in found.items() if place < 256} == {chr(value) for value in range(128)}
