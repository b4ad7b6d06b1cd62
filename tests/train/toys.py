"""A tiny encoder with a head, whole or its top layers, and rows whose label is their first token modulo three."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import BertConfig, BertModel

from penjing.model.encoder import Classifier
from penjing.model.layers import Lower, Upper
from penjing.tasks.classify import Classify
from penjing.train.batches import pad_ids
from penjing.train.supervised import IdRows, Rows, TargetRows

ROWS = 24
LABELS = ("a", "b", "c")
TASK = Classify(LABELS)


def classifier() -> Classifier:
    config = BertConfig(
        vocab_size=20, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=16, pad_token_id=0,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return Classifier(BertModel(config, add_pooling_layer=False).eval(), len(LABELS))


class States:
    """Hidden states of texts, as `HiddenRows` gives them."""

    def __init__(self, lower: nn.Module, rows: IdRows) -> None:
        self.lengths, self._of, self._rows = rows.lengths, lower, rows

    def load(self, rows: Any) -> tuple[torch.Tensor, torch.Tensor]:
        ids, mask = pad_ids([self._rows.ids[row] for row in rows], 0)
        with torch.no_grad():
            return self._of(ids, mask), mask


def parts(layers: str | int) -> tuple[nn.Module, Rows]:
    """A model of all or of the top layers, and its rows: the label is the first token modulo three."""
    draw = np.random.default_rng(1)
    rows = IdRows([draw.integers(1, 20, size=draw.integers(3, 9)) for _ in range(ROWS)], 0)
    whole = classifier()
    if layers == "all":
        return whole, rows
    assert isinstance(layers, int)
    return Upper(whole, layers), States(Lower(whole, layers).eval(), rows)


def labelled(rows: Rows) -> TargetRows:
    """The rows with their labels."""
    ids = parts("all")[1]
    assert isinstance(ids, IdRows)
    return TargetRows.of(TASK, rows, [LABELS[int(one[0]) % 3] for one in ids.ids], ())
