"""How an encoder begins to be trained: top layers with new random weights, another dropout inside it.

    W ~ Normal(0, s),  b = 0,  norms 1 and 0,   s the `initializer_range` of the base

Source: Zhang, Wu, Katiyar, Weinberger, Artzi, Revisiting Few-sample BERT Fine-tuning, 2021: the top layers of an
encoder are fitted to its pre-training, and new ones can learn a task faster from few rows.
"""

from __future__ import annotations

import torch
from torch import nn

from penjing.core.errors import UsageError
from penjing.model.depths import check_known
from penjing.model.layers import layers_of


def reinitialise(encoder: nn.Module, count: int) -> None:
    """Give the top `count` layers new weights from the present random generator, in place.

    Raises UsageError for a family whose layers are not known, or for more layers than there are.
    """
    check_known(str(encoder.config.model_type), "reinit")  # type: ignore[union-attr]
    layers = list(layers_of(encoder))
    check_count(count, len(layers))
    deviation = float(getattr(encoder.config, "initializer_range", 0.02))
    with torch.no_grad():
        for layer in layers[len(layers) - count :]:
            for module in layer.modules():
                if isinstance(module, nn.Linear):
                    module.weight.normal_(0.0, deviation)
                    if module.bias is not None:
                        module.bias.zero_()
                elif isinstance(module, nn.LayerNorm):
                    module.reset_parameters()


def check_count(count: int, trained: int) -> None:
    """Raise UsageError for more new layers than are trained: they would stay as they were drawn."""
    if count > trained:
        fix = f"set `reinit` to at most {trained}"
        raise UsageError(f"`reinit` draws {count} layers anew, and {trained} are trained", where="reinit", fix=fix)


def set_dropout(encoder: nn.Module, share: float) -> None:
    """Set the dropout of states and of attention inside the encoder."""
    for module in encoder.modules():
        if isinstance(module, nn.Dropout):
            module.p = share
