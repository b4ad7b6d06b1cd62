"""Structured pruning of width: the least important feed-forward neurons are removed from every layer.

    importance of neuron j of a layer:  mean over train texts of | sum over tokens of a_j dL/da_j |  (parts/importance)

Source: Molchanov, Mallya, Tyree, Frosio, Kautz, Importance Estimation for Neural Network Pruning, 2019; Hou et al.,
DynaBERT: Dynamic BERT with Adaptive Width and Depth, 2020. The feed-forward part is two thirds of a layer's arithmetic
on short texts; attention does not change (`compress.heads` prunes it). When: the model must be a little faster at the
same depth; `compress.distill` after it heals it. When not: a whole layer can be removed; `compress.layers` saves more.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from penjing.compress.parts.importance import importance
from penjing.compress.parts.sealing import Compression, complete_folder, seal, torch_parent
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import Options as BaseOptions
from penjing.core.task import HeadKind
from penjing.model.encoder import load_classifier, save_classifier
from penjing.model.layers import keep_neurons, layers_of, neurons_of
from penjing.text.tokens import open_tokenizer

HEADS: tuple[HeadKind, ...] = ("pooled",)


class Options(BaseOptions):
    """The options of `compress.width`."""

    keep: float = Field(0.5, gt=0, lt=1, description="share of the feed-forward neurons that stay, in every layer")
    texts: int = Field(512, ge=8, le=10_000, description="train texts on which importance is measured")


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The parent with that share of its neurons. Raises UsageError for a parent, or texts, that it cannot use."""
    parent = torch_parent(inputs, "compress.width")
    classifier = load_classifier(parent)
    readers = [neurons_of(layer)[1] for layer in layers_of(classifier.encoder)]
    kept = []
    for found in importance(parent, classifier, readers, 1, inputs, options.texts, run):
        best = np.argsort(-found, kind="stable")[: max(1, round(options.keep * len(found)))]
        kept.append(sorted(best.tolist()))
    small = keep_neurons(classifier, kept)
    tokenizer = open_tokenizer(parent.folder)
    return seal(
        Compression(inputs, options, run, parent, "compress.width"),
        form="torch",
        folder=complete_folder(run.scratch / "width", lambda target: save_classifier(target, small, tokenizer)),
        notes={"neurons": len(kept[0]), "parameters": sum(one.numel() for one in small.parameters())},
    )
