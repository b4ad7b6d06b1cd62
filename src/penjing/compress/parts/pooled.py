"""Pooled states of an encoder for many texts: mean over the tokens of the last layer, in slices that survive a kill."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import nn

from penjing.compress.parts.teacher import store, stored
from penjing.core.canon import digest_lines
from penjing.core.nouns import Artifact, Run
from penjing.core.stop import check_stop
from penjing.model.encoder import fit_vocabulary, load_encoder, padding_id
from penjing.model.heads import mean_pool
from penjing.model.prompt import run_encoder
from penjing.text.tokens import encode, open_tokenizer
from penjing.train.batches import Budget, pad_ids, sorted_batches
from penjing.train.numerics import repeatable

Floats = npt.NDArray[np.float32]
_SLICE = 1024
_BUDGET = Budget(rows=64, tokens=4096)


def pooled_states(artifact: Artifact, texts: Sequence[str], limit: int, run: Run, title: str) -> Floats:
    """Mean-pooled last states (n, width) float32 by a base or a torch artifact; a longer text is cut at `limit` tokens.

    Each slice of texts is stored in the run's shared folder under a hash of its texts, and read from there by every
    step that asks for the same texts. Raises RunInterruptedError when stopped; the same call then goes on.
    """
    folder = (run.shared or run.scratch) / "pooled"
    encoder, tokenizer = load_encoder(artifact), open_tokenizer(artifact.folder)
    fit_vocabulary(encoder, tokenizer)
    encoder.to(run.device)
    # Texts of similar length need little padding.
    order = sorted(range(len(texts)), key=lambda place: (len(texts[place]), texts[place]))
    states = np.empty((len(texts), _width(encoder)), dtype=np.float32)
    run.progress.start(title, len(texts))
    for first in range(0, len(order), _SLICE):
        check_stop(run.stop)
        places = order[first : first + _SLICE]
        own = [texts[place] for place in places]
        path = folder / f"{digest_lines([artifact.id, str(limit), *own])[:32]}.npy"
        rows = stored(path, (len(own), states.shape[1]))
        if rows is None:
            rows = _compute(encoder, tokenizer, own, limit, run)
            store(path, rows)
        states[places] = rows
        run.progress.advance(len(own))
    return states


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
    return states


def _width(encoder: nn.Module) -> int:
    return int(encoder.config.hidden_size)  # type: ignore[union-attr, arg-type]
