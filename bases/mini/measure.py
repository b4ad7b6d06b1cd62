"""How much of the teacher a base keeps: rank correlation of similarities, unknown characters, tokens a text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import corpus
import numpy as np
import torch
import transformers
import weights
from safetensors.numpy import load_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

MAX_TOKENS = 64


def open_model(folder: Path) -> BertModel:
    """The encoder of a base folder (or of the teacher's), float32, without dropout."""
    transformers.logging.set_verbosity_error()
    config = BertConfig.from_pretrained(folder)
    model = BertModel(config, add_pooling_layer=False)
    raw = weights.load(folder) if (folder / "model.safetensors").is_file() else {}
    model.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in raw.items()}, strict=True)
    return model.eval()


def open_tokenizer(folder: Path) -> Tokenizer:
    """The folder's tokenizer, cut at 64 tokens."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def batch(encodings: list[Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """(batch, tokens) ids, padded with 1, and their mask."""
    longest = max(len(encoding.ids) for encoding in encodings)
    ids = torch.ones((len(encodings), longest), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, encoding in enumerate(encodings):
        ids[row, : len(encoding.ids)] = torch.tensor(encoding.ids)
        mask[row, : len(encoding.ids)] = 1
    return ids, mask


def pool(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over the real tokens: (batch, tokens, hidden) -> (batch, hidden)."""
    wide = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * wide).sum(1) / wide.sum(1)


def embed(folder: Path, texts: list[str]) -> np.ndarray:
    """(texts, hidden) float32 mean-pooled embeddings."""
    model, tokenizer = open_model(folder), open_tokenizer(folder)
    encodings = tokenizer.encode_batch(texts)
    order = sorted(range(len(texts)), key=lambda i: len(encodings[i].ids))
    out = np.zeros((len(texts), model.config.hidden_size), dtype=np.float32)
    with torch.inference_mode():
        for some in _batched(order, 32):
            ids, mask = batch([encodings[i] for i in some])
            out[list(some)] = pool(model(ids, attention_mask=mask).last_hidden_state, mask).numpy()
    return out


def _batched(order: list[int], size: int) -> list[list[int]]:
    return [order[start : start + size] for start in range(0, len(order), size)]


def held_out_texts(data: Path, each: int = 200) -> list[str]:
    """Held-out pieces, the same number from each source; none of them is ever trained on."""
    return [
        text
        for source in corpus.SOURCES
        for text in [piece for piece in corpus.pieces(data, source) if corpus.held_out(piece)][:each]
    ]


def _ranks(values: np.ndarray) -> np.ndarray:
    ranks = np.empty(len(values))
    ranks[np.argsort(values, kind="stable")] = np.arange(len(values))
    return ranks


def spearman(left: np.ndarray, right: np.ndarray) -> float:
    """Spearman's rank correlation of two (n,) arrays without ties."""
    return float(np.corrcoef(_ranks(left), _ranks(right))[0, 1])


def similarity(mini: np.ndarray, teacher: np.ndarray, texts: list[str]) -> dict[str, float]:
    """Spearman of all pairwise cosines of two (texts, hidden) embeddings: all pairs, within and across languages."""
    cosines = []
    for matrix in (mini, teacher):
        unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
        cosines.append(unit @ unit.T)
    left, right = np.triu_indices(len(texts), 1)
    chinese = np.asarray([corpus.language(text) == "zh" for text in texts])
    both, none = chinese[left] & chinese[right], ~chinese[left] & ~chinese[right]
    kinds = {"all": np.ones(len(left), dtype=bool), "zh": both, "en": none, "across": ~both & ~none}
    return {
        kind: round(spearman(cosines[0][left[where], right[where]], cosines[1][left[where], right[where]]), 4)
        for kind, where in kinds.items()
    }


def unknown(tokenizer: Tokenizer, texts: list[str]) -> dict[str, Any]:
    """Characters, tokens, texts with an <unk>, and how many characters no entry covers."""
    mark = tokenizer.token_to_id("<unk>")
    hit = lost = tokens = 0
    for start in range(0, len(texts), 2048):
        some = texts[start : start + 2048]
        for text, encoding in zip(some, tokenizer.encode_batch(some, add_special_tokens=False), strict=True):
            tokens += len(encoding.ids)
            missing = sum(
                len(text[begin:end])
                for number, (begin, end) in zip(encoding.ids, encoding.offsets, strict=True)
                if number == mark
            )
            hit, lost = hit + (missing > 0), lost + missing
    characters = sum(map(len, texts))
    return {"texts": len(texts), "characters": characters, "tokens": tokens, "texts_hit": hit, "unknown": lost}


def entries(folder: Path) -> int:
    """Rows of a folder's embedding matrix."""
    return int(json.loads((folder / "config.json").read_text(encoding="utf-8"))["vocab_size"])


def parameters(folder: Path) -> int:
    """Number of weights of a base folder, scales left out."""
    raw = load_file(folder / "model.safetensors")
    return sum(tensor.size for name, tensor in raw.items() if not name.endswith(".scale"))
