"""The shipped base `penjing/mini`: its size, its tokenizer, its weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer

BASE = Path(__file__).parents[2] / "src" / "penjing" / "bases" / "mini"
WORDS = "embeddings.word_embeddings.weight"


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(BASE / "tokenizer.json"))


def gb2312() -> list[str]:
    cells = (bytes((row + 0xA0, cell + 0xA0)) for row in range(16, 88) for cell in range(1, 95))
    return [text for text in (cell.decode("gb2312", "ignore") for cell in cells) if text]


def test_the_folder_is_small_enough_to_ship() -> None:
    assert sum(path.stat().st_size for path in BASE.rglob("*") if path.is_file()) <= 32_000_000


def test_every_gb2312_character_has_an_entry_of_its_own(tokenizer: Tokenizer) -> None:
    characters = gb2312()
    assert len(characters) == 6763
    unknown = tokenizer.token_to_id("<unk>")
    ids = [tokenizer.encode(char, add_special_tokens=False).ids for char in characters]
    assert not [char for char, found in zip(characters, ids, strict=True) if unknown in found]


def test_special_tokens_stand_where_the_config_says(tokenizer: Tokenizer) -> None:
    config = json.loads((BASE / "config.json").read_text())
    assert [tokenizer.token_to_id(token) for token in ("<s>", "<pad>", "</s>", "<unk>")] == [0, 1, 2, 3]
    assert config["pad_token_id"] == 1
    assert config["vocab_size"] == tokenizer.get_vocab_size() == 42_000
    assert tokenizer.encode("好").ids[0] == 0
    assert tokenizer.encode("好").ids[-1] == 2
    assert tokenizer.padding is None
    assert tokenizer.truncation is None


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("退款太慢了，客服也不理人！", "退款太慢了,客服也不理人!"),
        ("Where is  my new card?\n", "Where is my new card?"),
        ("ＡＢＣ　１２３", "ABC 123"),
        ("蟑螂、螨虫和 pH 值", "蟑螂、螨虫和 pH 值"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_text_comes_back_normalised_and_whole(tokenizer: Tokenizer, text: str, back: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text).ids) == back


@pytest.mark.parametrize("text", ["\u0000", "😀🏽‍🚀", "𠮷野家", "ᚠᛇᚻ", "⟦id_card⟧", "a" * 10_000, "\u200b\u202e"])
def test_strange_text_is_encoded_without_a_crash(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text).ids
    assert ids[0] == 0
    assert ids[-1] == 2
    assert max(ids) < 42_000


def test_embeddings_are_int8_rows_with_a_scale_each() -> None:
    tensors = load_file(BASE / "model.safetensors")
    rows, scale = tensors[WORDS], tensors[WORDS + ".scale"]
    assert rows.dtype == np.int8
    assert rows.shape == (42_000, 384)
    assert scale.shape == (42_000,)
    assert np.all(scale > 0)
    assert len(np.unique(rows, axis=0)) == len(rows)
    packed = {name for name in tensors if name + ".scale" in tensors}
    assert {name for name, tensor in tensors.items() if tensor.dtype == np.int8} == packed
    assert packed - {WORDS} == {name for name, tensor in tensors.items() if ".layer." in name and tensor.ndim == 2}
    others = {name: tensor for name, tensor in tensors.items() if name not in packed and not name.endswith(".scale")}
    assert {tensor.dtype for tensor in others.values()} == {np.dtype(np.float16)}
    assert all(np.isfinite(tensor.astype(np.float32)).all() for tensor in tensors.values())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_transformers_reads_the_same_tokens_and_a_model_of_six_layers() -> None:
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    fast = transformers.AutoTokenizer.from_pretrained(BASE)
    raw = Tokenizer.from_file(str(BASE / "tokenizer.json"))
    for text in ("退款太慢了，客服也不理人！", "Where is my card?", "蟑螂", ""):
        assert fast(text)["input_ids"] == raw.encode(text).ids
    assert fast.pad_token_id == 1
    model = transformers.AutoModel.from_config(
        transformers.AutoConfig.from_pretrained(BASE), add_pooling_layer=False
    ).eval()
    stored = load_file(BASE / "model.safetensors")
    state = {name: torch.from_numpy(t.astype(np.float32)) for name, t in stored.items() if not name.endswith(".scale")}
    for name in state:
        if name + ".scale" in stored:
            state[name] *= torch.from_numpy(stored[name + ".scale"].astype(np.float32))[:, None]
    model.load_state_dict(state, strict=True)
    with torch.inference_mode():
        hidden = model(**fast(["好的", "a good room"], padding=True, return_tensors="pt")).last_hidden_state
    assert hidden.shape[0] == 2
    assert hidden.shape[2] == 384
    assert bool(torch.isfinite(hidden).all())
