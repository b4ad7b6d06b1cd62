"""Windows cover every token once, padding goes to few lengths, batches leave no row out; placeholders are one token."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing

from penjing.core.errors import DamageError, UsageError
from penjing.data.mask import PLACEHOLDERS
from penjing.text.tokens import BATCH_TOKENS, BATCHES, BUCKETS, Tokens, encode, open_tokenizer, read_tokenizer


def tokens_of(limit: int, *, special: bool = True, pad: str = "[PAD]") -> Tokens:
    known = {pad: 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4} | {str(n): 5 + n for n in range(2000)}
    tokenizer = Tokenizer(WordLevel(known, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    if special:
        tokenizer.post_processor = TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(pad_id=0, pad_token=pad, length=8)
    return Tokens(tokenizer, limit)


def test_nothing_is_cut_or_padded_whatever_the_file_says() -> None:
    (ids,) = tokens_of(64).encode([" ".join(map(str, range(30)))])
    assert ids.tolist() == [2, *range(5, 35), 3]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 400), st.integers(3, 70), st.booleans())
def test_windows_cover_the_whole_text_and_count_each_token_once(length: int, limit: int, special: bool) -> None:
    tokens = tokens_of(limit, special=special)
    (ids,) = tokens.encode([" ".join(map(str, range(length)))])
    windows = tokens.windows(ids)
    frame = 2 if special else 0
    seen: set[int] = set()
    for window in windows:
        assert len(window.ids) <= limit
        if special:
            assert window.ids[0] == 2 and window.ids[-1] == 3
        content = set((window.ids[1:-1] if special else window.ids).tolist())
        assert window.weight == max(1, len(content - seen)), "the weight is the number of tokens not seen before"
        seen |= content
    assert seen == set(range(5, 5 + length))
    if len(windows) > 1:
        assert all(len(window.ids) == limit for window in windows), "every window has the full context"
        assert sum(window.weight for window in windows) == len(ids) - frame


def test_neighbouring_windows_overlap() -> None:
    tokens = tokens_of(102)
    first, second, *_ = tokens.windows(tokens.encode([" ".join(map(str, range(300)))])[0])
    assert len(set(first.ids[1:-1].tolist()) & set(second.ids[1:-1].tolist())) == 25


def test_an_empty_text_is_one_window() -> None:
    tokens = tokens_of(16)
    (window,) = tokens.windows(tokens.encode([""])[0])
    assert window.ids.tolist() == [2, 3] and window.weight == 1


def test_buckets_hold_the_length_and_never_pass_the_limit() -> None:
    tokens = tokens_of(100)
    for length in range(1, 101):
        assert length <= tokens.bucket(length) <= 100
        assert tokens.bucket(length) in {*BUCKETS, 100}
    assert tokens.bucket(130) == 130, "what is beyond the limit is not cut here"


def test_padding_is_masked() -> None:
    ids, mask = tokens_of(64).pad([np.array([2, 5, 3]), np.array([2, 5, 6, 7, 8, 9, 10, 11, 3])])
    assert ids.shape == mask.shape == (2, 16) and ids.dtype == mask.dtype == np.int64
    assert ids[0].tolist() == [2, 5, 3] + [0] * 13
    assert mask.sum(axis=1).tolist() == [3, 9]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 64), max_size=120))
def test_batches_hold_every_row_once_in_one_bucket_each(lengths: list[int]) -> None:
    tokens = tokens_of(64)
    groups = tokens.batches([np.zeros(length, dtype=np.int64) for length in lengths])
    assert sorted(place for group in groups for place in group) == list(range(len(lengths)))
    for group in groups:
        assert len(group) in BATCHES
        assert len({tokens.bucket(lengths[place]) for place in group}) == 1


def test_a_batch_of_long_rows_has_fewer_of_them() -> None:
    tokens = tokens_of(512)
    for length, sizes in ((256, [16, 4]), (300, [4] * 5), (512, [4] * 5)):
        groups = tokens.batches([np.zeros(length, dtype=np.int64)] * 20)
        assert [len(group) for group in groups] == sizes
        assert all(len(group) * tokens.bucket(length) <= BATCH_TOKENS for group in groups)


def test_a_padding_token_is_found_by_name() -> None:
    known = {"<s>": 0, "<pad>": 1, "</s>": 2, "a": 3}
    assert Tokens(Tokenizer(WordLevel(known, unk_token="a")), 16).pad_id == 1


def test_a_limit_without_room_is_refused() -> None:
    with pytest.raises(DamageError, match="no room besides the special tokens"):
        tokens_of(2)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff\xfe", b'{"model": 3}'])
def test_an_unreadable_tokenizer_is_damage(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(DamageError, match=r"tokenizer\.json cannot be read"):
        read_tokenizer(tmp_path / "tokenizer.json")
    with pytest.raises(DamageError, match=r"tokenizer\.json cannot be read"):
        read_tokenizer(tmp_path / "missing" / "tokenizer.json")


def test_every_placeholder_is_one_token(tiny_base: Path) -> None:
    tokenizer = open_tokenizer(tiny_base)
    for token in PLACEHOLDERS.values():
        ids = tokenizer.encode(f"price1{token}common2 {token}").ids
        assert ids.count(tokenizer.token_to_id(token)) == 2
        assert len(ids) == 2 + 4


def test_adding_them_twice_changes_nothing(tiny_base: Path, tmp_path: Path) -> None:
    once = open_tokenizer(tiny_base)
    (tmp_path / "tokenizer.json").write_text(once.to_str(), encoding="utf-8")
    assert open_tokenizer(tmp_path).to_str() == once.to_str()


def test_a_long_text_keeps_its_special_tokens_and_is_counted(tiny_base: Path) -> None:
    tokenizer = open_tokenizer(tiny_base)
    tokens = encode(tokenizer, ["price1", " ".join(["price2"] * 20), ""], max_tokens=8)
    assert tokens.lengths.tolist() == [3, 8, 2]
    assert tokens.cut == 1
    assert tokens.ids[1][0] == tokenizer.token_to_id("[CLS]")
    assert tokens.ids[1][-1] == tokenizer.token_to_id("[SEP]")
    assert tokenizer.truncation is None and tokenizer.padding is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"model": null}', "nonsense"])
def test_a_base_without_a_tokenizer_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(UsageError, match=r"tokenizer\.json cannot be read") as caught:
        open_tokenizer(tmp_path)
    assert "save_pretrained" in str(caught.value.fix)


def test_padding_and_truncation_in_the_file_are_switched_off(tiny_base: Path, tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_file(str(tiny_base / "tokenizer.json"))
    tokenizer.enable_padding(length=40)
    tokenizer.enable_truncation(max_length=5)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert len(open_tokenizer(tmp_path).encode(" ".join(["price2"] * 20)).ids) == 22
