"""Gradual unfreezing: the head learns first, then the layers one after another from the top, embeddings last.

    with L trained layers, T steps and the share s, depth d learns from step d s T / (L + 1) on

depth 0: the heads; depth d: the d-th layer from the top; depth L + 1: the embeddings, where they are trained.

Source: Howard and Ruder, Universal Language Model Fine-tuning for Text Classification, 2018 (one layer an epoch; here
the layers are spread over a share of all steps, because three epochs are fewer than the layers of most encoders).
When: few rows and a new head, whose first large gradients would change what the encoder knows. When not: many rows;
the lower layers then only lose time.
"""

from __future__ import annotations

from torch import nn

from penjing.model.depths import depths_of
from penjing.train.hooks import Batch, Hook, Moment
from penjing.train.optim import is_head


class UnfreezeHook(Hook):
    """Lets only the parameters down to a depth learn, which grows with the steps.

    A parameter that does not learn yet has no gradient, so that the optimizer leaves it and its moments alone.
    """

    def __init__(self, model: nn.Module, share: float, total: int) -> None:
        """share: of the `total` steps, those after which all learn. Raises UsageError for unknown layers."""
        depths = depths_of(model, "unfreeze")
        learning = [(name, each) for name, each in model.named_parameters() if each.requires_grad]
        self._depths = [(each, 0 if is_head(name) else 1 + depths.get(each, 0)) for name, each in learning]
        self._deepest = max((depth for _, depth in self._depths), default=0)
        self._every = share * total / max(1, self._deepest)

    def before_step(self, batch: Batch) -> None:
        for parameter, depth in self._depths:
            parameter.requires_grad_(batch.step >= depth * self._every)

    def after_step(self, moment: Moment) -> None:  # noqa: ARG002
        # Outside a step everything requires a gradient, so that a training that is read from its end counts the same.
        for parameter, _ in self._depths:
            parameter.requires_grad_(True)
