"""Students cut from the teacher: fewer layers, fewer channels, heads and neurons."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import nn


def embed_rows(words: torch.Tensor, origin: np.ndarray, texts: list[str], seed: int = 0) -> torch.Tensor:
    """Rows of the new word embeddings, (entries, width): the teacher's, and for those it lacks (origin -1) the mean of
    the eight nearest known code points (Unicode orders characters by radical) plus noise, so that no two are alike.

    A byte (`<0x41>`) gets noise around the mean of all rows."""
    draw = np.random.default_rng(seed)
    rows = words.numpy()[np.maximum(origin, 0)].astype(np.float32)
    known = [i for i, text in enumerate(texts) if origin[i] >= 0 and len(text) == 1 and "\u3400" <= text <= "\u9fff"]
    points = np.asarray([ord(texts[i]) for i in known])
    spread, mean = rows[known].std(axis=0), rows[known].mean(axis=0)
    for i in np.flatnonzero(origin < 0):
        near = mean
        if len(texts[i]) == 1:
            near = rows[np.asarray(known)[np.argsort(np.abs(points - ord(texts[i])), kind="stable")[:8]]].mean(axis=0)
        rows[i] = near + 0.35 * spread * draw.standard_normal(rows.shape[1])
    return torch.from_numpy(rows)


def deep(teacher: nn.Module, kept: tuple[int, ...], words: torch.Tensor) -> nn.Module:
    """The teacher with only these layers and other word embeddings."""
    small: Any = copy.deepcopy(teacher)
    small.encoder.layer = nn.ModuleList(small.encoder.layer[place] for place in kept)
    small.embeddings.word_embeddings = nn.Embedding.from_pretrained(words, freeze=False, padding_idx=1)
    small.config.num_hidden_layers, small.config.vocab_size = len(kept), len(words)
    return small  # type: ignore[no-any-return]


def narrow(wide: nn.Module, width: int, counts: np.ndarray, neurons: list[torch.Tensor]) -> nn.Module:
    """A narrower copy: channels by the principal directions of its embeddings, weighted by how often entries occur.

    counts: (entries,) how often each occurs. neurons: importance of each layer's feed-forward neurons, of which the
    most important 4 x width stay. Heads keep their size of 32; the first width / 32 by weight norm stay. Residual
    channels are rotated, so LayerNorms start as 1 and 0: training has to do the rest.
    """
    from transformers import BertConfig, BertModel

    source: Any = wide
    sizes = {"hidden_size": width, "num_attention_heads": width // 32, "intermediate_size": 4 * width}
    config = BertConfig(**{**source.config.to_dict(), **sizes})
    small: Any = BertModel(config, add_pooling_layer=False)
    embeddings = source.embeddings
    words = embeddings.word_embeddings.weight.detach()
    share = torch.from_numpy((counts + 0.05) / (counts + 0.05).sum()).float()
    added = (
        embeddings.position_embeddings.weight.detach()[2:34].mean(0)
        + embeddings.token_type_embeddings.weight.detach()[0]
    )
    states = embeddings.LayerNorm((words + added).detach()).detach()
    mean = (share[:, None] * states).sum(0)
    centred = (states - mean) * share.sqrt()[:, None]
    directions = torch.linalg.svd(centred.T @ centred)[0][:, :width]
    with torch.no_grad():
        inner = small.embeddings
        projected = (states - mean) @ directions
        scale = 1 / (share[:, None] * projected.square()).sum(0).mean().sqrt()
        inner.word_embeddings.weight.copy_(projected * scale)
        positions = embeddings.position_embeddings.weight
        spread = (words.var(0) + 1e-6).mean().sqrt()
        inner.position_embeddings.weight.copy_((positions - positions[2:66].mean(0)) @ directions / spread * 0.5)
        inner.token_type_embeddings.weight.zero_()
        for old, new, importance in zip(source.encoder.layer, small.encoder.layer, neurons, strict=True):
            _narrow_layer(old, new, directions, importance)
    return small  # type: ignore[no-any-return]


def _narrow_layer(old: Any, new: Any, directions: torch.Tensor, importance: torch.Tensor) -> None:
    width = directions.shape[1]
    heads = old.attention.output.dense.weight.norm(dim=0).view(-1, 32).norm(dim=1)
    chosen = heads.argsort(descending=True)[: width // 32].sort().values
    rows = (chosen[:, None] * 32 + torch.arange(32)).flatten()
    for name in ("query", "key", "value"):
        before, after = getattr(old.attention.self, name), getattr(new.attention.self, name)
        after.weight.copy_(before.weight[rows] @ directions)
        after.bias.copy_(before.bias[rows])
    new.attention.output.dense.weight.copy_(directions.T @ old.attention.output.dense.weight[:, rows])
    new.attention.output.dense.bias.copy_(directions.T @ old.attention.output.dense.bias)
    places = importance.argsort(descending=True)[: 4 * width].sort().values
    new.intermediate.dense.weight.copy_(old.intermediate.dense.weight[places] @ directions)
    new.intermediate.dense.bias.copy_(old.intermediate.dense.bias[places])
    new.output.dense.weight.copy_(directions.T @ old.output.dense.weight[:, places])
    new.output.dense.bias.copy_(directions.T @ old.output.dense.bias)


class _PassOn(nn.Module):
    """In place of the embeddings: gives back the states that it is given."""

    def forward(self, input_ids: None = None, inputs_embeds: torch.Tensor | None = None, **_: Any) -> Any:  # noqa: ARG002
        return inputs_embeds


def without_embeddings(encoder: nn.Module) -> nn.Module:
    """The encoder as a function of the states below its lowest layer."""
    encoder.embeddings = _PassOn()
    return encoder


def without_dropout(encoder: nn.Module) -> nn.Module:
    """A student of few layers underfits: it is distilled without dropout."""
    for module in encoder.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if hasattr(module, "dropout_prob"):
            module.dropout_prob = 0.0
    return encoder


def stacked(lower: dict[str, torch.Tensor], upper: dict[str, torch.Tensor], count: int) -> dict[str, torch.Tensor]:
    """The weights of one encoder from those of its lowest `count` layers (with embeddings) and those above them."""
    found = dict(lower)
    for name, tensor in upper.items():
        head, layer, place, rest = name.split(".", 3)
        found[f"{head}.{layer}.{int(place) + count}.{rest}"] = tensor
    return found


def above(whole: dict[str, torch.Tensor], count: int) -> dict[str, torch.Tensor]:
    """The weights of the layers above the lowest `count`, numbered from 0: what `stacked` puts on top."""
    found = {}
    for name, tensor in whole.items():
        parts = name.split(".", 3)
        if name.startswith("encoder.layer.") and int(parts[2]) >= count:
            found[f"encoder.layer.{int(parts[2]) - count}.{parts[3]}"] = tensor
    return found
