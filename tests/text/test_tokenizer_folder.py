"""The folder of a tokenizer: sealed, readable, and moved aside where another one is written (more in tests/checks)."""

from __future__ import annotations

from pathlib import Path

from penjing.core.folder import verify
from penjing.text.tokenizer_folder import transformers_config, write_tokenizer
from penjing.text.tokenizer_training import TokenizerOptions, sample, train_on


def test_another_tokenizer_does_not_overwrite_the_first(tmp_path: Path) -> None:
    options = TokenizerOptions(entries=512)
    chosen = sample([f"退款 refund {number}" for number in range(20)], 10_000)
    tokenizer = train_on(chosen, options)
    write_tokenizer(tmp_path / "t", tokenizer, options, chosen, [])
    first = verify(tmp_path / "t")
    write_tokenizer(tmp_path / "t", tokenizer, options, chosen, [{"file": "other"}])
    assert verify(tmp_path / "t") != first
    assert verify(tmp_path / f"t-{first[:12]}") == first
    # A base may be made in a folder with these files: `card.json` would make it an artifact.
    assert not (tmp_path / "t" / "card.json").exists()


def test_sentinels_are_named_for_transformers() -> None:
    assert transformers_config(2)["additional_special_tokens"] == ["<extra_id_0>", "<extra_id_1>"]
    assert "unk_token" not in transformers_config()
