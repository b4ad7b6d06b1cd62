"""The tokenizer of an artifact: placeholders are one token each, and cutting is counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from penjing.core.errors import UsageError
from penjing.data.mask import PLACEHOLDERS
from penjing.model.tokens import encode, open_tokenizer


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
def test_a_file_that_is_no_tokenizer_is_refused(tmp_path: Path, text: str) -> None:
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
