"""What `tune.full` does with a catalogue: its entries as inputs of the encoder, and as the last layer afterwards."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from tokenizers import Tokenizer
from torch import nn

from penjing.core.errors import UsageError
from penjing.core.task import CatalogueTask, Task
from penjing.model.encoder import Classifier, padding_id
from penjing.text.tokens import encode
from penjing.train.batches import Budget, Ints
from penjing.train.entries import NearEntries, layer_of
from penjing.train.supervised import IdRows, Rows, Supervised


def entry_ids(task: Task, tokenizer: Tokenizer, max_tokens: int) -> list[Ints]:
    """The token ids of the text of each entry; none for a task without a catalogue."""
    return list(encode(tokenizer, task.entry_texts, max_tokens).ids) if isinstance(task, CatalogueTask) else []


def check_fields(task: Task, fields: object, method: str = "tune.full") -> None:
    """Raise UsageError for declared features: the text of an entry has none."""
    if isinstance(task, CatalogueTask) and fields is not None:
        what = f"`{method}` reads no declared features where the answers are entries of a catalogue"
        raise UsageError(what, fix="take `features:` out")


def over_entries(objective: Supervised, entries: Rows | None) -> Supervised:
    """The objective of a task with a catalogue; the given one where there are no entries."""
    if entries is None or not len(entries.lengths):
        return objective
    parts = {name: getattr(objective, name) for name in ("task", "train", "validation", "budget", "seed", "smoothing")}
    return NearEntries(**parts, entries=entries)


def set_last_layer(classifier: Classifier, ids: Sequence[Ints], budget: Budget) -> None:
    """Give a classifier whose head passes vectors on the last layer of these entries."""
    if not ids:
        return
    classifier.eval()
    weight = torch.from_numpy(layer_of(classifier, IdRows(list(ids), padding_id(classifier.encoder)), budget))
    head = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        head.weight.copy_(weight)
        head.bias.zero_()
    classifier.head = head.to(next(classifier.parameters()).device)
