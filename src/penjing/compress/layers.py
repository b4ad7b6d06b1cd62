"""Structured pruning of layers: the layers whose removal changes the answers least are removed, one after another.

    importance of layer l within the kept set S:  mean over texts of soft(S without l, all layers)

soft is the form of the task's loss that compares two models (train/losses): for labels the KL divergence. Of a token
head the mean is over all tokens of the texts.

Source: Fan, Grave, Joulin, Reducing Transformer Depth on Demand with Structured Dropout, 2020; Sajjad et al., On the
Effect of Dropping Layers of Pre-trained Transformer Models, 2023 (top layers often matter least; here it is measured).
Time and size of the layers fall in proportion; the embeddings do not change. The result has a lower score, so put
`compress.distill` after this step to heal it. When not: if every layer is needed; then use `compress.int8` alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from pydantic import Field
from tokenizers import Tokenizer

from penjing.compress.parts.sealing import Compression, complete_folder, seal, torch_parent
from penjing.core.canon import canonical_json, digest_lines
from penjing.core.errors import UsageError
from penjing.core.folder import write_whole
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import Options as BaseOptions
from penjing.core.stop import check_stop
from penjing.core.task import Head, HeadKind
from penjing.model.encoder import Classifier, load_classifier, padding_id, save_classifier
from penjing.model.layers import keep_layers, layers_of
from penjing.tasks import task_of
from penjing.text.tokens import encode, open_tokenizer
from penjing.train.batches import Budget
from penjing.train.losses import soft_loss
from penjing.train.numerics import repeatable
from penjing.train.supervised import IdRows, predict_outputs

HEADS: tuple[HeadKind, ...] = ("pooled", "token")
PAIRS = True


class Options(BaseOptions):
    """The options of `compress.layers`."""

    keep: int = Field(2, ge=1, le=100, description="how many layers stay")
    texts: int = Field(128, ge=8, le=10_000, description="train texts on which importance is measured")


def check_keep(keep: int, total: int) -> None:
    """Raise UsageError if `keep` is not less than `total`, the number of layers."""
    if keep >= total:
        fix = f"set `keep` to at most {total - 1}" if total > 1 else "leave the step out"
        raise UsageError(f"this model has {total} layer{'s' * (total != 1)}", where="keep", fix=fix)


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The parent with `keep` of its layers; the card's notes list them. Raises UsageError."""
    parent = torch_parent(inputs, "compress.layers")
    classifier = load_classifier(parent)
    check_keep(options.keep, len(layers_of(classifier.encoder)))
    tokenizer = open_tokenizer(parent.folder)
    kept = _choose(parent, classifier, tokenizer, inputs.train.texts, options, run)
    small = keep_layers(classifier, kept)
    folder = complete_folder(run.scratch / "layers", lambda target: save_classifier(target, small, tokenizer))
    return seal(
        Compression(inputs, options, run, parent, "compress.layers"),
        form="torch",
        folder=folder,
        notes={"layers": kept, "parameters": sum(one.numel() for one in small.parameters())},
    )


def _choose(
    parent: Artifact, classifier: Classifier, tokenizer: Tokenizer, texts: Sequence[str], options: Options, run: Run
) -> list[int]:
    """Positions of the layers that are kept, in their order.

    The next layer to remove does not depend on `keep`, so the order of removal is stored in the run's shared folder.
    A smaller `keep`, or the same step after a kill, continues from there.
    """
    places = sorted(np.random.default_rng(run.seed).permutation(len(texts))[: options.texts].tolist())
    chosen = [texts[place] for place in places]
    rows = IdRows(encode(tokenizer, chosen, parent.card.max_tokens or 512).ids, padding_id(classifier.encoder))
    store = (run.shared or run.scratch) / "layers" / f"{digest_lines([parent.id, *chosen])[:32]}.json"
    total = len(layers_of(classifier.encoder))
    gone = _gone(store, total)[: total - options.keep]
    kept = [layer for layer in range(total) if layer not in gone]
    tries = sum(range(options.keep + 1, len(kept) + 1))
    run.progress.start("compress.layers: importance of each layer", tries)

    heads = task_of(parent.card).heads

    def outputs_of(layers: list[int]) -> dict[str, torch.Tensor]:
        check_stop(run.stop)
        found = predict_outputs(keep_layers(classifier, layers), rows, heads, Budget(rows=32, tokens=4096))
        return {
            name: torch.from_numpy(np.concatenate(found[name]) if heads[name].kind == "token" else found[name])
            for name in heads
        }

    with repeatable(run.seed, run.threads):
        wanted = outputs_of(list(range(total))) if tries else {}
        while len(kept) > options.keep:
            losses = []
            for layer in kept:
                found = outputs_of([other for other in kept if other != layer])
                losses.append(_apart(heads, found, wanted))
                run.progress.advance(note=f"{len(kept)} layers")
            gone.append(kept.pop(int(np.argmin(losses))))
            write_whole(store, canonical_json(gone))
    return kept


def _apart(heads: Mapping[str, Head], found: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> float:
    """The distance of outputs by head, (texts or tokens, size) each, from others, summed over the heads."""
    return sum(soft_loss(head.loss, found[name], wanted[name]).item() for name, head in heads.items())


def _gone(store: Path, total: int) -> list[int]:
    """The layers removed so far, in the order of removal; none if no complete list is stored."""
    try:
        found = json.loads(store.read_bytes())
    except (OSError, ValueError):
        return []
    whole = isinstance(found, list) and len(set(found)) == len(found) and set(found) <= set(range(total))
    return list(found) if whole else []
