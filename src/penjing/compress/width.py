"""Structured pruning of width: the feed-forward neurons that matter least are taken out of every layer.

    importance of neuron j of a layer:  mean over train texts of | sum over tokens of a_j dL/da_j |
    a_j: what the neuron gives for a token, L: cross entropy of the text's label

which is how far the loss would move, to first order, were the neuron silent. Source: Molchanov, Mallya, Tyree, Frosio,
Kautz, Importance Estimation for Neural Network Pruning, 2019; Hou et al., DynaBERT: Dynamic BERT with Adaptive Width
and Depth, 2020. The feed-forward part is two thirds of a layer's arithmetic on short texts; attention stays whole.
When: a little faster at the same depth, before `compress.distill`, which heals it. When not: where a whole layer can go
(`compress.layers` saves more for the same loss on short texts).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import nn
from torch.nn import functional

from penjing.compress.sealing import check_stop, seal, torch_parent, whole
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import Options as BaseOptions
from penjing.model.encoder import Classifier, load_classifier, padding_id, save_classifier
from penjing.model.layers import keep_neurons, layers_of, neurons_of
from penjing.model.tokens import encode, open_tokenizer
from penjing.tasks.classify import encode_labels
from penjing.train.batches import Budget, sorted_batches
from penjing.train.classify import IdRows, forward
from penjing.train.numerics import repeatable

Floats = npt.NDArray[np.float64]


class Options(BaseOptions):
    """What `compress.width` may be told."""

    keep: float = Field(0.5, gt=0, lt=1, description="share of the feed-forward neurons that stay, in every layer")
    texts: int = Field(512, ge=8, le=10_000, description="train texts on which importance is measured")


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The parent with that share of its neurons. Raises UsageError for a parent, or texts, that it cannot use."""
    parent = torch_parent(inputs, "compress.width")
    if not len(inputs.train):
        raise UsageError("`compress.width` needs training texts to measure on", fix="give at least some rows")
    classifier, tokenizer = load_classifier(parent), open_tokenizer(parent.folder)
    places = sorted(np.random.default_rng(run.seed).permutation(len(inputs.train))[: options.texts].tolist())
    chosen = inputs.train.take(places)
    ids = encode(tokenizer, list(chosen.texts), parent.card.max_tokens or 512).ids
    rows = IdRows(ids, padding_id(classifier.encoder))
    truth = encode_labels(chosen.labels or (), parent.card.labels)
    kept = [
        sorted(np.argsort(-worth, kind="stable")[: max(1, round(options.keep * len(worth)))].tolist())
        for worth in importance(classifier, rows, truth, run)
    ]
    small = keep_neurons(classifier, kept)
    return seal(
        inputs,
        options,
        run,
        parent,
        method="compress.width",
        form="torch",
        folder=whole(run.scratch / "width", lambda target: save_classifier(target, small, tokenizer)),
        notes={"neurons": len(kept[0]), "parameters": sum(one.numel() for one in small.parameters())},
    )


def importance(classifier: Classifier, rows: IdRows, truth: npt.NDArray[np.int64], run: Run) -> list[Floats]:
    """What each neuron of each layer is worth, (neurons,) float64 a layer, over rows with the positions of labels."""
    layers = list(layers_of(classifier.encoder))
    total = [np.zeros(neurons_of(layer)[1].out_features) for layer in layers]
    seen: dict[int, torch.Tensor] = {}

    def keep(place: int, output: torch.Tensor) -> None:
        output.retain_grad()
        seen[place] = output

    handles = [
        neurons_of(layer)[0].register_forward_hook(lambda _module, _inputs, output, place=place: keep(place, output))
        for place, layer in enumerate(layers)
    ]
    run.progress.start("compress.width: what each neuron is worth", len(rows.ids))
    try:
        with repeatable(run.seed, run.threads):
            for index in _batches(rows):
                check_stop(run)
                loss = functional.cross_entropy(
                    forward(classifier, rows, index), torch.from_numpy(truth[index]), reduction="sum"
                )
                nn.Module.zero_grad(classifier)
                loss.backward()  # type: ignore[no-untyped-call]
                for place, output in seen.items():
                    assert output.grad is not None
                    moved = (output.detach() * output.grad).sum(dim=1).abs().sum(dim=0)
                    total[place] += moved.double().numpy()
                run.progress.advance(len(index))
    finally:
        for handle in handles:
            handle.remove()
    return [worth / max(1, len(rows.ids)) for worth in total]


def _batches(rows: IdRows) -> Sequence[npt.NDArray[np.int64]]:
    return sorted_batches(rows.lengths, Budget(rows=32, tokens=4096))
