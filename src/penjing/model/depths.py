"""How deep each parameter of a classifier is: the number of layers above it, for what treats layers differently."""

from __future__ import annotations

from torch import nn

from penjing.core.errors import UsageError
from penjing.model.fields import inner
from penjing.model.layers import FAMILIES, layers_of


def depths_of(model: nn.Module) -> dict[nn.Parameter, int]:
    """Layers above each parameter of a classifier, or of its top part: 0 for the top layer and for the heads.

    Embeddings and what else is below the first layer have the number of layers. Raises UsageError for a family whose
    layers are not known.
    """
    encoder = inner(model).encoder
    assert isinstance(encoder, nn.Module)
    check_known(str(encoder.config.model_type))  # type: ignore[union-attr]
    layers = list(layers_of(encoder))
    found = dict.fromkeys(model.parameters(), 0)
    found |= dict.fromkeys(encoder.parameters(), len(layers))
    for place, layer in enumerate(layers):
        found |= dict.fromkeys(layer.parameters(), len(layers) - 1 - place)
    return found


def check_known(family: str) -> None:
    """Raise UsageError for a family of encoders whose layers are not known."""
    if family not in FAMILIES:
        fix = "leave that option out, or give a base of one of these families: " + ", ".join(FAMILIES)
        raise UsageError(f"the layers of a `{family}` are not known, and an option treats them differently", fix=fix)
