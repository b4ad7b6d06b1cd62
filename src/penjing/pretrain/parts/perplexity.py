"""How surprising held-out text is to a network.

    perplexity         exp( mean over tokens t of  -log p(x_t | the tokens before t) )
    pseudo-perplexity  exp( mean over tokens t of  -log p(x_t | all other tokens, t hidden) )

The second is computed on n drawn tokens, each hidden alone. Its error is that of a mean of n tokens: as a share of the
value, the standard deviation of -log p divided by the square root of n. The tokens are the same before and after a
training, so the change is known better than the values. Both figures depend on the vocabulary: they do not compare
networks with different vocabularies.
Source: Salazar, Liang, Nguyen, Kirchhoff, Masked Language Model Scoring, 2020.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from penjing.pretrain.parts.batch import TextBatch
from penjing.pretrain.parts.network import NetworkWithHeads

# The scores (n, entries) and the true ids (n,) of tokens, from a network, a batch and its hidden states.
Scores = Callable[[NetworkWithHeads, TextBatch, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


class Perplexity(NamedTuple):
    """A (pseudo-)perplexity; error: the standard error of a drawn one, as a share of it, or None."""

    value: float
    error: float | None = None


def perplexity(network: NetworkWithHeads, batches: Sequence[TextBatch], scores: Scores) -> Perplexity | None:
    """Perplexity of all tokens of the batches; None without any."""
    total, count = 0.0, 0
    with torch.inference_mode():
        for batch in batches:
            found, wanted = scores(network, batch, network.states(batch))
            total += float(torch.nn.functional.cross_entropy(found, wanted, reduction="sum"))
            count += len(wanted)
    return Perplexity(_exp(total / count)) if count else None


def pseudo_perplexity(
    network: NetworkWithHeads, batches: Sequence[TextBatch], scores: Scores, mask: int, positions: int
) -> Perplexity | None:
    """Pseudo-perplexity of drawn tokens of the batches, at most `positions`; None without any.

    scores: of the tokens in the target `hidden` of a batch.
    """
    places = [(number, *place) for number, batch in enumerate(batches) for place in np.argwhere(batch.content)]
    if not places or not positions:
        return None
    draw = np.random.default_rng(len(places))
    chosen = sorted(draw.choice(len(places), size=min(positions, len(places)), replace=False))
    by_batch: dict[int, list[tuple[int, int]]] = {}
    for place in chosen:
        number, row, token = places[place]
        by_batch.setdefault(number, []).append((int(row), int(token)))
    losses: list[torch.Tensor] = []
    with torch.inference_mode():
        for number, found in by_batch.items():
            for start in range(0, len(found), len(batches[number])):
                hidden = _hidden(batches[number], found[start : start + len(batches[number])], mask)
                logits, wanted = scores(network, hidden, network.states(hidden))
                losses.append(torch.nn.functional.cross_entropy(logits, wanted, reduction="none").double())
    each = torch.cat(losses)
    error = float(each.std()) / math.sqrt(len(each)) if len(each) > 1 else None
    return Perplexity(_exp(float(each.mean())), error)


def _exp(mean: float) -> float:
    # Above 709 the exponential is beyond the largest float64.
    return math.exp(min(mean, 700.0))


def _hidden(batch: TextBatch, places: Sequence[tuple[int, int]], mask: int) -> TextBatch:
    """One row for each place, with the token at that place hidden."""
    rows = batch.take(np.array([row for row, _ in places]))
    ids, hidden = rows.gold.copy(), np.zeros(rows.ids.shape, dtype=np.bool_)
    for row, (_, token) in enumerate(places):
        ids[row, token], hidden[row, token] = mask, True
    return replace(rows, ids=ids).with_targets(hidden=hidden)
