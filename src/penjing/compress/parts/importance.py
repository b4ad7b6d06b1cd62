"""Importance of the parts of an activation: the first-order change of the loss if a part were zero.

    importance of part j:  mean over texts of | sum over tokens and over the part's dimensions of a dL/da |

a: output of the part, L: the task's loss on the text's gold. Source: Michel, Levy, Neubig, Are Sixteen Heads
Really Better than One?, 2019; Molchanov, Mallya, Tyree, Frosio, Kautz, Importance Estimation for Neural Network
Pruning, 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.stop import check_stop
from penjing.core.task import Item
from penjing.model.encoder import Classifier, padding_id
from penjing.tasks import task_of
from penjing.text.tokens import encode, open_tokenizer
from penjing.train.batches import Budget, sorted_batches
from penjing.train.losses import hard_loss
from penjing.train.numerics import repeatable
from penjing.train.supervised import IdRows, forward

Floats = npt.NDArray[np.float64]


def importance(
    parent: Artifact,
    classifier: Classifier,
    readers: Sequence[nn.Linear],
    size: int,
    inputs: Inputs,
    texts: int,
    run: Run,
) -> list[Floats]:
    """The importance of every part, (parts,) float64 for each reader, over at most `texts` train rows.

    readers: the matrices that read the activations; size: dimensions of a part. Raises UsageError without train rows.
    """
    if not len(inputs.train):
        raise UsageError("importance is measured on training texts, and there are none", fix="give at least some rows")
    places = sorted(np.random.default_rng(run.seed).permutation(len(inputs.train))[:texts].tolist())
    chosen = inputs.train.take(places)
    ids = encode(open_tokenizer(parent.folder), list(chosen.texts), parent.card.max_tokens or 512).ids
    rows = IdRows(ids, padding_id(classifier.encoder))
    task = task_of(parent.card)
    gold = task.encode(chosen.labels or (), [Item(text) for text in chosen.texts])
    sizes = [head.size for head in task.heads.values()]
    total = [np.zeros(reader.in_features // size) for reader in readers]
    seen: dict[int, torch.Tensor] = {}
    handles = [reader.register_forward_pre_hook(partial(_watch, seen, place)) for place, reader in enumerate(readers)]
    run.progress.start("importance of each part", len(ids))
    try:
        with repeatable(run.seed, run.threads):
            for index in sorted_batches(rows.lengths, Budget(rows=32, tokens=4096)):
                check_stop(run.stop)
                outputs = torch.split(forward(classifier, rows, index), sizes, dim=1)
                losses = [
                    hard_loss(head.loss, one, torch.from_numpy(np.asarray(gold[name])[index]), reduction="sum")
                    for (name, head), one in zip(task.heads.items(), outputs, strict=True)
                ]
                loss = torch.stack(losses).sum()
                classifier.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                for place, activation in seen.items():
                    assert activation.grad is not None
                    moved = (activation.detach() * activation.grad).sum(dim=1)
                    parts = moved.view(len(index), -1, size).sum(dim=2).abs().sum(dim=0)
                    total[place] += parts.double().numpy()
                run.progress.advance(len(index))
    finally:
        for handle in handles:
            handle.remove()
        classifier.zero_grad()
    return [each / len(ids) for each in total]


def _watch(seen: dict[int, torch.Tensor], place: int, _module: nn.Module, given: tuple[Any, ...]) -> None:
    given[0].retain_grad()
    seen[place] = given[0]
