"""Unstructured pruning: the smallest weights of every matrix become zero; the file is smaller, the time the same.

    W' = W * [ |W| > t ],   t so that the wanted share of the matrix's entries is zero

Source: Han, Pool, Tran, Dally, Learning both Weights and Connections for Efficient Neural Networks, 2015; Gordon, Duh,
Andrews, Compressing BERT, 2020 (a third of the weights can be removed without loss). `compress.distill` after it heals
the model and does not change the zeros. The engines multiply zeros like any other number, so only disk space is saved,
and only if the served form is packed (`packed: true` in `compress.export` or `compress.int8`). When: the release is
sent over a slow connection. When not: for speed; use `compress.layers`, `compress.width` and `compress.int8`.
"""

from __future__ import annotations

from functools import partial

import torch
from pydantic import Field
from torch import nn

from penjing.compress.parts.sealing import Compression, complete_folder, seal, torch_parent
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import Options as BaseOptions
from penjing.core.task import HeadKind
from penjing.model.encoder import Classifier, load_classifier, save_classifier
from penjing.model.layers import layers_of
from penjing.text.tokens import open_tokenizer

HEADS: tuple[HeadKind, ...] = ("pooled",)


class Options(BaseOptions):
    """The options of `compress.magnitude`."""

    sparsity: float = Field(0.5, gt=0, lt=1, description="share of the weights of every matrix that become zero")
    embeddings: bool = Field(True, description="whether the embedding table loses its smallest weights too")


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The parent with that share of zeros. Raises UsageError for a parent that is no torch encoder."""
    parent = torch_parent(inputs, "compress.magnitude")
    classifier, tokenizer = load_classifier(parent), open_tokenizer(parent.folder)
    chosen = matrices(classifier, embeddings=options.embeddings)
    for weight in chosen:
        prune(weight, options.sparsity)
    zeros = sum(int((weight == 0).sum()) for weight in chosen)
    return seal(
        Compression(inputs, options, run, parent, "compress.magnitude"),
        form="torch",
        folder=complete_folder(
            run.scratch / "magnitude", lambda target: save_classifier(target, classifier, tokenizer)
        ),
        notes={
            "sparsity": round(zeros / sum(weight.numel() for weight in chosen), 6),
            "sparse_embeddings": options.embeddings,
        },
    )


def matrices(classifier: Classifier, *, embeddings: bool) -> list[torch.Tensor]:
    """The weights that are pruned: every matrix of the layers and, with `embeddings`, the embedding table."""
    found = [module.weight for module in layers_of(classifier.encoder).modules() if isinstance(module, nn.Linear)]
    if embeddings:
        found.append(classifier.encoder.get_input_embeddings().weight)  # type: ignore[operator]
    return found


def prune(weight: torch.Tensor, share: float) -> None:
    """Set that share of a weight's entries, the smallest, to zero; of equal entries the first ones."""
    count = round(share * weight.numel())
    with torch.no_grad():
        order = weight.abs().flatten().argsort(stable=True)[:count]
        weight.view(-1)[order] = 0


def keep_zeros(classifier: Classifier, *, embeddings: bool) -> None:
    """Give zero entries of the pruned matrices no gradient from now on, so that training keeps them zero."""
    for weight in matrices(classifier, embeddings=embeddings):
        alive = (weight.detach() != 0).to(weight.dtype)
        weight.register_hook(partial(torch.mul, alive))  # type: ignore[no-untyped-call]
