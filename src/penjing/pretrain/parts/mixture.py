"""The objective of a pre-training on the one loop: a weighted sum of terms over the batches of a stream.

    loss of a step = sum over terms k of  w_k  mean over the targets of term k in the whole batch

A batch may be computed in parts; the gradient is that of the whole batch, because every part counts by its targets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from penjing.core.errors import UsageError
from penjing.core.nouns import Family
from penjing.pretrain.parts.batch import TextBatch
from penjing.pretrain.parts.network import NetworkWithHeads
from penjing.pretrain.parts.stream import Stream
from penjing.pretrain.parts.term import Kit, Term
from penjing.train.batches import Ints

_SCORING_SEED = 7


class Mixture:
    """A StreamObjective. terms: (weight, term) by name; held: batches of held-out documents."""

    def __init__(
        self, terms: Mapping[str, tuple[float, Term]], stream: Stream, held: Sequence[TextBatch], parts: int,
        evaluations: int,
    ) -> None:  # fmt: skip
        self.terms, self.stream, self.held, self.parts = terms, stream, held, parts
        steps = stream.steps
        count = min(evaluations, steps)
        self._slices = [steps * place // count for place in range(count + 1)]

    def sizes(self) -> list[int]:
        """Steps between two evaluations."""
        return [end - first for first, end in zip(self._slices, self._slices[1:], strict=False)]

    def batches(self, epoch: int) -> list[Ints]:
        """The row numbers of the batches before evaluation number `epoch`."""
        return list(self.stream.batches(self._slices[epoch], self._slices[epoch + 1]))

    def tokens(self, rows: Ints) -> int:
        """Tokens of a batch without padding, before an objective changes it."""
        return self.stream.count(rows)

    def prepare(self, batch: TextBatch, draw: np.random.Generator) -> TextBatch:
        """The batch as every term arranges and changes it."""
        for _, term in self.terms.values():
            batch = term.arrange(batch, draw)
        for _, term in self.terms.values():
            batch = term.change(batch, draw)
        return batch

    def pieces(self, model: nn.Module, rows: Ints) -> Iterator[torch.Tensor]:
        """The loss of a batch in parts, whose sum it is."""
        assert isinstance(model, NetworkWithHeads)
        batch = self.prepare(self.stream.read(rows), self.stream.draw(rows))
        whole = {name: term.count(batch) for name, (_, term) in self.terms.items()}
        for part in batch.split(self.parts):
            found = self._losses(model, part)
            shares = [
                self.terms[name][0] * self.terms[name][1].count(part) / max(1, whole[name]) * loss
                for name, loss in found.items()
            ]
            if shares:
                yield shares[0] if len(shares) == 1 else torch.stack(shares).sum()

    def loss(self, model: nn.Module, rows: Ints) -> torch.Tensor:
        """The loss of a whole batch."""
        return torch.stack(list(self.pieces(model, rows))).sum()

    def score(self, model: nn.Module) -> dict[str, float]:
        """The mean loss of each term on the held-out batches, and as `loss` their weighted sum."""
        assert isinstance(model, NetworkWithHeads)
        sums = dict.fromkeys(self.terms, 0.0)
        counts = dict.fromkeys(self.terms, 0)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_SCORING_SEED)
            for place, held in enumerate(self.held):
                batch = self.prepare(held, np.random.default_rng([_SCORING_SEED, place]))
                for name, loss in self._losses(model, batch, scoring=True).items():
                    count = self.terms[name][1].count(batch)
                    sums[name] += loss.item() * count
                    counts[name] += count
        found = {name: sums[name] / max(1, counts[name]) for name in self.terms}
        return {"loss": sum(self.terms[name][0] * value for name, value in found.items()), **found}

    def _losses(self, model: NetworkWithHeads, batch: TextBatch, *, scoring: bool = False) -> dict[str, torch.Tensor]:
        """The mean loss of each term that has a target in the batch. States are computed at most once."""
        kept: list[torch.Tensor] = []

        def states() -> torch.Tensor:
            if not kept:
                kept.append(model.states(batch))
            return kept[0]

        found = {}
        for name, (_, term) in self.terms.items():
            if not term.count(batch):
                continue
            if scoring and term.random_score:
                model.train()
            found[name] = term.loss(model, batch, states)
            if scoring:
                model.eval()
        return found


def check_terms(terms: Mapping[str, Term]) -> None:
    """Raise UsageError where two terms both arrange the rows, or both hide tokens."""
    arranging = [name for name, term in terms.items() if term.arranges]
    changing = [name for name, term in terms.items() if term.changes]
    for what, same in (("arrange the rows", arranging), ("change the tokens", changing)):
        if len(same) > 1:
            raise UsageError(
                f"`{same[0]}` and `{same[1]}` both {what} of a batch, so that one step cannot have both",
                fix="take one of the two, or put them into two steps",
            )


class Builder(Protocol):
    """A class of terms: built from a kit and the options of its objective."""

    families: tuple[Family, ...]

    def __call__(self, kit: Kit, options: Any, /) -> Term: ...
