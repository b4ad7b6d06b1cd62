"""A translator's folder is known by its files; a missing folder and another kind of model are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import UsageError
from penjing.core.model_folder import read_translator_folder


def test_other_bytes_are_another_model(tmp_path: Path) -> None:
    (tmp_path / "zh-en").mkdir()
    (tmp_path / "zh-en" / "config.json").write_text('{"is_encoder_decoder": true}')
    (tmp_path / "zh-en" / "model.safetensors").write_bytes(b"one")
    first = read_translator_folder("zh-en", tmp_path)
    assert first == read_translator_folder(str(tmp_path / "zh-en"), Path("/"))
    (tmp_path / "zh-en" / "model.safetensors").write_bytes(b"two")
    assert read_translator_folder("zh-en", tmp_path).id != first.id


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (None, "is no folder of a model: it has no readable config.json"),
        ("{", "is no folder of a model: it has no readable config.json"),
        ('{"model_type": "bert"}', "holds no encoder-decoder"),
        ("[]", "holds no encoder-decoder"),
    ],
)
def test_what_is_no_translator_is_refused(written: str | None, said: str, tmp_path: Path) -> None:
    if written is not None:
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "config.json").write_text(written)
    with pytest.raises(UsageError) as error:
        read_translator_folder("model", tmp_path)
    assert said in error.value.what and "Opus-MT" in (error.value.fix or "")
