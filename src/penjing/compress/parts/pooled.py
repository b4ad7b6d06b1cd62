"""Pooled states of an encoder for many texts: mean over the tokens of the last layer (compress/parts/slices)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from penjing.compress.parts.slices import Floats, in_slices
from penjing.core.nouns import Artifact, Run
from penjing.core.stop import check_stop
from penjing.model.encoder import fit_vocabulary, load_encoder, padding_id
from penjing.model.heads import mean_pool
from penjing.model.prompt import run_encoder
from penjing.text.tokens import encode, open_tokenizer
from penjing.train.batches import Budget, pad_ids, sorted_batches
from penjing.train.numerics import repeatable

_BUDGET = Budget(rows=64, tokens=4096)


def pooled_states(artifact: Artifact, texts: Sequence[str], limit: int, run: Run, title: str) -> Floats:
    """Mean-pooled last states (n, width) float32 by a base or a torch artifact; a longer text is cut at `limit` tokens.

    Slices are stored in the run's shared folder, and every step that needs the same texts reads them from there. Raises
    RunInterruptedError when stopped; the same call then goes on.
    """
    folder = (run.shared or run.scratch) / "pooled"
    encoder, tokenizer = load_encoder(artifact), open_tokenizer(artifact.folder)
    fit_vocabulary(encoder, tokenizer)
    encoder.to(run.device)
    run.progress.start(title, len(texts))

    def compute(own: list[str]) -> Floats:
        return _compute(encoder, tokenizer, own, limit, run)

    return in_slices(texts, _width(encoder), [artifact.id, str(limit)], folder, compute, run)


def _compute(encoder: nn.Module, tokenizer: Tokenizer, texts: Sequence[str], limit: int, run: Run) -> Floats:
    ids, padding = encode(tokenizer, texts, limit).ids, padding_id(encoder)
    lengths = np.fromiter(map(len, ids), dtype=np.int64, count=len(ids))
    states = np.empty((len(ids), _width(encoder)), dtype=np.float32)
    with repeatable(run.seed, run.threads, run.device), torch.inference_mode():
        for rows in sorted_batches(lengths, _BUDGET):
            check_stop(run.stop)
            given, mask = (part.to(run.device) for part in pad_ids([ids[row] for row in rows], padding))
            hidden = run_encoder(encoder, given, mask)
            states[rows] = mean_pool(hidden, mask).float().cpu().numpy()
            run.progress.advance(len(rows))
    return states


def _width(encoder: nn.Module) -> int:
    return int(encoder.config.hidden_size)  # type: ignore[union-attr, arg-type]
