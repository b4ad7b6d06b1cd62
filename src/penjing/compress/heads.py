"""Structured pruning of attention heads: the least important heads of all layers are removed.

    importance of head h:  mean over train texts of | sum over tokens and dimensions of a_h dL/da_h |,   divided by the
    root of the sum of squares of its layer's importances   (compress/parts/importance)

Source: Michel, Levy, Neubig, Are Sixteen Heads Really Better than One?, 2019, which divides by layer too; Voita et al.,
Analyzing Multi-Head Self-Attention, 2019. One head stays in every layer. Attention is a third of a layer's arithmetic
on short texts, so half of the heads save a sixth of the time at most. When: long texts, where attention weighs more,
before `compress.distill`, which heals it. When not: short texts, for which `compress.layers` and `compress.width` save
more.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from penjing.compress.parts.importance import Floats, importance
from penjing.compress.parts.sealing import Compression, complete_folder, seal, torch_parent
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import Options as BaseOptions
from penjing.core.task import HeadKind
from penjing.model.encoder import load_classifier, save_classifier
from penjing.model.layers import heads_of, keep_heads, layers_of
from penjing.text.tokens import open_tokenizer

HEADS: tuple[HeadKind, ...] = ("pooled",)


class Options(BaseOptions):
    """The options of `compress.heads`."""

    keep: float = Field(0.5, gt=0, lt=1, description="share of all attention heads that stay, at least one in a layer")
    texts: int = Field(512, ge=8, le=10_000, description="train texts on which importance is measured")


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The parent with that share of its heads. Raises UsageError for a parent, or texts, that it cannot use."""
    parent = torch_parent(inputs, "compress.heads")
    classifier = load_classifier(parent)
    found = [heads_of(layer) for layer in layers_of(classifier.encoder)]
    size = found[0][0]
    kept = choose_heads(
        importance(parent, classifier, [out for _, _, out in found], size, inputs, options.texts, run), options.keep
    )
    small = keep_heads(classifier, kept)
    tokenizer = open_tokenizer(parent.folder)
    return seal(
        Compression(inputs, options, run, parent, "compress.heads"),
        form="torch",
        folder=complete_folder(run.scratch / "heads", lambda target: save_classifier(target, small, tokenizer)),
        notes={"heads": [len(each) for each in kept], "parameters": sum(one.numel() for one in small.parameters())},
    )


def choose_heads(importances: list[Floats], keep: float) -> list[list[int]]:
    """Positions of the heads kept in each layer: the best of each layer, then the best of all, up to `keep`."""
    scaled = [values / max(1e-12, float(np.sqrt((values**2).sum()))) for values in importances]
    kept = [[int(values.argmax())] for values in scaled]
    others = [
        (-float(value), layer, head)
        for layer, values in enumerate(scaled)
        for head, value in enumerate(values)
        if head != kept[layer][0]
    ]
    room = max(0, round(keep * sum(len(values) for values in importances)) - len(kept))
    for _, layer, head in sorted(others)[:room]:
        kept[layer].append(head)
    return [sorted(each) for each in kept]
